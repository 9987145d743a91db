#include "agent/store/ledger.hpp"

#include <set>

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>
#include <gtest/gtest.h>

#include "agent/store/migrations.hpp"
#include "agent/store/rows.hpp"
#include "tests/unit/store/store_fixture.hpp"

namespace tocsin::store {
namespace {

class LedgerTest : public StoreTest {};

Commit everything() {
  Commit commit;
  commit.alerts = {alert("nginx")};
  commit.incidents = {incident("a"), incident("b", 5)};
  commit.timeline = {line("a", "one"), line("b", "two"), line("a", "three")};
  commit.entries = {entry(1, "a"), entry(2, "b")};
  return commit;
}

TEST_F(LedgerTest, WhatWasCommittedIsThereAfterwards) {
  {
    auto opened = open();
    EXPECT_TRUE(opened.snapshot.incidents.empty());
    EXPECT_TRUE(opened.warnings.empty());
    EXPECT_TRUE(opened.writable);
    ASSERT_TRUE(opened.ledger->commit(everything(), at(10)));
  }
  auto again = open(at(20));
  EXPECT_TRUE(again.warnings.empty());
  EXPECT_EQ(again.snapshot.alerts, everything().alerts);
  EXPECT_EQ(again.snapshot.incidents, everything().incidents);
  EXPECT_EQ(again.snapshot.entries, everything().entries);
  EXPECT_EQ(again.snapshot.last_entry_id, 2u);
  const auto lines = again.ledger->timeline(IncidentId{"a"}, 10);
  ASSERT_TRUE(lines);
  EXPECT_EQ(texts(*lines), (std::vector<std::string>{"one", "three"}));
  EXPECT_LT((*lines)[0].sequence, (*lines)[1].sequence);
  const auto newest = again.ledger->incidents(1);
  ASSERT_TRUE(newest);
  EXPECT_EQ(newest->at(0).id.value, "b");
  const auto names = again.ledger->channel_names();
  ASSERT_TRUE(names);
  EXPECT_EQ(*names, (std::vector<std::string>{"issue-a", "issue-b"}));
}

TEST_F(LedgerTest, ACommitIsOnDiskWhenItReturns) {
  auto opened = open();
  ASSERT_TRUE(opened.ledger->commit(everything(), at(10)));
  // As after SIGKILL: the files as they are now, opened by somebody else.
  const auto copy = folder_ + "/copy.db";
  copy_store(copy);
  auto killed = Ledger::open(copy, "boot-1", at(20));
  ASSERT_TRUE(killed);
  EXPECT_TRUE(killed->warnings.empty());
  EXPECT_EQ(killed->snapshot.incidents, everything().incidents);
  EXPECT_EQ(killed->snapshot.entries, everything().entries);
}

TEST_F(LedgerTest, UpsertsReplaceAndRemovalsRemove) {
  auto opened = open();
  ASSERT_TRUE(opened.ledger->commit(everything(), at(10)));
  Commit change;
  change.incidents = {incident("a")};
  change.incidents[0].state = IncidentState::acknowledged;
  change.alerts_removed = {"nginx"};
  change.entries_removed = {EntryId{2}};
  ASSERT_TRUE(opened.ledger->commit(change, at(11)));
  opened.ledger.reset();
  auto again = open(at(20));
  EXPECT_TRUE(again.snapshot.alerts.empty());
  ASSERT_EQ(again.snapshot.incidents.size(), 2u);
  EXPECT_EQ(again.snapshot.incidents[0].state, IncidentState::acknowledged);
  ASSERT_EQ(again.snapshot.entries.size(), 1u);
  EXPECT_EQ(again.snapshot.last_entry_id, 2u) << "an id must never be given twice";
}

TEST_F(LedgerTest, TheNewestLinesAreGivenInOrder) {
  auto opened = open();
  Commit commit;
  for (int i = 0; i < 50; ++i) commit.timeline.push_back(line("a", std::to_string(i)));
  ASSERT_TRUE(opened.ledger->commit(commit, at(1)));
  const auto lines = opened.ledger->timeline(IncidentId{"a"}, 3);
  ASSERT_TRUE(lines);
  EXPECT_EQ(texts(*lines), (std::vector<std::string>{"47", "48", "49"}));
}

TEST_F(LedgerTest, WhatWasInFlightIsQueuedAndAmbiguous) {
  {
    auto opened = open();
    Commit commit;
    commit.incidents = {incident("a")};
    commit.entries = {entry(1, "a", EntryState::in_flight), entry(2, "a"),
                      entry(3, "a", EntryState::dead)};
    ASSERT_TRUE(opened.ledger->commit(commit, at(1)));
  }
  for (int i = 0; i < 2; ++i) {
    auto again = open(at(20 + i));
    ASSERT_EQ(again.snapshot.entries.size(), 3u);
    EXPECT_EQ(again.snapshot.entries[0].state, EntryState::queued);
    EXPECT_TRUE(again.snapshot.entries[0].ambiguous);
    EXPECT_FALSE(again.snapshot.entries[1].ambiguous);
    EXPECT_EQ(again.snapshot.entries[2].state, EntryState::dead);
  }
}

TEST_F(LedgerTest, OnTheSameBootSteadyTimesStay) {
  auto waiting = incident("a");
  waiting.remind_at = at(600).steady;
  auto recovering = alert("x", AlertPhase::recovering);
  recovering.recovering_since = at(5).steady;
  {
    auto opened = open();
    Commit commit;
    commit.incidents = {waiting};
    commit.alerts = {recovering};
    ASSERT_TRUE(opened.ledger->commit(commit, at(10)));
  }
  auto again = open(at(100));
  EXPECT_EQ(again.snapshot.incidents.at(0), waiting);
  EXPECT_EQ(again.snapshot.alerts.at(0), recovering);
}

TEST_F(LedgerTest, AfterARebootTimersKeepTheTimeThatWasLeft) {
  auto waiting = incident("a");
  waiting.remind_at = at(610).steady;    // 600 s after the last commit.
  waiting.resolve_at = at(30).steady;    // 20 s after: will be overdue.
  waiting.escalate_from = at(0).steady;  // 10 s before.
  auto retried = entry(1, "a");
  retried.not_before = at(310).steady;
  {
    auto opened = open();
    Commit commit;
    commit.incidents = {waiting};
    commit.entries = {retried};
    ASSERT_TRUE(opened.ledger->commit(commit, at(10)));
  }
  const Now now{SteadyTime{50s}, at(10).wall + 100s};  // Booted 50 s ago, down for a while.
  for (int i = 0; i < 2; ++i) {
    auto again = open(now, "boot-2");
    const auto& moved = again.snapshot.incidents.at(0);
    EXPECT_EQ(*moved.remind_at, now.steady + 500s);
    EXPECT_EQ(*moved.resolve_at, now.steady - 80s);
    EXPECT_EQ(*moved.escalate_from, now.steady - 110s);
    EXPECT_EQ(*again.snapshot.entries.at(0).not_before, now.steady + 200s);
  }
}

TEST_F(LedgerTest, AWallClockThatWentBackwardsAddsNoTime) {
  auto waiting = incident("a");
  waiting.remind_at = at(610).steady;
  {
    auto opened = open();
    Commit commit;
    commit.incidents = {waiting};
    ASSERT_TRUE(opened.ledger->commit(commit, at(10)));
  }
  const Now now{SteadyTime{50s}, at(10).wall - 1h};
  EXPECT_EQ(*open(now, "boot-2").snapshot.incidents.at(0).remind_at, now.steady + 600s);
}

TEST_F(LedgerTest, AfterARebootPendingIsDroppedAndRecoveringFires) {
  auto pending = alert("pending", AlertPhase::pending);
  pending.critical = {{at(1).steady, 7}};
  auto recovering = alert("recovering", AlertPhase::recovering);
  recovering.recovering_since = at(5).steady;
  recovering.critical = {{at(0).steady, 3}};
  {
    auto opened = open();
    Commit commit;
    commit.alerts = {pending, recovering};
    ASSERT_TRUE(opened.ledger->commit(commit, at(10)));
  }
  const Now now{SteadyTime{50s}, at(10).wall + 100s};
  auto again = open(now, "boot-2");
  ASSERT_EQ(again.snapshot.alerts.size(), 2u);
  const auto& first = again.snapshot.alerts[0];
  EXPECT_EQ(first.phase, AlertPhase::inactive);
  EXPECT_EQ(first.severity, Severity::ok);
  EXPECT_FALSE(first.since);
  EXPECT_EQ(first.critical.at(0), RuleProgress{});
  const auto& second = again.snapshot.alerts[1];
  EXPECT_EQ(second.phase, AlertPhase::firing);
  EXPECT_EQ(second.severity, Severity::critical);
  EXPECT_FALSE(second.recovering_since);
  EXPECT_EQ(*second.critical.at(0).since, now.steady - 110s);
}

TEST_F(LedgerTest, TheSnapshotHasUnclosedOnesAndAWeekOfThePast) {
  {
    auto opened = open();
    Commit commit;
    auto old_open = incident("open", -30 * 86400);
    auto old_closed = incident("closed", -30 * 86400);  // Still to be archived.
    old_closed.state = IncidentState::closed;
    old_closed.closed_at = at(0).wall;
    auto old_archived = incident("archived-long-ago", -8 * 86400);
    old_archived.state = IncidentState::archived;
    auto archived = incident("archived", -6 * 86400);
    archived.state = IncidentState::archived;
    commit.incidents = {old_open, old_closed, old_archived, archived};
    ASSERT_TRUE(opened.ledger->commit(commit, at(0)));
  }
  std::vector<std::string> ids;
  for (const auto& one : open(at(1)).snapshot.incidents) ids.push_back(one.id.value);
  EXPECT_EQ(ids, (std::vector<std::string>{"closed", "open", "archived"}));
}

TEST_F(LedgerTest, RetentionForgetsWhatEndedAndOwesNothing) {
  auto opened = open();
  Commit commit;
  for (const char* id : {"gone", "owes", "young", "open"}) {
    auto one = incident(id);
    one.state = IncidentState::archived;
    one.closed_at = at(id == std::string{"young"} ? 1000 : 10).wall;
    if (id == std::string{"open"}) {
      one.state = IncidentState::resolved;
      one.closed_at.reset();
    }
    commit.incidents.push_back(one);
    commit.timeline.push_back(line(id, "told"));
  }
  commit.entries = {entry(1, "owes")};
  ASSERT_TRUE(opened.ledger->commit(commit, at(20)));
  ASSERT_TRUE(opened.ledger->forget_closed_before(at(500).wall));
  const auto left = opened.ledger->incidents(10);
  ASSERT_TRUE(left);
  std::set<std::string> ids;
  for (const auto& one : *left) ids.insert(one.id.value);
  EXPECT_EQ(ids, (std::set<std::string>{"owes", "young", "open"}));
  EXPECT_TRUE(opened.ledger->timeline(IncidentId{"gone"}, 10)->empty());
  EXPECT_EQ(opened.ledger->timeline(IncidentId{"young"}, 10)->size(), 1u);
}

TEST_F(LedgerTest, ANewerStoreIsRefusedAndLeftAlone) {
  { open(); }
  SQLite::Database{path_, SQLite::OPEN_READWRITE}.exec("PRAGMA user_version = 99");
  const auto before = read(path_);
  const auto refused = Ledger::open(path_, "boot-1", at(1));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::unsupported);
  EXPECT_NE(refused.error().detail.find("schema version 99"), std::string::npos)
      << refused.error().detail;
  EXPECT_EQ(read(path_), before);
}

TEST_F(LedgerTest, ADatabaseOfAnotherProgramIsRefused) {
  SQLite::Database{path_, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE}.exec(
      "CREATE TABLE cookies(x)");
  const auto refused = Ledger::open(path_, "boot-1", at(1));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::unsupported);
}

TEST_F(LedgerTest, AnOldStoreIsMigratedStepByStep) {
  constexpr Migration steps[] = {
      {1, "first", "CREATE TABLE incidents(id TEXT PRIMARY KEY, body TEXT);"},
      {2, "states get a column",
       "ALTER TABLE incidents ADD COLUMN state TEXT NOT NULL DEFAULT 'open';"},
      {3, "bodies are upper case", "UPDATE incidents SET body = upper(body);"}};
  SQLite::Database database{path_, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE};
  ASSERT_TRUE(migrate(database, std::span{steps}.first(1), at(0).wall));
  database.exec("INSERT INTO incidents VALUES ('a', 'body')");
  ASSERT_TRUE(migrate(database, steps, at(1).wall));
  EXPECT_EQ(database.execAndGet("SELECT state || body FROM incidents").getString(), "openBODY");
  EXPECT_EQ(database.execAndGet("PRAGMA user_version").getInt(), 3);
  EXPECT_EQ(database.execAndGet("SELECT group_concat(what, ', ') FROM migrations").getString(),
            "first, states get a column, bodies are upper case");
  ASSERT_TRUE(migrate(database, steps, at(2).wall)) << "a second time there is nothing to do";
}

TEST_F(LedgerTest, AMigrationThatFailsLeavesTheVersionBefore) {
  constexpr Migration steps[] = {
      {1, "first", "CREATE TABLE t(x);"},
      {2, "broken", "CREATE TABLE u(x); INSERT INTO nowhere VALUES (1);"}};
  SQLite::Database database{path_, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE};
  EXPECT_THROW((void)migrate(database, steps, at(0).wall), SQLite::Exception);
  EXPECT_EQ(database.execAndGet("PRAGMA user_version").getInt(), 1);
  EXPECT_FALSE(database.tableExists("u"));
}

TEST_F(LedgerTest, WhatChecksKeepIsThereAgainUntilItIsForgotten) {
  {
    auto opened = open();
    Commit commit;
    commit.memories = {{"log", "offset 17"}, {"mail", "probe 1"}};
    ASSERT_TRUE(opened.ledger->commit(commit, at(1)));
    Commit later;
    later.memories = {{"log", "offset 18"}, {"mail", ""}};
    ASSERT_TRUE(opened.ledger->commit(later, at(2)));
  }
  const auto opened = open();
  EXPECT_EQ(opened.snapshot.memories, (std::vector<CheckMemory>{{"log", "offset 18"}}));
}

TEST_F(LedgerTest, AStoreOfTheFirstVersionIsTakenOver) {
  {
    SQLite::Database database{path_, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE};
    ASSERT_TRUE(migrate(database, migrations().first(1), at(0).wall));
    Rows rows{database};
    rows.put(alert("nginx"));
    rows.put(Anchor{"boot-1", at(0), true, 0});
  }
  auto opened = open();
  EXPECT_TRUE(opened.warnings.empty());
  EXPECT_EQ(opened.snapshot.alerts.size(), 1u);
  Commit commit;
  commit.memories = {{"log", "offset 17"}};
  EXPECT_TRUE(opened.ledger->commit(commit, at(1)));
}

TEST_F(LedgerTest, TheRealStoreTellsItsVersion) {
  { open(); }
  SQLite::Database database{path_, SQLite::OPEN_READONLY};
  EXPECT_EQ(database.execAndGet("PRAGMA user_version").getInt(), migrations().back().to);
  EXPECT_EQ(database.execAndGet("SELECT max(version) FROM migrations").getInt(),
            migrations().back().to);
  EXPECT_EQ(database.execAndGet("PRAGMA journal_mode").getString(), "wal");
}

}  // namespace
}  // namespace tocsin::store
