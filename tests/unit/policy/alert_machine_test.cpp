#include "agent/policy/alert_machine.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/policy/looks.hpp"

namespace tocsin::policy {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Change = AlertChange;

const std::vector<SampleSpec> cpu{{"iowait_ratio", Unit::ratio, ""}};

AlertPolicy rules(const std::string& critical, const std::string& warning = {},
                  const std::string& clear = {}) {
  AlertPolicy policy;
  if (!critical.empty()) policy.critical.push_back(Looks::rule(critical, cpu));
  if (!warning.empty()) policy.warning.push_back(Looks::rule(warning, cpu));
  if (!clear.empty()) policy.clear = Looks::rule(clear, cpu);
  return policy;
}

TEST(AlertMachine, WithoutAHoldTheFirstBreachFires) {
  Looks looks{cpu, rules("iowait_ratio > 40%")};
  EXPECT_THAT(looks.look(0.1).changes, IsEmpty());
  const auto step = looks.look(0.5);
  EXPECT_THAT(step.changes, ElementsAre(Change::fired));
  EXPECT_EQ(step.next.phase, AlertPhase::firing);
  EXPECT_EQ(step.next.severity, Severity::critical);
  EXPECT_EQ(step.next.why, "iowait_ratio 50% > 40%");
  EXPECT_EQ(step.next.since, looks.wall);
  EXPECT_FALSE(step.look_again_at);
}

TEST(AlertMachine, AHoldIsWaitedForAndItsEdgeIsLookedAt) {
  Looks looks{cpu, rules("iowait_ratio > 40% for 5s")};
  const auto first_seen = looks.wall;
  auto step = looks.look(0.5);
  EXPECT_EQ(step.next.phase, AlertPhase::pending);
  EXPECT_EQ(step.next.severity, Severity::ok);
  EXPECT_EQ(step.verdict.severity, Severity::critical);
  EXPECT_EQ(step.look_again_at, looks.steady + 2s);
  looks.pass(4s);
  step = looks.look(0.6);
  EXPECT_THAT(step.changes, IsEmpty());
  EXPECT_EQ(step.look_again_at, looks.steady + 1s) << "the hold's edge comes before confirm_every";
  looks.pass(1s);
  step = looks.look(0.432);
  EXPECT_THAT(step.changes, ElementsAre(Change::fired));
  EXPECT_EQ(step.next.why, "iowait_ratio 43.2% > 40% for 5s");
  EXPECT_EQ(step.verdict.why, step.next.why);
  EXPECT_EQ(step.next.since, first_seen);
}

TEST(AlertMachine, OneGoodLookEndsTheHold) {
  Looks looks{cpu, rules("iowait_ratio > 40% for 5s")};
  looks.look(0.5);
  looks.pass(4s);
  EXPECT_EQ(looks.look(0.1).next.phase, AlertPhase::inactive);
  EXPECT_FALSE(looks.alert.since);
  looks.pass(1s);
  looks.look(0.5);
  looks.pass(4s);
  EXPECT_THAT(looks.look(0.5).changes, IsEmpty());
  looks.pass(1s);
  EXPECT_THAT(looks.look(0.5).changes, ElementsAre(Change::fired));
}

TEST(AlertMachine, CountsLooksForNOfM) {
  struct Case {
    std::vector<double> looks;
    int fires_at;  // -1: never
  };
  for (const auto& [values, fires_at] : std::initializer_list<Case>{
           {{.5, .5}, 1}, {{.5, .1, .5}, 2}, {{.5, .1, .1, .5}, -1}, {{.1, .5, .5}, 2}}) {
    Looks looks{cpu, rules("iowait_ratio > 40% for 2 of 3")};
    int fired = -1;
    for (std::size_t i = 0; i < values.size(); ++i) {
      const auto step = looks.look(values[i]);
      if (!step.changes.empty() && fired < 0) fired = static_cast<int>(i);
      looks.pass(10s);
    }
    EXPECT_EQ(fired, fires_at) << values.size();
  }
}

TEST(AlertMachine, RecoversAfterTheDefaultClearHold) {
  Looks looks{cpu, rules("iowait_ratio > 40%")};
  looks.look(0.5);
  looks.pass(10s);
  auto step = looks.look(0.1);
  EXPECT_EQ(step.next.phase, AlertPhase::recovering);
  EXPECT_EQ(step.next.severity, Severity::critical);
  EXPECT_EQ(step.look_again_at, looks.steady + 1min);
  looks.pass(59s);
  EXPECT_THAT(looks.look(0.1).changes, IsEmpty());
  looks.pass(1s);
  step = looks.look(0.1);
  EXPECT_THAT(step.changes, ElementsAre(Change::recovered));
  EXPECT_EQ(step.next.phase, AlertPhase::inactive);
  EXPECT_EQ(step.next.severity, Severity::ok);
  EXPECT_FALSE(step.next.since);
}

TEST(AlertMachine, ABreachWhileRecoveringIsARefireWithoutAnotherHold) {
  Looks looks{cpu, rules("iowait_ratio > 40% for 5s")};
  looks.look(0.5);
  looks.pass(5s);
  looks.look(0.5);
  looks.pass(10s);
  looks.look(0.1);
  looks.pass(50s);
  const auto step = looks.look(0.5);
  EXPECT_THAT(step.changes, ElementsAre(Change::refired));
  EXPECT_EQ(step.next.phase, AlertPhase::firing);
  EXPECT_FALSE(step.next.recovering_since);
  looks.pass(10s);
  looks.look(0.1);
  looks.pass(59s);
  EXPECT_THAT(looks.look(0.1).changes, IsEmpty()) << "the recovery hold began anew";
}

TEST(AlertMachine, AClearRuleLeavesABandInBetween) {
  Looks looks{cpu, rules("iowait_ratio > 40%", {}, "iowait_ratio < 20% for 1m")};
  looks.look(0.5);
  looks.pass(10s);
  auto step = looks.look(0.3);
  EXPECT_EQ(step.next.phase, AlertPhase::recovering);
  EXPECT_FALSE(step.next.recovering_since);
  EXPECT_FALSE(step.look_again_at);
  looks.pass(1h);
  looks.look(0.3);
  EXPECT_EQ(looks.alert.phase, AlertPhase::recovering);
  looks.look(0.1);
  looks.pass(30s);
  looks.look(0.3);
  looks.pass(30s);
  EXPECT_THAT(looks.look(0.1).changes, IsEmpty()) << "the band interrupts the hold";
  looks.pass(1min);
  EXPECT_THAT(looks.look(0.1).changes, ElementsAre(Change::recovered));
}

TEST(AlertMachine, AClearRuleMayCountLooks) {
  Looks looks{cpu, rules("iowait_ratio > 40%", {}, "iowait_ratio < 20% for 2 of 3")};
  looks.look(0.5);
  EXPECT_THAT(looks.look(0.1).changes, IsEmpty());
  EXPECT_THAT(looks.look(0.3).changes, IsEmpty());
  EXPECT_THAT(looks.look(0.1).changes, ElementsAre(Change::recovered));
}

TEST(AlertMachine, AfterRecoveryOldLooksDoNotCount) {
  Looks looks{cpu, rules("iowait_ratio > 40% for 2 of 5", {}, "iowait_ratio < 20%")};
  looks.look(0.5);
  looks.look(0.5);
  EXPECT_THAT(looks.look(0.1).changes, ElementsAre(Change::recovered));
  EXPECT_THAT(looks.look(0.5).changes, IsEmpty());
}

TEST(AlertMachine, SeverityFallsAtOnceAndRisesByItsOwnHold) {
  Looks looks{cpu, rules("iowait_ratio > 60% for 10s", "iowait_ratio > 40%")};
  EXPECT_THAT(looks.look(0.5).changes, ElementsAre(Change::fired));
  EXPECT_EQ(looks.alert.severity, Severity::warning);
  looks.pass(10s);
  auto step = looks.look(0.7);
  EXPECT_THAT(step.changes, IsEmpty());
  EXPECT_EQ(step.verdict.severity, Severity::critical);
  EXPECT_EQ(step.look_again_at, looks.steady + 2s);
  looks.pass(10s);
  EXPECT_THAT(looks.look(0.7).changes, ElementsAre(Change::severity_changed));
  EXPECT_EQ(looks.alert.severity, Severity::critical);
  looks.pass(10s);
  EXPECT_THAT(looks.look(0.5).changes, ElementsAre(Change::severity_changed));
  EXPECT_EQ(looks.alert.severity, Severity::warning);
  EXPECT_EQ(looks.alert.why, "iowait_ratio 50% > 40%");
}

TEST(AlertMachine, ErrorsFireAsUnknownOnceTheyLasted) {
  Looks looks{cpu, rules("iowait_ratio > 40%")};
  auto step = looks.fail("/proc/stat: permission denied");
  EXPECT_EQ(step.verdict, (Verdict{Severity::unknown, "/proc/stat: permission denied"}));
  EXPECT_EQ(step.next.phase, AlertPhase::pending);
  EXPECT_EQ(step.look_again_at, looks.steady + 2s);
  looks.pass(59s);
  step = looks.fail("/proc/stat: permission denied");
  EXPECT_EQ(step.look_again_at, looks.steady + 1s);
  looks.pass(1s);
  step = looks.fail("/proc/stat: permission denied");
  EXPECT_THAT(step.changes, ElementsAre(Change::fired));
  EXPECT_EQ(step.next.severity, Severity::unknown);
  EXPECT_EQ(step.next.why, "no measurement for 1m: /proc/stat: permission denied");
  looks.pass(10s);
  EXPECT_EQ(looks.look(0.1).next.phase, AlertPhase::recovering);
  looks.pass(1min);
  EXPECT_THAT(looks.look(0.1).changes, ElementsAre(Change::recovered));
}

TEST(AlertMachine, ErrorsNeitherClearNorCountAsOk) {
  Looks looks{cpu, rules("iowait_ratio > 40%")};
  looks.look(0.5);
  looks.pass(10s);
  looks.look(0.1);
  looks.pass(50s);
  EXPECT_THAT(looks.fail("no").changes, IsEmpty());
  EXPECT_EQ(looks.alert.phase, AlertPhase::recovering);
  looks.pass(10s);
  EXPECT_THAT(looks.look(0.1).changes, IsEmpty()) << "the recovery hold began anew";
  looks.pass(1min);
  EXPECT_THAT(looks.look(0.1).changes, ElementsAre(Change::recovered));
}

TEST(AlertMachine, LastingErrorsWhileFiring) {
  struct Case {
    double fired_at;
    Severity then;
    std::vector<Change> changes;
  };
  for (const auto& [value, severity, changes] : std::initializer_list<Case>{
           {0.7, Severity::critical, {}}, {0.5, Severity::unknown, {Change::severity_changed}}}) {
    Looks looks{cpu, rules("iowait_ratio > 60%", "iowait_ratio > 40%")};
    looks.look(value);
    looks.fail("no");
    looks.pass(1min);
    EXPECT_EQ(looks.fail("no").changes, changes);
    EXPECT_EQ(looks.alert.severity, severity);
    EXPECT_EQ(looks.alert.phase, AlertPhase::firing);
  }
}

TEST(AlertMachine, ErrorsThatLastWhileRecoveringAreNoRecovery) {
  Looks looks{cpu, rules("iowait_ratio > 40%")};
  looks.look(0.5);
  looks.look(0.1);
  looks.fail("no");
  looks.pass(1min);
  EXPECT_THAT(looks.fail("no").changes, ElementsAre(Change::refired));
  EXPECT_EQ(looks.alert.severity, Severity::critical);
}

TEST(AlertMachine, BreachesAndErrorsByTurnsStillFire) {
  Looks looks{cpu, rules("iowait_ratio > 40% for 20s")};
  bool fired = false;
  for (int i = 0; i < 6; ++i) {
    const auto step = i % 2 == 0 ? looks.look(0.5) : looks.fail("timed out");
    fired = fired || !step.changes.empty();
    looks.pass(10s);
  }
  EXPECT_TRUE(fired);
}

TEST(AlertMachine, UnknownPolicyHoldKeepsTheState) {
  auto policy = rules("iowait_ratio > 40%");
  policy.unknown = UnknownPolicy::hold;
  Looks looks{cpu, policy};
  for (int i = 0; i < 5; ++i) {
    EXPECT_THAT(looks.fail("no").changes, IsEmpty());
    looks.pass(1min);
  }
  EXPECT_EQ(looks.alert.phase, AlertPhase::inactive);
  looks.look(0.5);
  looks.pass(1h);
  EXPECT_THAT(looks.fail("no").changes, IsEmpty());
  EXPECT_EQ(looks.alert.phase, AlertPhase::firing);
}

TEST(AlertMachine, UnknownPolicyOkIsNotABreachButTheVerdictTellsTheTruth) {
  auto policy = rules("iowait_ratio > 40%");
  policy.unknown = UnknownPolicy::ok;
  Looks looks{cpu, policy};
  looks.look(0.5);
  EXPECT_EQ(looks.fail("no").verdict.severity, Severity::unknown);
  EXPECT_EQ(looks.alert.phase, AlertPhase::recovering);
  looks.pass(1min);
  EXPECT_THAT(looks.fail("no").changes, ElementsAre(Change::recovered));
}

TEST(AlertMachine, AGapRestartsHolds) {
  Looks looks{cpu, rules("iowait_ratio > 40% for 5s")};
  looks.look(0.5);
  looks.pass(5s);
  EXPECT_THAT(looks.look({{0, 0.5, ""}}, true).changes, IsEmpty());
  looks.pass(5s);
  EXPECT_THAT(looks.look(0.5).changes, ElementsAre(Change::fired));
  looks.look(0.1);
  looks.pass(1min);
  EXPECT_THAT(looks.look({{0, 0.1, ""}}, true).changes, IsEmpty());
  looks.pass(1min);
  EXPECT_THAT(looks.look(0.1).changes, ElementsAre(Change::recovered));
}

TEST(AlertMachine, WallClockJumpsNeitherRaiseNorClear) {
  Looks looks{cpu, rules("iowait_ratio > 40% for 5s")};
  looks.look(0.5);
  looks.wall += 24h;
  EXPECT_THAT(looks.look(0.5).changes, IsEmpty());
  looks.pass(5s);
  looks.wall -= 48h;
  EXPECT_THAT(looks.look(0.5).changes, ElementsAre(Change::fired));
  looks.look(0.1);
  looks.wall += 24h;
  EXPECT_THAT(looks.look(0.1).changes, IsEmpty());
  looks.pass(1min);
  looks.wall -= 96h;
  EXPECT_THAT(looks.look(0.1).changes, ElementsAre(Change::recovered));
}

TEST(AlertMachine, RulesThatChangedBeginAnew) {
  Looks looks{cpu, rules("iowait_ratio > 40% for 5s")};
  looks.look(0.5);
  looks.pass(5s);
  looks.policy.critical.push_back(Looks::rule("iowait_ratio > 90%", cpu));
  EXPECT_THAT(looks.look(0.5).changes, IsEmpty());
}

TEST(AlertMachine, FlappingIsNoticedAndItsEndToo) {
  Looks looks{cpu, rules("iowait_ratio > 40% for 1h")};
  int started = 0, stopped = 0, looks_taken = 0;
  for (int i = 0; i < 10; ++i, ++looks_taken) {
    for (const auto change : looks.look(i % 2 == 0 ? 0.5 : 0.1).changes) {
      started += change == Change::flapping_started;
    }
    looks.pass(10s);
  }
  EXPECT_EQ(started, 1);
  EXPECT_TRUE(looks.alert.flapping);
  for (int i = 0; i < 20; ++i) {
    for (const auto change : looks.look(0.1).changes) stopped += change == Change::flapping_stopped;
    looks.pass(10s);
  }
  EXPECT_EQ(stopped, 1);
  EXPECT_FALSE(looks.alert.flapping);
}

TEST(Flap, IsIcingasWeightedRing) {
  EXPECT_DOUBLE_EQ(flap_percent(0), 0);
  EXPECT_NEAR(flap_percent(0xFFFFF), 99.0, 1e-9);
  EXPECT_NEAR(flap_percent(1), 5 * 1.18, 1e-9);         // the newest look
  EXPECT_NEAR(flap_percent(1u << 19), 5 * 0.80, 1e-9);  // the oldest
  EXPECT_DOUBLE_EQ(flap_percent(1u << 20), 0) << "looks beyond the twentieth are forgotten";
}

TEST(Judge, NeedsNoMemory) {
  const auto policy = rules("iowait_ratio > 60% for 2m", "iowait_ratio > 40% for 2m");
  Observation observation;
  const auto severity = [&](double value) {
    observation.outcome = Samples{{0, value, ""}};
    return judge(policy, cpu, observation).severity;
  };
  EXPECT_EQ(severity(0.7), Severity::critical);
  EXPECT_EQ(severity(0.5), Severity::warning);
  EXPECT_EQ(severity(0.1), Severity::ok);
  observation.outcome = Error{Errc::timed_out, "took too long"};
  EXPECT_EQ(judge(policy, cpu, observation), (Verdict{Severity::unknown, "took too long"}));
}

}  // namespace
}  // namespace tocsin::policy
