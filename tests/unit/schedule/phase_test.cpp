#include "agent/schedule/phase.hpp"

#include <map>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "agent/schedule/scheduler.hpp"

namespace tocsin::schedule {
namespace {

using namespace std::chrono_literals;

TEST(Phase, LiesOnTheGridOfASecondAndBelowEvery) {
  std::set<Duration> seen;
  for (int i = 0; i < 200; ++i) {
    const auto phase = phase_of("check-" + std::to_string(i), 10s);
    EXPECT_EQ(phase % 1s, 0ns);
    EXPECT_GE(phase, 0ns);
    EXPECT_LT(phase, 10s);
    seen.insert(phase);
  }
  EXPECT_EQ(seen.size(), 10u) << "200 names spread over all ten seconds";
}

TEST(Phase, OfShortIntervalsIsShared) {
  EXPECT_EQ(phase_of("a", 500ms), 0ns);
  EXPECT_EQ(phase_of("b", 500ms), 0ns);
}

TEST(Phase, OfAThousandASecondIsSpreadOverTheSecond) {
  EXPECT_EQ(spread_grid(0), 1s);
  EXPECT_EQ(spread_grid(100), 1s);
  EXPECT_EQ(spread_grid(101), 500ms);
  EXPECT_EQ(spread_grid(400), 250ms);
  EXPECT_EQ(spread_grid(1000), 62'500us);
  EXPECT_EQ(spread_grid(1e9), Duration{1s} / 128) << "it has an end";
  std::map<Duration, int> together;
  for (int i = 0; i < 1000; ++i) {
    const auto name = "check-" + std::to_string(i);
    ++together[phase_of(name, 1s, spread_grid(1000))];
    EXPECT_EQ(phase_of(name, 60s, spread_grid(1000)) / 1s * 1s, phase_of(name, 60s));
  }
  EXPECT_EQ(together.size(), 16u);
  for (const auto& [phase, checks] : together) {
    EXPECT_EQ(phase % 62'500us, 0ns);
    EXPECT_LE(checks, 100);
  }
}

TEST(Phase, NeverChangesWithTheVersion) {
  // FNV-1a of "foobar" is 0x85944171f73967e8 (a published test vector).
  static_assert(0x85944171f73967e8u % 10'000'000'000u / 1'000'000'000u == 1);
  EXPECT_EQ(phase_of("foobar", 10s), 1s);
}

TEST(NextTurn, IsStrictlyLaterAndOnThePhase) {
  EXPECT_EQ(next_turn(3s, 10s, SteadyTime{0s}), SteadyTime{3s});
  EXPECT_EQ(next_turn(3s, 10s, SteadyTime{3s}), SteadyTime{13s});
  EXPECT_EQ(next_turn(3s, 10s, SteadyTime{3s - 1ns}), SteadyTime{3s});
  EXPECT_EQ(next_turn(3s, 10s, SteadyTime{12s}), SteadyTime{13s});
  EXPECT_EQ(next_turn(0s, 500ms, SteadyTime{1250ms}), SteadyTime{1500ms});
}

}  // namespace
}  // namespace tocsin::schedule
