#include <gtest/gtest.h>
#include <boost/asio/bind_cancellation_slot.hpp>

#include "agent/runtime/real_clock.hpp"
#include "tests/fakes/manual_clock.hpp"

namespace tocsin {
namespace {

using namespace std::chrono_literals;

asio::awaitable<void> sleep_and_note(Clock& clock, SteadyTime deadline,
                                     std::vector<SteadyTime>& notes) {
  co_await clock.sleep_until(deadline);
  notes.push_back(deadline);
}

TEST(ManualClock, WakesSleepersInTheOrderOfTheirDeadlines) {
  fakes::ManualClock clock;
  asio::io_context loop{1};
  std::vector<SteadyTime> notes;
  const auto start = clock.steady();
  for (const auto length : {3s, 1s, 2s}) {
    asio::co_spawn(loop, sleep_and_note(clock, start + length, notes), [](std::exception_ptr) {});
  }
  fakes::settle(loop);
  EXPECT_EQ(clock.sleepers(), 3u);
  EXPECT_EQ(clock.next_deadline(), start + 1s);
  clock.jump_wall(24h);
  clock.suspend(24h);
  fakes::settle(loop);
  EXPECT_TRUE(notes.empty()) << "only steady time wakes";
  clock.advance(2s);
  fakes::settle(loop);
  EXPECT_EQ(notes, (std::vector<SteadyTime>{start + 1s, start + 2s}));
  clock.advance(1s);
  fakes::settle(loop);
  EXPECT_EQ(notes.size(), 3u);
  EXPECT_EQ(clock.sleepers(), 0u);
}

TEST(ManualClock, MovesItsThreeTimesAsTheHostWould) {
  fakes::ManualClock clock;
  const auto steady = clock.steady();
  const auto wall = clock.wall();
  clock.advance(1500ns);
  clock.advance(1500ns);
  EXPECT_EQ(clock.steady(), steady + 3us);
  EXPECT_EQ(clock.wall(), wall + 3us) << "no nanosecond is lost";
  clock.suspend(1h);
  EXPECT_EQ(clock.steady(), steady + 3us);
  EXPECT_EQ(clock.wall(), wall + 3us + 1h);
  EXPECT_EQ(clock.suspended(), 1h);
  clock.jump_wall(-2h);
  EXPECT_EQ(clock.wall(), wall + 3us - 1h);
}

TEST(RealClock, SleepsAtLeastAsLongAsAskedAndNotAtAllForThePast) {
  runtime::RealClock clock;
  asio::io_context loop{1};
  const auto before = clock.steady();
  fakes::run_to_end(loop, clock.sleep_until(before + 5ms));
  EXPECT_GE(clock.steady(), before + 5ms);
  fakes::run_to_end(loop, clock.sleep_until(before - 1h));
  EXPECT_GE(clock.suspended(), -1ms);
}

TEST(RealClock, ASleepEndsWhenCancelled) {
  runtime::RealClock clock;
  asio::io_context loop{1};
  asio::cancellation_signal cancel;
  bool threw = false;
  asio::co_spawn(loop, clock.sleep_until(SteadyTime::max()),
                 asio::bind_cancellation_slot(
                     cancel.slot(), [&](std::exception_ptr fault) { threw = fault != nullptr; }));
  fakes::settle(loop);
  cancel.emit(asio::cancellation_type::all);
  loop.restart();
  loop.run();
  EXPECT_TRUE(threw);
}

}  // namespace
}  // namespace tocsin
