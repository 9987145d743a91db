#include "checks/heartbeat.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/checks/made_check.hpp"
#include "tocsin/base/limits.hpp"

namespace tocsin {
namespace {

using namespace std::chrono_literals;
using checks_test::complaints_of;
using checks_test::made;
using checks_test::map_of;
using checks_test::word;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

using Keys = std::vector<std::pair<std::string, std::string>>;

Node keys(const Keys& all) {
  std::vector<std::pair<std::string, Node>> entries;
  for (const auto& [key, value] : all) entries.emplace_back(key, word(value));
  return map_of(std::move(entries));
}

/// A job and the check that waits for it.
struct Job {
  explicit Job(Keys all) : configured{std::move(all)} {
    check = made(heartbeat_check(), keys(configured));
    look();
  }

  fakes::FakeHost host{};
  Keys configured;
  std::unique_ptr<Check> check;
  Samples last{};

  void look() {
    auto samples = host.run(*check);
    ASSERT_TRUE(samples);
    last = *std::move(samples);
  }
  double value(std::string_view name) const {
    return fakes::value_of(*check, last, name).value_or(-1);
  }
  /// Lets time pass with a look every ten seconds.
  void pass(Duration time) {
    for (Duration gone{0}; gone < time; gone += 10s) {
      host.clock.advance(std::min<Duration>(10s, time - gone));
      look();
    }
  }
  void beat(Beat::Kind kind, std::string run = "", int exit_code = 0, std::string note = "") {
    EXPECT_TRUE(check->receive({.kind = kind,
                                .exit_code = exit_code,
                                .run = std::move(run),
                                .at = host.clock.now(),
                                .note = std::move(note)},
                               host.memory, host.clock.now()));
    look();
  }
  /// The agent ends and begins again after a while.
  void restart(Duration away = 1s) {
    host.clock.advance(away);
    check = made(heartbeat_check(), keys(configured));
    look();
  }
  /// Puts the clock to this time of 2026, without time passing; then one look.
  void set_clock(const std::string& utc) {
    const auto wanted = parse_rfc3339("2026-" + utc + "Z");
    ASSERT_TRUE(wanted);
    host.clock.jump_wall(*wanted - host.clock.wall());
    look();
  }
  Evidence evidence() { return host.evidence(*check); }
};

TEST(Heartbeat, IsMissedAfterItsPeriodAndGrace) {
  Job job{{{"period", "1h"}, {"grace", "5m"}}};
  EXPECT_EQ(job.value("up"), 1);
  job.pass(10min);
  job.beat(Beat::Kind::ok);
  EXPECT_EQ(job.value("age_seconds"), 0);
  EXPECT_EQ(job.value("exit_code"), 0);
  job.pass(65min - 10s);
  EXPECT_EQ(job.value("missed"), 0);
  EXPECT_EQ(job.value("age_seconds"), 65 * 60 - 10);
  job.pass(10s);
  EXPECT_EQ(job.value("missed"), 1);
  EXPECT_EQ(job.value("up"), 0);
  job.pass(1h);
  EXPECT_EQ(job.value("missed"), 2);
  EXPECT_THAT(
      job.evidence().probable_cause,
      AllOf(StartsWith("it was due "), HasSubstr("and did not report; it last ended well")));
  job.beat(Beat::Kind::ok);
  EXPECT_EQ(job.value("missed"), 0);
  EXPECT_EQ(job.value("up"), 1);
  EXPECT_THAT(job.evidence().probable_cause, IsEmpty());
}

TEST(Heartbeat, ThatNeverCameIsMissedFromWhenItWasFirstWatched) {
  Job job{{{"period", "1h"}}};
  job.pass(40min);
  job.restart();
  job.pass(20min);
  EXPECT_EQ(job.value("missed"), 0);
  job.pass(6min);
  EXPECT_EQ(job.value("missed"), 1);
  EXPECT_GE(job.value("age_seconds"), 66 * 60);
  const auto evidence = job.evidence();
  EXPECT_THAT(evidence.probable_cause, HasSubstr("it has never ended well since it is watched"));
  EXPECT_THAT(evidence.lines, Contains(StartsWith("no beat has ever come since ")));
}

TEST(Heartbeat, CountsTheDueTimesOfACron) {
  Job job{{{"cron", "0 3 * * *"}, {"grace", "10m"}}};
  job.set_clock("11-23T02:59:00");
  job.pass(1min);
  job.beat(Beat::Kind::start, "a");
  EXPECT_EQ(job.value("running"), 1);
  job.pass(40min);
  EXPECT_EQ(job.value("missed"), 0) << "it has started on time";
  EXPECT_EQ(job.value("run_seconds"), 2400);
  job.beat(Beat::Kind::ok, "a");
  EXPECT_EQ(job.value("running"), 0);
  EXPECT_EQ(job.value("run_seconds"), 2400) << "how long it took";
  job.pass(23h + 20min + 9min);
  EXPECT_EQ(job.value("missed"), 0);
  job.pass(2min);
  EXPECT_EQ(job.value("missed"), 1);
  EXPECT_THAT(job.evidence().probable_cause, HasSubstr("it was due 24 Nov 03:00:00 UTC"));
}

TEST(Heartbeat, ThatComesABitEarlyMeansThatTime) {
  Job job{{{"cron", "0 3 * * *"}}};
  job.set_clock("11-23T02:50:00");
  job.pass(590s);
  job.beat(Beat::Kind::ok);
  job.pass(1h);
  EXPECT_EQ(job.value("missed"), 0);
}

TEST(Heartbeat, KeepsNoSecretOfWhatAJobSays) {
  Job job{{{"on_calendar", "daily"}}};
  job.beat(Beat::Kind::exit, "r1", 3, "login with password=hunter2 refused\n");
  EXPECT_EQ(job.host.memory.text.find("hunter2"), std::string::npos);
  EXPECT_THAT(job.evidence().lines, Contains(HasSubstr("password=<redacted> refused")));
}

TEST(Heartbeat, ThatFailsIsDownUntilItEndsWell) {
  Job job{{{"on_calendar", "daily"}}};
  job.beat(Beat::Kind::start, "r1");
  job.pass(20s);
  job.beat(Beat::Kind::exit, "r1", 3, "connecting\nERROR 1045: access denied\n");
  EXPECT_EQ(job.value("up"), 0);
  EXPECT_EQ(job.value("exit_code"), 3);
  EXPECT_EQ(job.value("missed"), 0);
  const auto evidence = job.evidence();
  EXPECT_THAT(evidence.probable_cause,
              AllOf(StartsWith("its last run failed "), HasSubstr("with exit code 3 after 20s")));
  EXPECT_THAT(evidence.lines, Contains("said: ERROR 1045: access denied"));
  EXPECT_THAT(evidence.lines,
              Contains(AllOf(StartsWith("beat: "), HasSubstr("exit code 3 after 20s"),
                             HasSubstr("(run r1)"))));
  job.restart();
  EXPECT_EQ(job.value("exit_code"), 3) << "it still has failed";
  job.beat(Beat::Kind::start, "r2");
  EXPECT_EQ(job.value("up"), 0) << "it has only begun again";
  job.beat(Beat::Kind::exit, "r2", 0);
  EXPECT_EQ(job.value("up"), 1);
  EXPECT_EQ(job.value("exit_code"), 0);
  job.beat(Beat::Kind::fail);
  EXPECT_EQ(job.value("up"), 0);
  EXPECT_EQ(job.value("exit_code"), -1) << "nobody said which";
}

TEST(Heartbeat, ThatStartsAndDoesNotFinishIsToldAfterItsTime) {
  Job job{{{"period", "1d"}, {"max_run", "1h"}}};
  job.beat(Beat::Kind::start, "r1");
  job.pass(1h);
  EXPECT_EQ(job.value("unfinished"), 0);
  job.restart(10s);
  EXPECT_EQ(job.value("unfinished"), 1);
  EXPECT_EQ(job.value("up"), 0);
  EXPECT_THAT(job.evidence().probable_cause,
              AllOf(StartsWith("the run that started "),
                    HasSubstr("has not finished: it has run for 1h and may take 1h")));
  job.beat(Beat::Kind::log, "r1", 0, "still copying");
  EXPECT_EQ(job.value("unfinished"), 1);
  EXPECT_THAT(job.evidence().lines, Contains("said: still copying"));
  job.beat(Beat::Kind::start, "r2");
  job.pass(1min);
  job.beat(Beat::Kind::ok, "r2");
  EXPECT_EQ(job.value("up"), 1) << "a later run has done its work";
  EXPECT_EQ(job.value("running"), 0);
}

TEST(Heartbeat, HasUntilItIsDueAgainToFinishUnlessToldOtherwise) {
  Job job{{{"cron", "0 * * * *"}, {"grace", "10m"}}};
  job.set_clock("11-23T02:59:00");
  job.pass(1min);
  job.beat(Beat::Kind::start);
  job.pass(70min);
  EXPECT_EQ(job.value("unfinished"), 0);
  job.pass(10s);
  EXPECT_EQ(job.value("unfinished"), 1);
}

TEST(Heartbeat, TellsOverlappingRunsApart) {
  Job job{{{"period", "1h"}}};
  job.beat(Beat::Kind::start, "a");
  job.pass(1min);
  job.beat(Beat::Kind::start, "b");
  EXPECT_EQ(job.value("running"), 2);
  job.pass(1min);
  job.beat(Beat::Kind::ok, "b");
  EXPECT_EQ(job.value("running"), 1);
  EXPECT_EQ(job.value("run_seconds"), 120) << "the one that still runs";
  job.beat(Beat::Kind::ok, "nobody");
  EXPECT_EQ(job.value("running"), 1);
  job.beat(Beat::Kind::start, "a");
  EXPECT_EQ(job.value("running"), 1) << "it began anew";
  EXPECT_EQ(job.value("run_seconds"), 0);
}

TEST(Heartbeat, KeepsNoMoreThanItsBounds) {
  Job job{{{"period", "1h"}}};
  for (int i = 0; i < 500; ++i)
    job.beat(Beat::Kind::start, std::string(500, 'r') + std::to_string(i), 0,
             std::string(100'000, 'n'));
  EXPECT_LE(job.value("running"), 32);
  EXPECT_LT(job.host.memory.text.size(), limits::check_memory_bytes);
  EXPECT_LE(job.evidence().lines.size(), limits::evidence_lines);
  for (const auto& line : job.evidence().lines)
    EXPECT_LE(line.size(), limits::evidence_line_characters + 3);
}

TEST(Heartbeat, SaysNoPasswordThatAJobPrinted) {
  Job job{{{"period", "1h"}}};
  job.beat(Beat::Kind::fail, "", 0, "cannot open postgres://app:hunter2@db/shop");
  for (const auto& line : job.evidence().lines) EXPECT_THAT(line, Not(HasSubstr("hunter2")));
  EXPECT_THAT(job.host.memory.text, Not(HasSubstr("hunter2")));
}

TEST(Heartbeat, IsNotRaisedOrClearedByAJumpOfTheClock) {
  for (const auto& schedule : {Keys{{"period", "1h"}}, Keys{{"cron", "0 * * * *"}}}) {
    Job job{schedule};
    job.set_clock("11-23T10:58:00");
    job.pass(2min);
    job.beat(Beat::Kind::ok);
    job.pass(30min);
    job.set_clock("11-24T18:30:00");
    job.pass(5min);
    EXPECT_EQ(job.value("missed"), 0) << "forward";
    EXPECT_NEAR(job.value("age_seconds"), 35 * 60, 1);
    job.set_clock("11-24T17:30:00");
    job.pass(10min);
    EXPECT_EQ(job.value("missed"), 0) << "back";
    job.pass(3h);
    EXPECT_GE(job.value("missed"), 1) << "and then it is late all the same";
    const auto missed = job.value("missed");
    job.set_clock("11-23T01:00:00");
    EXPECT_EQ(job.value("missed"), missed);
    job.set_clock("11-25T01:00:00");
    EXPECT_EQ(job.value("missed"), missed);
    job.beat(Beat::Kind::ok);
    EXPECT_EQ(job.value("missed"), 0);
  }
}

TEST(Heartbeat, ThatWasDueJustBeforeAJumpKeepsItsGrace) {
  Job job{{{"cron", "0 * * * *"}}};
  job.set_clock("11-23T10:59:00");
  job.pass(2min);
  job.set_clock("11-23T15:30:00");
  EXPECT_EQ(job.value("missed"), 0);
  job.pass(5min);
  EXPECT_EQ(job.value("missed"), 1) << "that of 11:00";
}

TEST(Heartbeat, GivesWhatWasDueDuringARestartItsGrace) {
  for (const auto& schedule : {Keys{{"period", "1h"}}, Keys{{"cron", "0 * * * *"}}}) {
    Job job{schedule};
    job.set_clock("11-23T10:59:50");
    job.pass(10s);
    job.beat(Beat::Kind::ok);
    job.restart(3h + 30min);
    job.pass(4min);
    EXPECT_EQ(job.value("missed"), 0);
    job.pass(1min);
    EXPECT_EQ(job.value("missed"), 3);
    job.restart(1s);
    EXPECT_EQ(job.value("missed"), 3) << "what was known stays known";
    job.beat(Beat::Kind::ok);
    EXPECT_EQ(job.value("missed"), 0);
  }
}

TEST(Heartbeat, LearnsAfterARestartWhatItWasNotThereFor) {
  for (const auto& schedule : {Keys{{"period", "1h"}}, Keys{{"cron", "0 * * * *"}}}) {
    Job job{schedule};
    job.set_clock("11-23T10:59:50");
    job.pass(10s);
    job.beat(Beat::Kind::ok);
    job.host.clock.advance(3h + 30min);
    job.check = made(heartbeat_check(), keys(schedule));
    // It was there at 13:00, and nobody to tell.
    const auto then = Now{job.host.clock.steady() - 90min, job.host.clock.wall() - 90min};
    EXPECT_TRUE(job.check->receive({.kind = Beat::Kind::ok, .at = then}, job.host.memory,
                                   job.host.clock.now()));
    job.look();
    EXPECT_EQ(job.value("age_seconds"), 90 * 60);
    job.pass(4min);
    EXPECT_EQ(job.value("missed"), 0);
    job.pass(1min);
    EXPECT_EQ(job.value("missed"), 1) << "that of 14:00";
    job.beat(Beat::Kind::ok);
    // One that is older than what is known is history.
    EXPECT_TRUE(job.check->receive({.kind = Beat::Kind::fail, .at = then}, job.host.memory,
                                   job.host.clock.now()));
    job.look();
    EXPECT_EQ(job.value("up"), 1);
  }
}

TEST(Heartbeat, BeginsAnewWithAnotherTimetableOrAForeignMemory) {
  Job job{{{"cron", "0 3 * * *"}}};
  job.set_clock("11-23T01:00:00");
  job.pass(3h);
  EXPECT_EQ(job.value("missed"), 1);
  job.configured = {{"cron", "*/5 * * * *"}};
  job.restart();
  EXPECT_EQ(job.value("missed"), 0);
  for (const auto* text :
       {"[]", "{", "{\"timetable\":\"cron */5 * * * * in UTC\"}", "null",
        R"({"timetable":"cron */5 * * * * in UTC","watched_since":-5,"counted":1e300})",
        R"({"timetable":"cron */5 * * * * in UTC","watched_since":5,"counted":5,)"
        R"("missed":"x","end":[],"runs":[{},7],"beats":[{"kind":99,"at":1},null]})"}) {
    job.host.memory.text = text;
    job.restart();
    EXPECT_EQ(job.value("missed"), 0) << text;
  }
}

TEST(Heartbeat, WritesOnlyWhatChanged) {
  Job job{{{"period", "1h"}}};
  const auto before = job.host.memory.writes;
  job.pass(30min);
  EXPECT_EQ(job.host.memory.writes, before);
  job.beat(Beat::Kind::ok);
  EXPECT_EQ(job.host.memory.writes, before + 1);
}

TEST(Heartbeat, TakesABeatBeforeItsFirstRun) {
  fakes::FakeHost host;
  const auto check = made(heartbeat_check(), keys({{"period", "1h"}}));
  EXPECT_TRUE(check->receive({.kind = Beat::Kind::fail, .at = host.clock.now()}, host.memory,
                             host.clock.now()));
  EXPECT_THAT(host.memory.text, HasSubstr("\"well\":false"));
  const auto samples = host.run(*check);
  ASSERT_TRUE(samples);
  EXPECT_EQ(fakes::value_of(*check, *samples, "up"), 0);
}

TEST(Heartbeat, SaysWhatIsWrongWithItsKeys) {
  const std::pair<Keys, std::string> table[] = {
      {{}, ": when is it due? Give one of period"},
      {{{"period", "1h"}, {"cron", "@daily"}}, ": give one of period, cron and on_calendar"},
      {{{"period", "10ms"}}, "period: must be at least 1s"},
      {{{"cron", "61 * * * *"}}, "cron: the minute \"61\""},
      {{{"cron", "0 0 31 2 *"}}, "cron: names a time that never comes"},
      {{{"on_calendar", "someday"}}, "on_calendar: \"someday\" is not a calendar expression"},
      {{{"cron", "@daily"}, {"timezone", "Atlantis"}}, "timezone: this host knows no time zone"},
      {{{"period", "1h"}, {"timezone", "UTC"}}, "timezone: a period has no time zone"},
      {{{"period", "1h"}, {"max_run", "0s"}}, "max_run: must be more than 0s"},
  };
  for (const auto& [given, complaint] : table)
    EXPECT_THAT(complaints_of(heartbeat_check(), keys(given)), ElementsAre(HasSubstr(complaint)));
}

}  // namespace
}  // namespace tocsin
