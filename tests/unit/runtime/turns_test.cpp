#include "agent/runtime/turns.hpp"

#include <gtest/gtest.h>
#include <boost/asio/bind_cancellation_slot.hpp>

#include "tests/fakes/manual_clock.hpp"

namespace tocsin::runtime {
namespace {

using namespace std::chrono_literals;

class TurnsTest : public testing::Test {
 protected:
  struct Taker {
    asio::cancellation_signal cancel{};
    std::optional<bool> turn{};
    bool ended{false};
  };
  /// Asks without letting the loop run again before the test says so.
  std::shared_ptr<Taker> ask(Duration within) {
    auto taker = std::make_shared<Taker>();
    auto work = turns.take(loop.get_executor(), clock, clock.steady() + within);
    asio::co_spawn(loop, fakes::keep(std::move(work), taker->turn),
                   asio::bind_cancellation_slot(
                       taker->cancel.slot(), [taker](std::exception_ptr) { taker->ended = true; }));
    fakes::settle(loop);
    return taker;
  }

  fakes::ManualClock clock;
  Turns turns{1};
  asio::io_context loop{1};
};

TEST_F(TurnsTest, AreTakenInTheOrderOfTheLine) {
  const auto first = ask(1s), second = ask(10s), third = ask(10s);
  EXPECT_EQ(first->turn, true);
  EXPECT_FALSE(second->turn);
  turns.give();
  fakes::settle(loop);
  EXPECT_EQ(second->turn, true);
  EXPECT_FALSE(third->turn);
}

TEST_F(TurnsTest, EndAtTheDeadline) {
  const auto first = ask(1s), second = ask(1s), third = ask(10s);
  clock.advance(1s);
  fakes::settle(loop);
  EXPECT_EQ(second->turn, false);
  turns.give();
  fakes::settle(loop);
  EXPECT_EQ(third->turn, true) << "the line moved on over the one that left";
}

TEST_F(TurnsTest, ATurnGivenToSomebodyWhoIsBeingCancelledGoesToTheNext) {
  const auto first = ask(1s), second = ask(10s), third = ask(10s);
  turns.give();
  second->cancel.emit(asio::cancellation_type::all);
  fakes::settle(loop);
  ASSERT_TRUE(second->ended);
  if (second->turn == true) turns.give();  // It was quicker than its cancellation, and owes it.
  fakes::settle(loop);
  EXPECT_EQ(third->turn, true);
}

}  // namespace
}  // namespace tocsin::runtime
