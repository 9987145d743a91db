#include "checks/backup.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "checks/backup_verification.hpp"
#include "tests/unit/checks/made_check.hpp"

namespace tocsin {
namespace {

using namespace std::chrono_literals;
using checks_test::complaints_of;
using checks_test::FixtureHost;
using checks_test::list_of;
using checks_test::made;
using checks_test::map_of;
using checks_test::names_of;
using checks_test::word;
using fakes::value_of;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// Nightly dumps in /backup, the newest three hours old.
class BackupTest : public ::testing::Test {
 protected:
  using Keys = std::vector<std::pair<std::string, Node>>;

  BackupTest() {
    for (int night = 0; night < 5; ++night)
      put("/backup/" + std::to_string(9 - night) + ".dump", 1000, 3h + 24h * night);
  }
  void put(const std::string& path, std::uint64_t bytes, Duration age) {
    const auto written =
        host.clock.wall() - std::chrono::duration_cast<std::chrono::microseconds>(age);
    host.helper.put_file({path, bytes, written, written});
  }
  void make(Keys keys = {}) {
    keys.emplace_back("files", word("/backup/*"));
    check = made(backup_check(), map_of(std::move(keys)));
  }
  Samples run() {
    const auto samples = host.run(*check);
    EXPECT_TRUE(samples) << samples.error().detail;
    return samples.value_or({});
  }
  std::optional<double> value(std::string_view name) { return value_of(*check, run(), name); }

  FixtureHost host{""};
  std::unique_ptr<Check> check;
};

TEST_F(BackupTest, IsMeasuredByItsNewestFile) {
  make();
  const auto samples = run();
  EXPECT_THAT(names_of(*check, samples), ElementsAre("backups", "age_seconds", "overdue_seconds",
                                                     "bytes", "size_vs_median_ratio"));
  EXPECT_DOUBLE_EQ(*value_of(*check, samples, "backups"), 5);
  EXPECT_DOUBLE_EQ(*value_of(*check, samples, "age_seconds"), 3 * 3600);
  EXPECT_DOUBLE_EQ(*value_of(*check, samples, "overdue_seconds"), 0);
  EXPECT_DOUBLE_EQ(*value_of(*check, samples, "bytes"), 1000);
  EXPECT_DOUBLE_EQ(*value_of(*check, samples, "size_vs_median_ratio"), 1);
  EXPECT_EQ(host.evidence(*check).probable_cause, "");
}

TEST_F(BackupTest, IsOverdueBeyondItsSchedule) {
  make({{"schedule", word("26h")}});
  EXPECT_DOUBLE_EQ(*value("overdue_seconds"), 0);
  host.clock.advance(24h);
  EXPECT_DOUBLE_EQ(*value("age_seconds"), 27 * 3600);
  EXPECT_DOUBLE_EQ(*value("overdue_seconds"), 3600);
  auto evidence = host.evidence(*check);
  EXPECT_EQ(evidence.probable_cause,
            "the newest backup is 1d 3h old and one is due every 1d 2h; nothing has been written "
            "since");
  EXPECT_THAT(evidence.lines[0], HasSubstr("Newest backup /backup/9.dump: 1000 B, written "));
  EXPECT_THAT(evidence.lines[0], HasSubstr(", 1d 3h ago"));

  put("/backup/10.dump.part", 700, 2h);
  EXPECT_DOUBLE_EQ(*value("overdue_seconds"), 3600) << "a partial file is no backup";
  evidence = host.evidence(*check);
  EXPECT_THAT(evidence.probable_cause,
              HasSubstr("; a later attempt left /backup/10.dump.part (700 B), which does not count "
                        "because its name ends in .part"));
  EXPECT_THAT(evidence.lines,
              Contains(HasSubstr("Left out because its name ends in .part: /backup/10.dump.part")));

  put("/backup/10.dump", 1000, 5min);
  EXPECT_DOUBLE_EQ(*value("overdue_seconds"), 0);
}

TEST_F(BackupTest, ThatShrankIsTold) {
  make();
  EXPECT_DOUBLE_EQ(*value("size_vs_median_ratio"), 1);
  put("/backup/10.dump", 300, 10min);
  EXPECT_DOUBLE_EQ(*value("size_vs_median_ratio"), 0.3);
  const auto evidence = host.evidence(*check);
  EXPECT_EQ(evidence.probable_cause,
            "/backup/10.dump has 300 B where those before had 1000 B: it may be cut off, or "
            "something is missing from it");
  EXPECT_THAT(evidence.lines, Contains("Median size of those before the newest: 1000 B"));
}

TEST_F(BackupTest, IsComparedWithTheTenBeforeIt) {
  for (int night = 0; night < 20; ++night)
    put("/backup/old-" + std::to_string(night), night < 5 ? 2000 : 50, 200h + 24h * night);
  make();
  // Before the newest: four of 1000, five of 2000, one of 50.
  EXPECT_DOUBLE_EQ(*value("size_vs_median_ratio"), 1000.0 / 1500.0);
}

TEST_F(BackupTest, HasNoRatioWithoutOthers) {
  make({{"files", word("/only/one")}});
  put("/only/one", 10, 1h);
  check = made(backup_check(), map_of({{"files", word("/only/*")}}));
  EXPECT_FALSE(value("size_vs_median_ratio"));
  EXPECT_DOUBLE_EQ(*value("backups"), 1);
}

TEST_F(BackupTest, ThatIsNotThereIsABreachAndNoError) {
  check = made(backup_check(), map_of({{"files", word("/nothing/*.dump")}}));
  const auto samples = run();
  EXPECT_THAT(names_of(*check, samples), ElementsAre("backups", "age_seconds", "overdue_seconds"));
  EXPECT_DOUBLE_EQ(*value_of(*check, samples, "backups"), 0);
  EXPECT_GT(*value_of(*check, samples, "overdue_seconds"), 1e6)
      << "rules on the age alone see it too";
  EXPECT_EQ(host.evidence(*check).probable_cause,
            "there is no backup: no file matches /nothing/*.dump");

  host.helper.missing_folder = "/nothing";
  run();
  EXPECT_EQ(host.evidence(*check).probable_cause,
            "there is no backup: the folder /nothing does not exist, or its file system is not "
            "mounted");

  put("/nothing/x.dump", 0, 1h);
  EXPECT_DOUBLE_EQ(*value("backups"), 0) << "an empty file is none";
  EXPECT_EQ(host.evidence(*check).probable_cause,
            "there is no complete backup: /nothing/x.dump, the newest of 1 that match, does not "
            "count because it is empty");
}

TEST_F(BackupTest, ThatCannotBeLookedForIsAnError) {
  make();
  host.helper.fail("/backup/*", {Errc::unreadable, "/backup cannot be read: Permission denied"});
  auto outcome = host.run(*check);
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, Errc::unreadable);
  host.helper.stick("/backup/*");
  outcome = host.run(*check);
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, Errc::stuck);
}

TEST_F(BackupTest, CountsOnceItHasSettled) {
  make({{"settle", word("5m")}, {"ignore", list_of({"*.sha256", "notes"})}});
  put("/backup/10.dump", 10, 4min);
  put("/backup/10.dump.sha256", 64, 6min);
  put("/backup/notes", 64, 6min);
  put("/backup/10.dump~", 64, 6min);
  EXPECT_DOUBLE_EQ(*value("bytes"), 1000);
  const auto lines = host.evidence(*check).lines;
  EXPECT_THAT(lines, Contains(HasSubstr("it was written less than 5m ago: /backup/10.dump: 10 B")));
  EXPECT_THAT(lines, Contains(HasSubstr("'ignore' has *.sha256: /backup/10.dump.sha256")));
  host.clock.advance(1min);
  EXPECT_DOUBLE_EQ(*value("bytes"), 10);
}

TEST_F(BackupTest, ThatIsRewrittenInItsPlaceCountsAsItWasMeanwhile) {
  put("/one/db.dump", 1000, 23h);
  check = made(backup_check(), map_of({{"files", word("/one/db.dump")}}));
  run();
  host.clock.advance(1h);
  put("/one/db.dump", 0, 0s);
  auto samples = run();
  EXPECT_DOUBLE_EQ(*value_of(*check, samples, "backups"), 1);
  EXPECT_DOUBLE_EQ(*value_of(*check, samples, "age_seconds"), 24 * 3600);
  EXPECT_DOUBLE_EQ(*value_of(*check, samples, "bytes"), 1000);
  EXPECT_THAT(host.evidence(*check).lines[0],
              HasSubstr("Being rewritten now; before that /one/db.dump: 1000 B"));
  put("/one/db.dump", 200, 0s);
  EXPECT_DOUBLE_EQ(*value("bytes"), 1000);

  // A new agent knows it too.
  check = made(backup_check(), map_of({{"files", word("/one/db.dump")}}));
  EXPECT_DOUBLE_EQ(*value("bytes"), 1000);

  host.clock.advance(1min);
  samples = run();
  EXPECT_DOUBLE_EQ(*value_of(*check, samples, "bytes"), 200);
  EXPECT_DOUBLE_EQ(*value_of(*check, samples, "size_vs_median_ratio"), 0.2)
      << "of what it was before";

  put("/one/db.dump", 0, 0s);
  host.clock.advance(2min);
  EXPECT_DOUBLE_EQ(*value("backups"), 0) << "left empty";
}

TEST_F(BackupTest, GrowsNeitherOlderNorYoungerWhenTheClockJumps) {
  make();
  EXPECT_DOUBLE_EQ(*value("age_seconds"), 3 * 3600);
  host.clock.jump_wall(48h);
  EXPECT_DOUBLE_EQ(*value("age_seconds"), 3 * 3600);
  host.clock.jump_wall(-96h);
  EXPECT_DOUBLE_EQ(*value("age_seconds"), 3 * 3600);
  EXPECT_DOUBLE_EQ(*value("backups"), 5);
  host.clock.advance(1h);
  EXPECT_DOUBLE_EQ(*value("age_seconds"), 4 * 3600);
}

TEST_F(BackupTest, WithATimeInTheFutureIsTakenByItsInode) {
  const auto wall = host.clock.wall();
  host.helper.put_file({"/backup/skewed", 10, wall + 9000h, wall - 30h});
  make();
  EXPECT_DOUBLE_EQ(*value("bytes"), 1000) << "it is older than the newest";
  host.helper.put_file({"/backup/skewed", 10, wall + 9000h, wall - 1h});
  EXPECT_DOUBLE_EQ(*value("bytes"), 10);
  EXPECT_DOUBLE_EQ(*value("age_seconds"), 3600);
}

TEST_F(BackupTest, IsVerifiedOnce) {
  host.processes.answer("pg_restore", 0, "fine\n");
  make({{"verify", list_of({"pg_restore", "--list", "{file}"})}});
  EXPECT_DOUBLE_EQ(*value("verified"), 1);
  EXPECT_DOUBLE_EQ(*value("verified"), 1);
  ASSERT_EQ(host.processes.requests.size(), 1u);
  EXPECT_THAT(host.processes.requests[0].command,
              ElementsAre("pg_restore", "--list", "/backup/9.dump"));

  CommandOutcome bad;
  bad.exit_code = 1;
  bad.took = 2s;
  bad.error_output = "pg_restore: error: could not read from input file: end of file\n\n";
  host.processes.answer("pg_restore", bad);
  EXPECT_DOUBLE_EQ(*value("verified"), 1) << "the same file";
  put("/backup/10.dump", 1000, 10min);
  EXPECT_DOUBLE_EQ(*value("verified"), 0);
  EXPECT_EQ(host.processes.requests.size(), 2u);
  const auto evidence = host.evidence(*check);
  EXPECT_THAT(evidence.probable_cause,
              HasSubstr("could not be verified: pg_restore ended with exit code 1 after 2s: "
                        "pg_restore: error: could not read from input file: end of file"));
  EXPECT_THAT(evidence.lines, Contains(HasSubstr("Verified: pg_restore ended with exit code 1")));

  // A new agent does not do it again.
  make({{"verify", list_of({"pg_restore", "--list", "{file}"})}});
  EXPECT_DOUBLE_EQ(*value("verified"), 0);
  EXPECT_EQ(host.processes.requests.size(), 2u);
  EXPECT_EQ(host.evidence(*check).probable_cause, evidence.probable_cause) << "nor forgets it why";

  // What an older version kept.
  host.memory.text = host.memory.text.substr(0, host.memory.text.find('\n') + 1);
  make({{"verify", list_of({"pg_restore", "--list", "{file}"})}});
  EXPECT_DOUBLE_EQ(*value("verified"), 0);
  EXPECT_THAT(host.evidence(*check).probable_cause,
              HasSubstr("could not be verified: it was bad before the agent was started"));
}

TEST_F(BackupTest, IsTriedAgainWhenTheCommandCannotBeRun) {
  make({{"verify", list_of({"nowhere"})}});
  EXPECT_DOUBLE_EQ(*value("verified"), 0);
  EXPECT_THAT(host.evidence(*check).probable_cause,
              HasSubstr("nowhere could not be run: there is no program"));
  host.processes.answer("nowhere", 0, "");
  EXPECT_DOUBLE_EQ(*value("verified"), 1);
  EXPECT_THAT(host.processes.requests.back().command, ElementsAre("nowhere", "/backup/9.dump"));
}

TEST_F(BackupTest, IsMeasuredWhileTheCommandWorksOn) {
  host.processes.hang("slow");
  make({{"verify", list_of({"slow"})}, {"verify_timeout", word("30m")}});
  const auto samples = run();
  EXPECT_FALSE(value_of(*check, samples, "verified"));
  EXPECT_DOUBLE_EQ(*value_of(*check, samples, "backups"), 5);
  EXPECT_THAT(host.evidence(*check).lines, Contains("The newest backup is being verified"));
  EXPECT_FALSE(value("verified"));
  EXPECT_EQ(host.processes.requests.size(), 1u) << "one at a time";
  EXPECT_EQ(host.nudges, 0);

  fakes::run_for(host.loop, host.clock, 30min);
  EXPECT_EQ(host.nudges, 1) << "its end is told at once";
  EXPECT_DOUBLE_EQ(*value("verified"), 0);
  EXPECT_THAT(host.evidence(*check).probable_cause, HasSubstr("without a result"));
}

TEST_F(BackupTest, LetsGoOfTheCommandWhenItIsDropped) {
  host.processes.hang("slow");
  make({{"verify", list_of({"slow"})}});
  run();
  ASSERT_EQ(host.clock.sleepers(), 1u) << "the command";
  check.reset();
  fakes::settle(host.loop);
  EXPECT_EQ(host.clock.sleepers(), 0u);
  fakes::run_for(host.loop, host.clock, 1h);
  EXPECT_EQ(host.nudges, 0);
}

TEST_F(BackupTest, MayBeInSeveralPlaces) {
  put("/elsewhere/x", 5, 1h);
  check = made(backup_check(),
               map_of({{"files", list_of({"/backup/*", "/elsewhere/*", "/backup/9*"})}}));
  const auto samples = run();
  EXPECT_DOUBLE_EQ(*value_of(*check, samples, "bytes"), 5);
}

TEST(VerifyCommand, TakesTheFileWhereItIsWanted) {
  EXPECT_THAT(checks::command_for({"a", "b"}, "/x"), ElementsAre("a", "b", "/x"));
  EXPECT_THAT(checks::command_for({"a", "in={file}:{file}", "c"}, "/{file}"),
              ElementsAre("a", "in=/{file}:/{file}", "c"));
}

TEST(BackupKeys, AreJudged) {
  const auto files = std::pair{std::string{"files"}, word("/backup/*")};
  EXPECT_THAT(complaints_of(backup_check(), map_of({files})), IsEmpty());
  EXPECT_THAT(complaints_of(backup_check(), map_of({})), Contains(HasSubstr("files")));
  EXPECT_THAT(complaints_of(backup_check(), map_of({{"files", word("backup/*")}})),
              ElementsAre(HasSubstr("absolute path")));
  EXPECT_THAT(complaints_of(backup_check(), map_of({{"files", list_of({})}})),
              ElementsAre(HasSubstr("at least one")));
  EXPECT_THAT(complaints_of(backup_check(), map_of({files, {"ignore", list_of({"a/b"})}})),
              ElementsAre(HasSubstr("without folders")));
  EXPECT_THAT(complaints_of(backup_check(), map_of({files, {"verify", list_of({})}})),
              ElementsAre(HasSubstr("the program first")));
  EXPECT_THAT(complaints_of(backup_check(), map_of({files, {"verify_timeout", word("2d")}})),
              ElementsAre(HasSubstr("from 1s to 24h")));
}

}  // namespace
}  // namespace tocsin
