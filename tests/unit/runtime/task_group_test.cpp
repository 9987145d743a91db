#include "tocsin/async/task_group.hpp"

#include <stdexcept>

#include <gtest/gtest.h>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>

#include "tests/fakes/manual_clock.hpp"
#include "tocsin/async/wakeup.hpp"
#include "tocsin/async/with_deadline.hpp"

namespace tocsin {
namespace {

using namespace std::chrono_literals;

asio::awaitable<void> sleep(Clock& clock, Duration length) {
  co_await clock.sleep_until(clock.steady() + length);
}

asio::awaitable<void> ignore_cancellation(asio::steady_timer& bell) {
  auto deaf_token =
      asio::bind_cancellation_slot(asio::cancellation_slot{}, asio::as_tuple(asio::use_awaitable));
  co_await bell.async_wait(deaf_token);
}

asio::awaitable<void> race(Wakeup& bell, Clock& clock) {
  for (;;) co_await bell.wait_until(clock, clock.steady() + 1h);
}

asio::awaitable<void> fail() {
  throw std::runtime_error{"a bug of ours"};
  co_return;
}

TEST(TaskGroup, CancelsItsTasksAndWaitsForThem) {
  fakes::ManualClock clock;
  asio::io_context loop{1};
  Wakeup bell{loop.get_executor()};
  TaskGroup group{loop.get_executor()};
  group.spawn("sleeper", sleep(clock, 1h));
  group.spawn("racer", race(bell, clock));
  group.spawn("short", sleep(clock, 1s));
  EXPECT_EQ(group.size(), 3u);
  fakes::run_for(loop, clock, 2s);
  EXPECT_EQ(group.size(), 2u);
  const auto stragglers = fakes::run_to_end(loop, group.stop(clock, clock.steady() + 5s));
  EXPECT_TRUE(stragglers.empty());
  EXPECT_EQ(group.size(), 0u);
  EXPECT_EQ(clock.sleepers(), 0u);
  group.spawn("late", sleep(clock, 1h));
  EXPECT_EQ(group.size(), 0u) << "nothing starts after the stop";
}

TEST(TaskGroup, NamesThoseThatDoNotEnd) {
  fakes::ManualClock clock;
  asio::io_context loop{1};
  asio::steady_timer bell{loop, SteadyTime::max()};
  TaskGroup group{loop.get_executor()};
  group.spawn("deaf", ignore_cancellation(bell));
  group.spawn("sleeper", sleep(clock, 1h));
  std::optional<std::vector<std::string>> stragglers;
  asio::co_spawn(loop, fakes::keep(group.stop(clock, clock.steady() + 5s), stragglers),
                 [](std::exception_ptr) {});
  fakes::run_for(loop, clock, 4s);
  EXPECT_FALSE(stragglers);
  fakes::run_for(loop, clock, 1s);
  ASSERT_TRUE(stragglers);
  EXPECT_EQ(*stragglers, std::vector<std::string>{"deaf"});
  bell.cancel();
  fakes::settle(loop);
  EXPECT_EQ(group.size(), 0u);
}

TEST(TaskGroupDeathTest, AnExceptionEndsTheProcessWithTheTasksName) {
  asio::io_context loop{1};
  TaskGroup group{loop.get_executor()};
  group.spawn("scheduler", fail());
  EXPECT_DEATH(loop.run(), "scheduler.*a bug of ours");
  asio::io_context other{1};
}

asio::awaitable<void> wait_and_count(Wakeup& bell, int& count) {
  for (;;) {
    co_await bell.wait();
    ++count;
  }
}

TEST(Wakeup, KeepsARaiseAndWakesOnceForMany) {
  asio::io_context loop{1};
  Wakeup bell{loop.get_executor()};
  TaskGroup group{loop.get_executor()};
  int woken = 0;
  bell.raise();
  bell.raise();
  group.spawn("waiter", wait_and_count(bell, woken));
  fakes::settle(loop);
  EXPECT_EQ(woken, 1);
  bell.raise();
  bell.raise();
  fakes::settle(loop);
  EXPECT_EQ(woken, 2);
}

TEST(Wakeup, WaitsUntilItIsRaisedOrTheDeadline) {
  fakes::ManualClock clock;
  asio::io_context loop{1};
  Wakeup bell{loop.get_executor()};
  std::optional<bool> raised;
  const auto wait = [&] {
    raised.reset();
    asio::co_spawn(loop, fakes::keep(bell.wait_until(clock, clock.steady() + 1s), raised),
                   [](std::exception_ptr) {});
    fakes::settle(loop);
  };
  wait();
  EXPECT_FALSE(raised);
  clock.advance(1s);
  fakes::settle(loop);
  EXPECT_EQ(raised, false);
  wait();
  bell.raise();
  fakes::settle(loop);
  EXPECT_EQ(raised, true);
  wait();
  EXPECT_FALSE(raised) << "the flag was lowered";
  // Both at once: the raise is told, not lost.
  clock.advance(1s);
  bell.raise();
  fakes::settle(loop);
  EXPECT_EQ(raised, true);
}

Task<int> answer_after(Clock& clock, Duration length) {
  co_await clock.sleep_until(clock.steady() + length);
  co_return 42;
}

TEST(WithDeadline, EndsTheWorkWithTheSentence) {
  fakes::ManualClock clock;
  asio::io_context loop{1};
  std::optional<Result<int>> result;
  auto work = with_deadline(clock, clock.steady() + 5s, answer_after(clock, 1h), "too slow");
  asio::co_spawn(loop, fakes::keep(std::move(work), result), [](std::exception_ptr) {});
  fakes::run_for(loop, clock, 5s);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->error(), (Error{Errc::timed_out, "too slow"}));
  EXPECT_EQ(clock.sleepers(), 0u) << "the loser was ended";

  result.reset();
  work = with_deadline(clock, clock.steady() + 5s, answer_after(clock, 1s), "too slow");
  asio::co_spawn(loop, fakes::keep(std::move(work), result), [](std::exception_ptr) {});
  fakes::run_for(loop, clock, 1s);
  ASSERT_TRUE(result);
  EXPECT_EQ(**result, 42);
}

}  // namespace
}  // namespace tocsin
