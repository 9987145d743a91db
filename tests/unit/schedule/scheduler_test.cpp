#include "agent/schedule/scheduler.hpp"

#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>

#include "tests/unit/schedule/scripted_check.hpp"
#include "tocsin/base/limits.hpp"

namespace tocsin::schedule {
namespace {

using testing::HasSubstr;

TEST(Scheduler, RunsEachCheckOnItsPhase) {
  Bench bench;
  const auto check = bench.add("load", 10s);
  bench.apply();
  bench.run_for(60s);
  ASSERT_EQ(check->runs, 6);
  for (const auto start : check->starts) {
    EXPECT_EQ(start.time_since_epoch() % 10s, phase_of("load", 10s));
  }
  for (const auto& seen : bench.of("load")) {
    EXPECT_TRUE(seen.outcome);
    EXPECT_EQ(seen.lag, 0ns);
    EXPECT_FALSE(seen.gap);
  }
}

TEST(Scheduler, LetsAFewShareAWakeUpThoughTheyWait) {
  Bench bench;
  for (int i = 0; i < 50; ++i) {
    bench.add("tcp-" + std::to_string(i), 1s)->takes = 1ms;
    bench.add("host-" + std::to_string(i), 1s);
  }
  bench.apply();
  bench.run_for(5s);
  for (const auto& observation : bench.observations)
    EXPECT_EQ((observation.at.steady - observation.took).time_since_epoch() % 1s, 0ns);
  EXPECT_EQ(bench.observations.size(), 500u);
}

TEST(Scheduler, SpreadsManyThatWaitAndLetsTheOthersShareAWakeUp) {
  Bench bench;
  for (int i = 0; i < 400; ++i) bench.add("tcp-" + std::to_string(i), 1s)->takes = 1ms;
  for (int i = 0; i < 50; ++i) bench.add("host-" + std::to_string(i), 1s);
  bench.apply();
  bench.run_for(10s);
  std::map<Duration, int> waiting, others;
  std::map<std::string, SteadyTime> before;
  for (const auto& seen : bench.observations) {
    const bool waits = seen.check.starts_with("tcp");
    const auto due = seen.at.steady - seen.took - seen.lag;
    const auto [at, first] = before.emplace(seen.check, due);
    if (!first && (waits || at->second.time_since_epoch() % 1s == 0ns)) {
      EXPECT_EQ(due - at->second, 1s) << seen.check;
    }
    EXPECT_TRUE(first || due - at->second >= 500ms) << seen.check;
    at->second = due;
  }
  for (const auto& [check, due] : before)
    ++(check.starts_with("tcp") ? waiting : others)[due.time_since_epoch() % 1s];
  EXPECT_EQ(others.size(), 1u) << "one moment of the second";
  EXPECT_EQ(waiting.size(), 8u);
  for (const auto& [phase, checks] : waiting) EXPECT_LE(checks, 100);
}

TEST(Scheduler, ACheckThatNoLongerWaitsMovesToTheOthersButNotTooSoon) {
  Bench bench;
  const auto check = bench.add("disk", 1s);
  for (int i = 0; i < 900; ++i) bench.add("tcp-" + std::to_string(i), 1s);
  const auto on = [&](Duration grid) {
    bench.run_for(3s);
    return check->starts.back().time_since_epoch() % 1s == phase_of("disk", 1s, grid);
  };
  ASSERT_NE(phase_of("disk", 1s, 62'500us), 0ns);
  check->takes = 1ms;
  bench.apply();
  EXPECT_TRUE(on(62'500us));
  check->takes = 0ns;
  EXPECT_TRUE(on(1s));
  check->takes = 1ms;
  EXPECT_TRUE(on(62'500us));
  bench.checks.resize(1);  // A reload leaves few.
  bench.apply();
  EXPECT_TRUE(on(1s));
  for (std::size_t i = 1; i < check->starts.size(); ++i) {
    EXPECT_GE(check->starts[i] - check->starts[i - 1], 500ms);
    EXPECT_LE(check->starts[i] - check->starts[i - 1], 1500ms);
  }
}

TEST(Scheduler, FirstRunOfARareCheckComesSoonAndThenOnItsPhase) {
  Bench bench;
  const auto check = bench.add("backup", 1h);
  bench.apply();
  bench.run_for(10s);
  EXPECT_EQ(check->runs, 1);
  bench.run_for(1h);
  ASSERT_EQ(check->runs, 2);
  EXPECT_EQ(check->starts[1].time_since_epoch() % 1h, phase_of("backup", 1h));
}

TEST(Scheduler, AnUnchangedCheckKeepsItsTurnsThroughAReplacement) {
  Bench bench;
  const auto check = bench.add("load", 10s);
  bench.apply();
  bench.run_for(25s);
  const auto before = check->starts;
  bench.add("other", 3s);
  bench.apply();
  EXPECT_EQ(check->starts, before) << "no burst";
  bench.run_for(20s);
  ASSERT_EQ(check->starts.size(), before.size() + 2);
  EXPECT_EQ(check->starts.back() - before.back(), 20s);
}

TEST(Scheduler, ARunThatOverrunsSkipsTheTurnsItMissed) {
  Bench bench;
  const auto check = bench.add("slow", 1s, 10s);
  check->takes = 3500ms;
  bench.apply();
  bench.run_for(12s);
  EXPECT_EQ(check->most_together, 1);
  ASSERT_GE(check->starts.size(), 3u);
  EXPECT_EQ(check->starts[1] - check->starts[0], 4s);
  EXPECT_EQ(check->starts[2] - check->starts[1], 4s);
  for (const auto& seen : bench.of("slow")) EXPECT_EQ(seen.took, 3500ms);
}

TEST(Scheduler, CutsARunOffAtItsTimeoutAndSaysSo) {
  Bench bench;
  const auto check = bench.add("hung", 10s, 5s);
  check->takes = 1h;
  bench.apply();
  bench.run_for(30s);
  EXPECT_EQ(check->runs, 3);
  EXPECT_EQ(check->most_together, 1);
  EXPECT_EQ(check->together, 0) << "the coroutine was ended, not forgotten";
  const auto seen = bench.of("hung");
  ASSERT_GE(seen.size(), 2u);
  EXPECT_FALSE(seen[0].outcome);
  EXPECT_EQ(seen[0].outcome.error().code, Errc::timed_out);
  EXPECT_EQ(seen[0].outcome.error().detail, "did not finish within 5s");
  EXPECT_EQ(seen[0].took, 5s);
  while (check->together > 0) bench.run_for(1s);
  EXPECT_EQ(bench.scheduler.in_flight(), 0u);
}

/// Ignores that it was cancelled, as a call into a library might.
struct Deaf final : Check {
  explicit Deaf(asio::io_context& on) : bell{on, SteadyTime::max()} {}
  std::span<const SampleSpec> specs() const override { return {}; }
  Task<Samples> run(CheckContext&) override {
    ++runs;
    co_await asio::this_coro::throw_if_cancelled(false);
    auto deaf_token = asio::bind_cancellation_slot(asio::cancellation_slot{},
                                                   asio::as_tuple(asio::use_awaitable));
    while (!released) {
      co_await bell.async_wait(deaf_token);
    }
    co_return Samples{};
  }
  asio::steady_timer bell;
  bool released{false};
  int runs{0};
};

TEST(Scheduler, ARunThatDoesNotReturnIsToldAsStuckAndNeverDoubled) {
  Bench bench;
  const auto deaf = std::make_shared<Deaf>(bench.host.loop);
  bench.checks.push_back({"deaf", deaf, 10s, 5s});
  bench.apply();
  bench.run_for(40s);
  EXPECT_EQ(deaf->runs, 1);
  auto seen = bench.of("deaf");
  ASSERT_GE(seen.size(), 3u);
  EXPECT_EQ(seen[0].outcome.error().code, Errc::timed_out);
  EXPECT_EQ(seen[1].outcome.error().code, Errc::stuck);
  EXPECT_EQ(seen[2].outcome.error().code, Errc::stuck);

  deaf->released = true;
  deaf->bell.cancel();
  bench.observations.clear();
  bench.run_for(10s);
  EXPECT_EQ(deaf->runs, 2);
  seen = bench.of("deaf");
  ASSERT_EQ(seen.size(), 1u) << "the late end itself is not told: it was told at the cut-off";
  EXPECT_TRUE(seen[0].outcome);
}

TEST(Scheduler, TurnsAnExceptionIntoAnInternalError) {
  Bench bench;
  bench.add("throwing", 10s)->throws = true;
  bench.apply();
  bench.run_for(10s);
  const auto seen = bench.of("throwing");
  ASSERT_EQ(seen.size(), 1u);
  EXPECT_EQ(seen[0].outcome.error().code, Errc::internal);
  EXPECT_THAT(seen[0].outcome.error().detail, HasSubstr("scripted fault"));
}

TEST(Scheduler, BoundsTheSamplesOfARun) {
  Bench bench;
  const auto check = bench.add("many", 10s);
  check->yields = limits::samples_per_run;
  bench.apply();
  bench.run_for(10s);
  check->yields = limits::samples_per_run + 1;
  bench.run_for(10s);
  const auto seen = bench.of("many");
  ASSERT_EQ(seen.size(), 2u);
  EXPECT_TRUE(seen[0].outcome);
  EXPECT_EQ(seen[1].outcome.error().code, Errc::too_large);
  EXPECT_THAT(seen[1].outcome.error().detail, HasSubstr("the bound is 512"));
}

TEST(Scheduler, ANudgeRunsTheCheckAtOnce) {
  Bench bench;
  const auto check = bench.add("process", 1h);
  bench.apply();
  bench.run_for(10s);
  ASSERT_EQ(check->runs, 1);
  bench.scheduler.nudge("process");
  bench.scheduler.nudge("process");
  bench.scheduler.nudge("unheard of");
  fakes::settle(bench.host.loop);
  EXPECT_EQ(check->runs, 2) << "many nudges, one run";
}

TEST(Scheduler, ANudgeDuringARunCausesOneMoreRightAfter) {
  Bench bench;
  const auto check = bench.add("process", 1h, 30s);
  check->takes = 2s;
  std::function<void()> kept;
  check->during = [&kept](CheckContext& context) { kept = context.nudge; };
  bench.apply();
  bench.run_for(13s);
  ASSERT_EQ(check->runs, 1);
  bench.scheduler.nudge("process");
  fakes::settle(bench.host.loop);
  ASSERT_EQ(check->runs, 2);
  kept();
  kept();
  bench.run_for(1s);
  EXPECT_EQ(check->runs, 2);
  bench.run_for(1s);
  EXPECT_EQ(check->runs, 3);
  bench.run_for(10s);
  EXPECT_EQ(check->runs, 3);
  EXPECT_EQ(check->most_together, 1);
  bench.checks.clear();
  bench.apply();
  kept();  // Of a check that is gone: nothing happens.
  bench.run_for(10s);
  EXPECT_EQ(check->runs, 3);
}

TEST(Scheduler, ACheckThatAlwaysNudgesCannotMakeABusyLoop) {
  Bench bench;
  const auto check = bench.add("noisy", 1h);
  check->during = [](CheckContext& context) { context.nudge(); };
  bench.apply();
  bench.run_for(10s);
  const int before = check->runs;
  bench.run_for(10s);
  EXPECT_GT(check->runs, before) << "it is still heard";
  EXPECT_LE(check->runs - before, 110);
}

TEST(Scheduler, LooksNoLaterThanAskedAndKeepsThePhaseAfterwards) {
  Bench bench;
  const auto check = bench.add("disk", 1min);
  bench.apply();
  bench.run_for(2min);
  const auto regular = check->starts.back();
  bench.run_for(10s);
  const auto before = check->runs;
  const auto at = bench.host.clock.steady() + 2s;
  bench.scheduler.look_no_later_than("disk", at);
  bench.scheduler.look_no_later_than("disk", at + 30s);
  bench.scheduler.look_no_later_than("unheard of", at);
  bench.run_for(5s);
  ASSERT_EQ(check->runs, before + 1);
  EXPECT_EQ(check->starts.back(), at);
  bench.run_for(1min - 15s);
  EXPECT_EQ(check->starts.back(), regular + 1min);
}

TEST(Scheduler, ASinkThatAlwaysWantsToLookNowCannotMakeABusyLoop) {
  Bench bench;
  const auto check = bench.add("disk", 1min);
  bench.on_observation = [&bench](const Observation& seen) {
    bench.scheduler.look_no_later_than(seen.check, seen.at.steady);
  };
  bench.apply();
  bench.run_for(11s);
  EXPECT_GT(check->runs, 10);
  EXPECT_LE(check->runs, 1200);
  bench.on_observation = {};
}

TEST(Scheduler, TellsTheFirstRunAfterASuspendOfTheGap) {
  Bench bench;
  const auto check = bench.add("cpu", 10s);
  bench.apply();
  bench.run_for(10s);
  bench.host.clock.suspend(1h);
  bench.run_for(20s);
  EXPECT_EQ(check->gaps, (std::vector<bool>{false, true, false}));
  EXPECT_TRUE(bench.of("cpu")[1].gap);
  EXPECT_EQ(bench.of("cpu")[1].lag, 0ns) << "steady time stood still";
}

TEST(Scheduler, AWallClockJumpChangesNothing) {
  Bench bench;
  const auto check = bench.add("cpu", 10s);
  bench.apply();
  bench.run_for(10s);
  bench.host.clock.jump_wall(-24h);
  bench.run_for(20s);
  bench.host.clock.jump_wall(48h);
  bench.run_for(20s);
  EXPECT_EQ(check->runs, 5);
  EXPECT_THAT(check->gaps, testing::Each(false));
}

TEST(Scheduler, DropsTheResultOfACheckThatWasReplacedAndKeepsItAliveUntilItsRunEnded) {
  Bench bench;
  auto deaf = std::make_shared<Deaf>(bench.host.loop);
  const std::weak_ptr<Check> watched = deaf;
  auto* const raw = deaf.get();
  bench.checks.push_back({"db", deaf, 10s, 50s});
  bench.apply();
  bench.run_for(10s);
  ASSERT_EQ(raw->runs, 1);
  bench.checks.clear();
  deaf.reset();
  const auto successor = bench.add("db", 10s);
  bench.apply();
  bench.run_for(10s);
  EXPECT_FALSE(watched.expired()) << "its run is still on";
  EXPECT_EQ(successor->runs, 1);
  ASSERT_EQ(bench.of("db").size(), 1u) << "the successor's";
  raw->released = true;
  raw->bell.cancel();
  fakes::settle(bench.host.loop);
  EXPECT_TRUE(watched.expired());
  EXPECT_EQ(bench.of("db").size(), 1u);
}

TEST(Scheduler, TheSinkMayReplaceTheSet) {
  Bench bench;
  bench.add("once", 10s);
  bench.apply();
  bench.on_observation = [&bench](const Observation&) { bench.scheduler.replace({}); };
  bench.run_for(1min);
  EXPECT_EQ(bench.observations.size(), 1u);
}

TEST(Scheduler, EndsItsRunsWhenStopped) {
  auto check = std::make_shared<ScriptedCheck>();
  check->takes = 1h;
  fakes::FakeHost host;
  int told = 0;
  fakes::FakeMemories memories;
  Scheduler scheduler{
      host.loop.get_executor(),
      host.clock,
      {host.files, *host.network, host.processes, host.helper, host.pressure, host.kernel_clock},
      memories,
      [&told](const ScheduledCheck&, Observation) { ++told; }};
  TaskGroup group{host.loop.get_executor()};
  group.spawn("scheduler", scheduler.run());
  scheduler.replace({{"hung", check, 1s, 1min}});
  fakes::run_for(host.loop, host.clock, 5s);
  ASSERT_EQ(scheduler.in_flight(), 1u);
  auto stop = group.stop(host.clock, host.clock.steady() + 5s);
  const auto stragglers = fakes::run_to_end(host.loop, std::move(stop));
  EXPECT_TRUE(stragglers.empty());
  EXPECT_EQ(check->together, 0);
  EXPECT_EQ(scheduler.in_flight(), 0u);
}

}  // namespace
}  // namespace tocsin::schedule
