#include "agent/runtime/blocking_thread.hpp"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>

#include <gtest/gtest.h>
#include <boost/asio/bind_cancellation_slot.hpp>

#include "tests/fakes/inline_blocking.hpp"
#include "tests/fakes/manual_clock.hpp"

namespace tocsin {
namespace {

/// Opens once; whoever passes waits for that.
class Gate {
 public:
  void pass() {
    std::unique_lock hold{mutex_};
    opened_.wait(hold, [this] { return open_; });
  }
  void open() {
    const std::lock_guard hold{mutex_};
    open_ = true;
    opened_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable opened_;
  bool open_{false};
};

TEST(BlockingThread, RunsTheWorkElsewhereAndReturnsHere) {
  runtime::RealBlockingThread blocking;
  asio::io_context loop{1};
  std::thread::id worked_on, returned_on;
  asio::co_spawn(loop, blocking.run([&] { worked_on = std::this_thread::get_id(); }),
                 [&](std::exception_ptr) { returned_on = std::this_thread::get_id(); });
  loop.run();
  EXPECT_NE(worked_on, std::this_thread::get_id());
  EXPECT_EQ(returned_on, std::this_thread::get_id());
}

TEST(BlockingThread, RunsCallsInTheirOrderAndOneAtATime) {
  runtime::RealBlockingThread blocking;
  asio::io_context loop{1};
  std::vector<int> order;  // Unguarded on purpose: one thread writes.
  for (int i = 0; i < 50; ++i) {
    asio::co_spawn(loop, blocking.run([&order, i] { order.push_back(i); }),
                   [](std::exception_ptr) {});
  }
  loop.run();
  ASSERT_EQ(order.size(), 50u);
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
}

TEST(BlockingThread, TheLoopGoesOnMeanwhile) {
  runtime::RealBlockingThread blocking;
  asio::io_context loop{1};
  Gate gate;
  bool done = false;
  asio::co_spawn(loop, blocking.run([&] { gate.pass(); }),
                 [&](std::exception_ptr) { done = true; });
  fakes::settle(loop);
  EXPECT_FALSE(done);
  gate.open();
  loop.restart();
  loop.run();
  EXPECT_TRUE(done);
}

TEST(BlockingThread, ACancelledCallerStillWaitsForItsWork) {
  runtime::RealBlockingThread blocking;
  asio::io_context loop{1};
  Gate gate;
  asio::cancellation_signal cancel;
  bool worked = false, ended = false;
  auto work = blocking.run([&] {
    gate.pass();
    worked = true;
  });
  asio::co_spawn(
      loop, std::move(work),
      asio::bind_cancellation_slot(cancel.slot(), [&](std::exception_ptr) { ended = true; }));
  fakes::settle(loop);
  cancel.emit(asio::cancellation_type::all);
  fakes::settle(loop);
  EXPECT_FALSE(ended) << "the work may refer to what the caller holds";
  gate.open();
  loop.restart();
  loop.run();
  EXPECT_TRUE(worked);
  EXPECT_TRUE(ended);
}

TEST(InlineBlocking, RunsAtOnceOrOneCallLate) {
  fakes::InlineBlocking blocking;
  asio::io_context loop{1};
  int worked = 0, ended = 0;
  const auto call = [&] {
    asio::co_spawn(loop, blocking.run([&] { ++worked; }), [&](std::exception_ptr) { ++ended; });
    fakes::settle(loop);
  };
  call();
  EXPECT_EQ(ended, 1);
  blocking.late(true);
  call();
  EXPECT_EQ(worked, 1);
  call();
  EXPECT_EQ(worked, 2);
  EXPECT_EQ(ended, 2);
  blocking.flush();
  fakes::settle(loop);
  EXPECT_EQ(worked, 3);
  EXPECT_EQ(ended, 3);
}

}  // namespace
}  // namespace tocsin
