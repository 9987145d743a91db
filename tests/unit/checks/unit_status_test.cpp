#include "checks/unit_status.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

#include "checks/systemd_evidence.hpp"

namespace tocsin::checks {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

constexpr SteadyTime now{10h};

UnitStatus unit_in(std::string active, std::string sub) {
  UnitStatus unit;
  unit.name = "web.service";
  unit.active = std::move(active);
  unit.sub = std::move(sub);
  unit.type = "simple";
  unit.result = "success";
  unit.changed_at = now - 2min;
  unit.active_since = now - 2min;
  return unit;
}

std::string words_of(const std::function<void(UnitStatus&)>& change, std::string active = "failed",
                     std::string sub = "failed") {
  auto unit = unit_in(std::move(active), std::move(sub));
  change(unit);
  return describe_unit(unit, now);
}

TEST(UnitWords, SayHowTheMainProcessEnded) {
  const auto ended = [](std::int64_t code, std::int64_t status, std::string result) {
    return [=](UnitStatus& unit) {
      unit.main_pid = 812;
      unit.exit_code = code;
      unit.exit_status = status;
      unit.result = result;
    };
  };
  EXPECT_EQ(words_of(ended(CLD_EXITED, 1, "exit-code")),
            "web.service failed 2m ago: its main process (pid 812) exited with status 1");
  EXPECT_EQ(words_of(ended(CLD_EXITED, 203, "exit-code")),
            "web.service failed 2m ago: its main process (pid 812) exited with status 203: its "
            "program could not be executed");
  EXPECT_EQ(words_of(ended(CLD_KILLED, SIGKILL, "signal")),
            "web.service failed 2m ago: its main process (pid 812) was killed by signal 9 (KILL)");
  EXPECT_EQ(words_of(ended(CLD_KILLED, 40, "signal")),
            "web.service failed 2m ago: its main process (pid 812) was killed by signal 40");
  EXPECT_EQ(words_of(ended(CLD_DUMPED, SIGSEGV, "core-dump")),
            "web.service failed 2m ago: its main process (pid 812) was killed by signal 11 (SEGV) "
            "and dumped core");
  EXPECT_EQ(words_of(ended(CLD_KILLED, SIGKILL, "oom-kill")),
            "web.service failed 2m ago: the kernel killed a process of it for want of memory; its "
            "main process (pid 812) was killed by signal 9 (KILL)");
  EXPECT_THAT(words_of(ended(CLD_KILLED, SIGABRT, "watchdog")), HasSubstr("systemd's watchdog"));
  EXPECT_THAT(words_of(ended(0, 0, "timeout")), HasSubstr(": it took longer to start or to stop"));
  EXPECT_THAT(words_of(ended(0, 0, "resources")), HasSubstr("could not set up"));
  EXPECT_EQ(words_of(ended(0, 0, "brand-new")),
            "web.service failed 2m ago: its result is \"brand-new\"");
}

TEST(UnitWords, SayWhetherItIsTriedAgain) {
  EXPECT_EQ(words_of([](auto& unit) { unit.result = "start-limit-hit"; }),
            "web.service failed 2m ago: it was started too often; systemd has given up starting "
            "it");
  const auto looping = [](std::uint64_t restarts, std::string restart) {
    return [=](UnitStatus& unit) {
      unit.restarts = restarts;
      unit.restart = restart;
      unit.start_limit_burst = 5;
      unit.start_limit_interval = 10s;
    };
  };
  EXPECT_THAT(words_of(looping(4, "always")),
              HasSubstr("given up starting it (5 starts in 10s are its limit)"));
  EXPECT_THAT(words_of(looping(3, "always")), ::testing::Not(HasSubstr("given up")));
  EXPECT_THAT(words_of(looping(5, "no")), ::testing::Not(HasSubstr("given up")));
  EXPECT_EQ(words_of(
                [](auto& unit) {
                  unit.exit_code = CLD_EXITED;
                  unit.exit_status = 2;
                  unit.result = "exit-code";
                },
                "activating", "auto-restart"),
            "web.service ended and waits to be started again: its main process exited with status "
            "2");
}

TEST(UnitWords, SayWhyItDoesNotRun) {
  const auto nothing = [](UnitStatus&) {};
  EXPECT_EQ(words_of(nothing, "active", "running"), "web.service is active for 2m");
  EXPECT_EQ(words_of(nothing, "activating", "start-pre"),
            "web.service is starting for 2m (start-pre) and not up yet");
  EXPECT_EQ(words_of(nothing, "deactivating", "stop-sigterm"),
            "web.service is stopping for 2m (stop-sigterm) and not gone yet");
  EXPECT_EQ(words_of(nothing, "inactive", "dead"),
            "web.service is stopped for 2m: somebody stopped it, or it had nothing more to do");
  EXPECT_EQ(words_of([](auto& unit) { unit.exit_code = CLD_EXITED; }, "inactive", "dead"),
            "web.service is stopped for 2m: somebody stopped it, or it ended by itself; its main "
            "process exited with status 0");
  EXPECT_EQ(words_of([](auto& unit) { unit.condition_met = false; }, "inactive", "dead"),
            "web.service is stopped for 2m: systemd skipped it, for a Condition…= of it does not "
            "hold");
  EXPECT_EQ(words_of(
                [](auto& unit) {
                  unit.condition_met = false;
                  unit.changed_at.reset();
                },
                "inactive", "dead"),
            "web.service is stopped: systemd skipped it, for a Condition…= of it does not hold");
  EXPECT_EQ(words_of([](auto& unit) { unit.changed_at.reset(); }, "inactive", "dead"),
            "web.service is stopped: systemd knows of no start, or has forgotten one that "
            "ended without a fault");
  EXPECT_EQ(words_of([](auto& unit) { unit.load = "masked"; }, "inactive", "dead"),
            "web.service is masked: it cannot be started before `systemctl unmask`");
  EXPECT_EQ(words_of(
                [](auto& unit) {
                  unit.load = "bad-setting";
                  unit.load_error = "Unit has a bad unit file setting.";
                },
                "inactive", "dead"),
            "web.service cannot be loaded (bad-setting): \"Unit has a bad unit file setting.\"");
  EXPECT_EQ(words_of([](auto& unit) { unit.failed_needs = {"db.service, which failed"}; },
                     "inactive", "dead"),
            "web.service is stopped for 2m: somebody stopped it, or it had nothing more to do; it "
            "needs db.service, which failed");
  EXPECT_THAT(words_of(nothing, "daydreaming", "x"), HasSubstr("does not know: \"daydreaming\""));
  EXPECT_EQ(words_of([](auto& unit) { unit.changed_at = now + 1h; }, "failed", "failed"),
            "web.service failed");
}

TEST(UnitWords, StayWithinTheBoundsOfEvidence) {
  UnitLook look;
  for (int i = 0; i < 64; ++i) {
    look.units.push_back(unit_in("failed", "failed"));
    look.units.back().status_text = "busy";
  }
  Evidence evidence;
  const UnitRestarts restarts;
  EXPECT_EQ(tell_of_units(evidence, look, restarts, now), &look.units[0]);
  EXPECT_EQ(evidence.lines.size(), 11u);
  EXPECT_EQ(evidence.lines.back(), "and 59 more");
  tell_of_journal(evidence, look.units[0], "a\nb\nc\nd\ne\nf\ng\n");
  EXPECT_EQ(evidence.lines.size(), 12u);
}

}  // namespace
}  // namespace tocsin::checks
