#include <gtest/gtest.h>

#include "agent/schedule/places.hpp"
#include "tests/unit/schedule/scripted_check.hpp"
#include "tocsin/base/limits.hpp"

namespace tocsin::schedule {
namespace {

TEST(Fairness, TwoHundredHangingChecksLeaveTheOthersOnSchedule) {
  Bench bench;
  for (int i = 0; i < 200; ++i) bench.add("hung-" + std::to_string(i), 10s, 5s)->takes = 1h;
  std::vector<std::string> host_checks, network_checks;
  for (int i = 0; i < 9; ++i) {
    host_checks.push_back("host-" + std::to_string(i));
    bench.add(host_checks.back(), 1s);
    network_checks.push_back("tcp-" + std::to_string(i));
    bench.add(network_checks.back(), 2s)->takes = 20ms;
  }
  bench.apply();
  std::size_t most = 0;
  bench.on_observation = [&](const Observation&) {
    most = std::max(most, bench.scheduler.in_flight());
  };
  bench.run_for(2min);
  for (const auto& name : host_checks) {
    const auto seen = bench.of(name);
    EXPECT_GE(seen.size(), 119u) << name;
    for (const auto& observation : seen) EXPECT_EQ(observation.lag, 0ns) << name;
  }
  for (const auto& name : network_checks) {
    const auto seen = bench.of(name);
    EXPECT_GE(seen.size(), 59u) << name;
    for (const auto& observation : seen) EXPECT_EQ(observation.lag, 0ns) << name;
  }
  EXPECT_LE(most, limits::checks_in_flight + Places::first_runs_most);
  // Later, when all are known, those that hang hold half of the places at most; none of them is
  // forgotten, and the lag says that they wait.
  EXPECT_LE(bench.scheduler.in_flight(), Places::hanging_most + 9);
  bool lagged = false;
  for (int i = 0; i < 200; ++i) {
    const auto seen = bench.of("hung-" + std::to_string(i));
    EXPECT_GE(seen.size(), 3u);
    for (const auto& observation : seen) lagged = lagged || observation.lag > 1s;
  }
  EXPECT_TRUE(lagged);
}

TEST(Fairness, ChecksThatGiveUpJustInTimeLeaveTheOthersOnScheduleToo) {
  Bench bench;
  for (int i = 0; i < 200; ++i) bench.add("vain-" + std::to_string(i), 2s, 1s)->takes = 950ms;
  bench.add("host", 200ms);
  bench.add("tcp", 1s)->takes = 20ms;
  bench.apply();
  bench.run_for(10s);  // Until all are known.
  bench.observations.clear();
  bench.run_for(1min);
  EXPECT_GE(bench.of("host").size(), 299u);
  EXPECT_GE(bench.of("tcp").size(), 59u);
  for (const auto* name : {"host", "tcp"})
    for (const auto& observation : bench.of(name)) EXPECT_EQ(observation.lag, 0ns) << name;
}

TEST(Fairness, ARunThatEndsWithoutWaitingTakesNoPlace) {
  Bench bench;
  for (int i = 0; i < 300; ++i) bench.add("slow-" + std::to_string(i), 1s, 30s)->takes = 1500ms;
  bench.add("host", 200ms);
  bench.apply();
  bench.run_for(1min);
  EXPECT_GE(bench.of("host").size(), 299u);
  for (const auto& observation : bench.of("host")) EXPECT_EQ(observation.lag, 0ns);
}

TEST(Fairness, TheBoundHoldsForChecksThatWait) {
  Bench bench;
  for (int i = 0; i < 300; ++i) bench.add("slow-" + std::to_string(i), 1s, 30s)->takes = 1500ms;
  bench.apply();
  bench.run_for(5s);
  std::size_t most = 0;
  bench.on_observation = [&](const Observation&) {
    most = std::max(most, bench.scheduler.in_flight());
  };
  bench.run_for(60s);
  EXPECT_LE(most, limits::checks_in_flight);
  for (int i = 0; i < 300; ++i) EXPECT_GE(bench.of("slow-" + std::to_string(i)).size(), 6u) << i;
}

TEST(Fairness, AHangingCheckThatRecoversIsOneOfTheOthersAgain) {
  Places places;
  for (std::size_t i = 0; i < Places::hanging_most; ++i) {
    ASSERT_TRUE(places.may_start(Manner::hanging));
    places.take(Manner::hanging);
  }
  EXPECT_FALSE(places.may_start(Manner::hanging));
  EXPECT_TRUE(places.may_start(Manner::waiting));
  EXPECT_TRUE(places.may_start(Manner::immediate));
  places.give(Manner::hanging);
  EXPECT_TRUE(places.may_start(Manner::hanging));
}

}  // namespace
}  // namespace tocsin::schedule
