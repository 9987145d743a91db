#include "checks/log.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "checks/log_patterns.hpp"
#include "checks/redaction.hpp"
#include "tests/unit/checks/made_check.hpp"
#include "tocsin/base/limits.hpp"

namespace tocsin {
namespace {

using namespace std::chrono_literals;
using checks_test::complaints_of;
using checks_test::FixtureHost;
using checks_test::list_of;
using checks_test::made;
using checks_test::map_of;
using checks_test::word;
using fakes::value_of;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class LogTest : public ::testing::Test {
 protected:
  LogTest() { host.root.write("/var/log/auth.log", ""); }

  void make() {
    check = made(log_check(), map_of({{"file", word("/var/log/auth.log")},
                                      {"window", word("1m")},
                                      {"patterns", map_of({{"panics", word("panic: ")}})},
                                      {"sets", list_of({"failed_logins"})}}));
    value("panics_matches");
  }
  void log(const std::string& text) {
    std::ofstream{host.root.folder() + "/var/log/auth.log", std::ios::app} << text;
  }
  std::optional<double> value(std::string_view name) {
    const auto samples = host.run(*check);
    EXPECT_TRUE(samples) << samples.error().detail;
    return value_of(*check, samples.value_or({}), name);
  }

  FixtureHost host{""};
  std::unique_ptr<Check> check;
};

constexpr auto refused =
    "Nov 23 02:00:01 web-1 sshd[77]: Failed password for root from 203.0.113.9 port 4242 ssh2\n";

TEST_F(LogTest, CountsWhatMatchesWithinTheWindow) {
  make();
  log(std::string{refused} + "Nov 23 02:00:02 web-1 cron[1]: fine\npanic: out of luck\n");
  host.clock.advance(30s);
  const auto samples = host.run(*check);
  ASSERT_TRUE(samples);
  EXPECT_EQ(value_of(*check, *samples, "panics_matches"), 1);
  EXPECT_EQ(value_of(*check, *samples, "failed_logins_matches"), 1);
  EXPECT_EQ(value_of(*check, *samples, "locked_accounts_matches"), 0);
  EXPECT_DOUBLE_EQ(*value_of(*check, *samples, "failed_logins_per_second"), 1.0 / 30);
  EXPECT_DOUBLE_EQ(*value_of(*check, *samples, "lines_per_second"), 3.0 / 30);
  host.clock.advance(59s);
  EXPECT_EQ(value("panics_matches"), 1);
  host.clock.advance(3s);
  EXPECT_EQ(value("panics_matches"), 0) << "the window has passed";
}

TEST_F(LogTest, TellsTheLastLinesWithoutTheirSecrets) {
  make();
  for (int i = 0; i < 20; ++i) log("panic: attempt " + std::to_string(i) + " password=hunter2\n");
  value("panics_matches");
  const auto evidence = host.evidence(*check);
  ASSERT_THAT(evidence.lines, Not(IsEmpty()));
  EXPECT_EQ(evidence.lines.front(), "panics: 20 lines in the last 1m");
  EXPECT_EQ(evidence.lines.back(), "panics: panic: attempt 19 password=<redacted>");
  EXPECT_LE(evidence.lines.size(), limits::evidence_lines);
}

TEST_F(LogTest, TellsTheRareLinesBesideTheManyAndNoneFromBeforeTheWindow) {
  make();
  log("panic: long ago\n");
  value("panics_matches");
  host.clock.advance(2min);
  log("panic: the one that matters\n");
  for (int i = 0; i < 200; ++i) log(refused);
  value("panics_matches");
  const auto evidence = host.evidence(*check);
  EXPECT_THAT(evidence.lines, Contains("panics: panic: the one that matters"));
  EXPECT_THAT(evidence.lines, Not(Contains(HasSubstr("long ago"))));
  EXPECT_THAT(evidence.lines.back(), HasSubstr("failed_logins: Nov 23"));
}

TEST_F(LogTest, RatesAreOfTheTimeThatTheLinesCameIn) {
  make();
  for (int i = 0; i < 120; ++i) log(refused);
  host.clock.advance(20min);
  make();
  // As many as came, over all the time that they came in: no flood.
  const auto rate = value("failed_logins_per_second");
  ASSERT_TRUE(rate);
  EXPECT_NEAR(*rate, 120 / 1200.0, 0.001);
  EXPECT_EQ(value("failed_logins_matches"), 120) << "none is missed";
  EXPECT_EQ(host.evidence(*check).lines.front(),
            "what came while nobody was reading is counted too: the last 20m before the agent's "
            "start");
  host.clock.advance(61s);
  EXPECT_EQ(value("failed_logins_per_second"), 0);
}

TEST_F(LogTest, ARotationThatLostLinesIsToldForAWhile) {
  make();
  log("fine\n");
  host.clock.advance(31s);
  value("panics_matches");
  host.root.remove("/var/log/auth.log");
  host.root.write("/var/log/other", "");  // So that the file's number is not given again.
  host.root.write("/var/log/auth.log", "panic: in the new file\n");
  make();
  EXPECT_THAT(host.evidence(*check).lines, Contains(HasSubstr("was rotated while nobody")));
  host.clock.advance(2min);
  EXPECT_EQ(value("panics_matches"), 0);
  EXPECT_THAT(host.evidence(*check).lines, Not(Contains(HasSubstr("was rotated while nobody"))));
}

TEST_F(LogTest, GoesOnAfterARestart) {
  make();
  log(refused);
  host.clock.advance(31s);
  value("panics_matches");
  log("panic: while nobody watched\n");
  check = made(log_check(), map_of({{"file", word("/var/log/auth.log")},
                                    {"patterns", map_of({{"panics", word("panic: ")}})}}));
  EXPECT_EQ(value("panics_matches"), 1);
}

TEST_F(LogTest, WritesItsPositionNowAndThenOnly) {
  make();
  const auto before = host.memory.writes;
  for (int i = 0; i < 60; ++i) {
    log("fine\n");
    host.clock.advance(1s);
    value("panics_matches");
  }
  EXPECT_LE(host.memory.writes - before, 2);
}

TEST_F(LogTest, AMemoryThatMakesNoSenseIsPassedOver) {
  for (const auto* text :
       {"nonsense", "[]", "{\"file\": 7}", "{\"inode\": -1}",
        R"({"file":"/var/log/auth.log","device":1,"inode":"x","offset":1e99})"}) {
    host.memory.text = text;
    make();
  }
}

TEST_F(LogTest, AFileThatIsNotThereCannotBeMeasured) {
  make();
  check = made(log_check(),
               map_of({{"file", word("/var/log/no.log")}, {"sets", list_of({"sudo_abuse"})}}));
  const auto samples = host.run(*check);
  ASSERT_FALSE(samples);
  EXPECT_THAT(samples.error().detail, HasSubstr("/var/log/no.log"));
}

TEST_F(LogTest, AFileThatIsGoneForGoodIsSeenToBe) {
  make();
  EXPECT_EQ(value("file_missing_seconds"), 0);
  log("panic: the last\n");
  host.root.remove("/var/log/auth.log");
  EXPECT_EQ(value("file_missing_seconds"), 0) << "as it is in the moment of its rotation";
  host.clock.advance(20s);
  EXPECT_EQ(value("panics_matches"), 1);
  EXPECT_EQ(value("file_missing_seconds"), 20);
  EXPECT_THAT(host.evidence(*check).lines,
              Contains(HasSubstr("there has been no /var/log/auth.log for 20s")));
  host.clock.advance(39s);
  EXPECT_EQ(value("file_missing_seconds"), 59);
  host.clock.advance(1s);
  const auto samples = host.run(*check);
  ASSERT_FALSE(samples) << "nothing counts any more, and that is no good news";
  EXPECT_EQ(samples.error().code, Errc::missing);
  EXPECT_THAT(samples.error().detail,
              HasSubstr("there has been no /var/log/auth.log for 1m and nothing came"));
  host.clock.advance(10s);
  EXPECT_FALSE(host.run(*check)) << "still";
  log("panic: begun anew\n");
  EXPECT_EQ(value("panics_matches"), 1);
  EXPECT_EQ(value("file_missing_seconds"), 0);
}

TEST_F(LogTest, AFileThatWasRemovedAndIsStillWrittenToIsRead) {
  make();
  std::ofstream writer{host.root.folder() + "/var/log/auth.log", std::ios::app};
  host.root.remove("/var/log/auth.log");
  for (int i = 0; i < 10; ++i) {
    writer << "panic: out of sight\n" << std::flush;
    host.clock.advance(20s);
    ASSERT_TRUE(value("panics_matches")) << i;
  }
  EXPECT_EQ(value("panics_matches"), 3) << "within the window";
  EXPECT_EQ(value("file_missing_seconds"), 180) << "whoever wants to know of it may";
}

TEST_F(LogTest, ReadsTheJournalFromACursorOn) {
  check = made(log_check(), map_of({{"journal", map_of({{"unit", word("ssh.service")}})},
                                    {"sets", list_of({"failed_logins"})}}));
  host.processes.answer("journalctl", 0, std::string{refused} + "-- cursor: s=1;i=2\n");
  EXPECT_EQ(value("failed_logins_matches"), 1);
  EXPECT_THAT(host.processes.requests.back().command, Contains("--unit=ssh.service"));
  EXPECT_THAT(host.processes.requests.back().command, Contains(HasSubstr("--since=@")));
  host.processes.answer("journalctl", 0, "-- cursor: s=1;i=2\n");
  EXPECT_EQ(value("failed_logins_matches"), 1);
  EXPECT_THAT(host.processes.requests.back().command, Contains("--after-cursor=s=1;i=2"));
  EXPECT_THAT(host.memory.text, HasSubstr("s=1;i=2"));
  CommandOutcome refusal;
  refusal.exit_code = 1;
  refusal.error_output = "Failed to seek to cursor: Invalid argument\n";
  host.processes.answer("journalctl", refusal);
  auto refusedly = host.run(*check);
  ASSERT_FALSE(refusedly);
  EXPECT_EQ(refusedly.error().detail,
            "journalctl failed: \"Failed to seek to cursor: Invalid argument\"");
  host.processes.answer("journalctl", 0, "");
  value("failed_logins_matches");
  EXPECT_THAT(host.processes.requests.back().command, Contains(HasSubstr("--since=@")))
      << "a cursor that the journal refuses is not tried for ever";
  refusal.error_output = "No journal files were opened due to insufficient permissions.\n";
  host.processes.answer("journalctl", refusal);
  refusedly = host.run(*check);
  ASSERT_FALSE(refusedly);
  EXPECT_THAT(refusedly.error().detail, HasSubstr("the group systemd-journal"));
  host.processes.answer("journalctl", 2, "");
  refusedly = host.run(*check);
  ASSERT_FALSE(refusedly);
  EXPECT_EQ(refusedly.error().detail, "journalctl failed: exit code 2") << "it said nothing";
}

TEST_F(LogTest, AJournalWithoutAnEntryIsQuietAndNotBroken) {
  check = made(log_check(), map_of({{"journal", map_of({{"unit", word("ssh.service")}})},
                                    {"sets", list_of({"failed_logins"})}}));
  // As journalctl 252 ends when it was asked for a cursor and has no entry to show.
  host.processes.answer("journalctl", 1, "");
  const auto none = host.run(*check);
  ASSERT_FALSE(none);
  EXPECT_THAT(none.error().detail, HasSubstr("no journal is kept on this host"));
  host.root.make_folder("/run/log/journal");
  EXPECT_EQ(value("failed_logins_matches"), 0);
  const auto first = host.processes.requests.back().command;
  host.clock.advance(30s);
  EXPECT_EQ(value("failed_logins_matches"), 0);
  EXPECT_EQ(host.processes.requests.back().command, first) << "since the first look, still";
  check = made(log_check(), map_of({{"journal", map_of({{"unit", word("ssh.service")}})},
                                    {"sets", list_of({"failed_logins"})}}));
  host.clock.advance(5s);
  EXPECT_EQ(value("failed_logins_matches"), 0);
  const auto since = std::chrono::floor<std::chrono::seconds>(host.clock.wall() - 5s);
  EXPECT_THAT(host.processes.requests.back().command,
              Contains("--since=@" + std::to_string(since.time_since_epoch().count())))
      << "a restart loses nothing of what came meanwhile";
  host.processes.answer("journalctl", 0, std::string{refused} + "-- cursor: s=1;i=2\n");
  EXPECT_EQ(value("failed_logins_matches"), 1);
}

TEST(LogKeys, AreJudged) {
  const auto say = [](std::vector<std::pair<std::string, Node>> keys) {
    return complaints_of(log_check(), map_of(std::move(keys)));
  };
  EXPECT_THAT(say({{"sets", list_of({"failed_logins"})}}),
              ElementsAre(HasSubstr("either file or journal")));
  EXPECT_THAT(say({{"file", word("/l")}}), ElementsAre(HasSubstr("nothing is looked for")));
  EXPECT_THAT(say({{"file", word("l")}, {"sets", list_of({"sudo_abuse"})}}),
              ElementsAre(HasSubstr("absolute path")));
  EXPECT_THAT(say({{"file", word("/l")}, {"sets", list_of({"failed_login", "sudo_abuse"})}}),
              ElementsAre(HasSubstr("did you mean \"failed_logins\"")));
  EXPECT_THAT(say({{"file", word("/l")}, {"patterns", map_of({{"No Good", word("x")}})}}),
              ElementsAre(HasSubstr("lower-case letters")));
  EXPECT_THAT(say({{"file", word("/l")}, {"patterns", map_of({{"x", word("x")}})}}), IsEmpty());
}

/// Whether any pattern of the set matches.
bool hits(std::string_view set, const std::string& line) {
  fakes::FakeHost host;
  host.root.write("/l", "");
  const auto check =
      made(log_check(), map_of({{"file", word("/l")}, {"sets", list_of({std::string{set}})}}));
  EXPECT_TRUE(host.run(*check));
  std::ofstream{host.root.folder() + "/l"} << line << "\n";
  const auto samples = host.run(*check);
  for (const auto& sample : samples.value_or({}))
    if (check->specs()[sample.spec].name.ends_with("_matches") && sample.value > 0) return true;
  return false;
}

TEST(LogSets, KnowWhatTheProgramsWrite) {
  EXPECT_TRUE(hits("failed_logins", "sshd[1]: Invalid user admin from 203.0.113.9 port 1"));
  EXPECT_TRUE(hits("failed_logins", "pam_unix(sshd:auth): authentication failure; logname= uid=0"));
  EXPECT_FALSE(hits("failed_logins", "sshd[1]: Accepted publickey for jane from 192.0.2.1"));
  EXPECT_TRUE(hits("sudo_abuse", "sudo: bob : user NOT in sudoers ; TTY=pts/0 ; COMMAND=/bin/sh"));
  EXPECT_TRUE(hits("sudo_abuse", "sudo: bob : 3 incorrect password attempts ; TTY=pts/0"));
  EXPECT_FALSE(hits("sudo_abuse", "sudo: jane : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/ls"));
  EXPECT_TRUE(
      hits("mail_bounces",
           "postfix/smtp[1]: A1: to=<a@example.com>, relay=none, dsn=5.1.1, status=bounced"));
  EXPECT_FALSE(
      hits("mail_bounces", "postfix/smtp[1]: A1: to=<a@example.com>, dsn=2.0.0, status=sent"));
  EXPECT_TRUE(
      hits("spam_complaints",
           "said: 554 5.7.1 Service unavailable; Client host blocked using zen.spamhaus.org"));
  EXPECT_TRUE(hits("signup_failures", "ERROR signup failed: card service timed out"));
  EXPECT_TRUE(hits("signup_failures", R"(10.0.0.1 "POST /api/trial HTTP/1.1" 502 17)"));
  EXPECT_FALSE(hits("signup_failures", R"(10.0.0.1 "POST /api/trial HTTP/1.1" 201 17)"));
}

TEST(Redaction, LeavesWhoAndWhereAndTakesSecrets) {
  EXPECT_EQ(checks::redacted("Failed password for root from 203.0.113.9"),
            "Failed password for root from 203.0.113.9");
  EXPECT_EQ(checks::redacted("user=jane password=hunter2 ok"), "user=jane password=<redacted> ok");
  EXPECT_EQ(checks::redacted("api_key: \"a b\", x"), "api_key: <redacted>, x");
  EXPECT_EQ(checks::redacted("Authorization: Bearer abc.def-123"), "Authorization: <redacted>");
  EXPECT_EQ(checks::redacted("get postgres://app:s3cret@db/x"),
            "get postgres://app:<redacted>@db/x");
  EXPECT_EQ(checks::redacted("sig 0123456789abcdef0123456789abcdef0"), "sig <redacted>");
}

}  // namespace
}  // namespace tocsin
