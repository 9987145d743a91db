#include "agent/store/journal.hpp"

#include <gtest/gtest.h>
#include <boost/asio/post.hpp>

#include "tests/fakes/inline_blocking.hpp"
#include "tests/fakes/manual_clock.hpp"
#include "tests/unit/store/store_fixture.hpp"
#include "tocsin/async/task_group.hpp"

namespace tocsin::store {
namespace {

/// A ledger in memory that can be told to refuse.
class FakeLedger final : public Ledger {
 public:
  struct Disk {
    std::vector<Commit> groups{};
    std::vector<TimelineLine> lines{};
    std::map<std::string, Incident> incidents{};
    std::map<std::uint64_t, OutboxEntry> entries{};
    std::uint64_t last_entry_id{0};
    bool refuses{false};
  };
  explicit FakeLedger(Disk& disk) : disk_{disk} {}

  Result<void> commit(const Commit& commit, Now) override {
    if (disk_.refuses) return Error{Errc::unreadable, "the disk is full"};
    disk_.groups.push_back(commit);
    for (auto line : commit.timeline) {
      line.sequence = disk_.lines.size() + 1;
      disk_.lines.push_back(line);
    }
    for (const auto& one : commit.incidents) disk_.incidents[one.id.value] = one;
    for (const auto& one : commit.entries) {
      disk_.entries[one.id.value] = one;
      disk_.last_entry_id = std::max(disk_.last_entry_id, one.id.value);
    }
    for (const auto& id : commit.entries_removed) disk_.entries.erase(id.value);
    return {};
  }
  Result<void> ready() override {
    if (disk_.refuses) return Error{Errc::unreadable, "the disk is full"};
    return {};
  }
  std::uint64_t last_entry_id() const override { return disk_.last_entry_id; }
  Result<std::vector<TimelineLine>> timeline(const IncidentId& id, std::size_t) override {
    std::vector<TimelineLine> found;
    for (const auto& line : disk_.lines) {
      if (line.incident == id) found.push_back(line);
    }
    return found;
  }
  Result<std::vector<Incident>> incidents(std::size_t) override {
    std::vector<Incident> found;
    for (const auto& [id, one] : disk_.incidents) found.push_back(one);
    return found;
  }
  Result<std::vector<std::string>> channel_names() override {
    return std::vector<std::string>{"issue-a"};
  }
  Result<void> forget_closed_before(WallTime) override { return {}; }

 private:
  Disk& disk_;
};

/// Ends with what the work returned; for results, which co_spawn cannot carry out by itself.
template <class T>
asio::awaitable<void> keep(asio::awaitable<Result<T>> work, std::optional<Result<T>>& into) {
  into = co_await std::move(work);
}
template <class T>
Result<T> result_of(asio::io_context& loop, asio::awaitable<Result<T>> work) {
  std::optional<Result<T>> found;
  fakes::run_to_end(loop, keep(std::move(work), found));
  return *found;
}

class JournalTest : public ::testing::Test {
 protected:
  void start() {
    journal_.emplace(loop_.get_executor(), clock_, thread_, std::make_unique<FakeLedger>(disk_));
    tasks_.spawn("journal", journal_->run());
    fakes::settle(loop_);
  }
  void stop() { fakes::run_to_end(loop_, tasks_.stop(clock_, clock_.steady() + 1s)); }
  void TearDown() override {
    thread_.late(false);
    thread_.flush();
    stop();
  }
  void say(const std::string& text) {
    Commit commit;
    commit.timeline = {line("a", text)};
    append(std::move(commit));
  }
  void append(Commit commit) {
    journal_->append(std::move(commit), [this, number = ++appended_] { done_.push_back(number); });
  }
  std::vector<std::string> told(std::size_t most = 100) {
    auto reading = journal_->timeline(IncidentId{"a"}, most);
    const auto lines = result_of(loop_, std::move(reading));
    EXPECT_TRUE(lines);
    return lines ? texts(*lines) : std::vector<std::string>{};
  }
  std::vector<int> up_to(int last) {
    std::vector<int> all;
    for (int i = 1; i <= last; ++i) all.push_back(i);
    return all;
  }

  asio::io_context loop_;
  fakes::ManualClock clock_;
  fakes::InlineBlocking thread_;
  FakeLedger::Disk disk_;
  TaskGroup tasks_{loop_.get_executor()};
  std::optional<Journal> journal_;
  int appended_{0};
  std::vector<int> done_;
};

TEST_F(JournalTest, WhatWaitsTogetherIsWrittenTogetherAndReportedInOrder) {
  start();
  say("one");
  say("two");
  say("three");
  EXPECT_TRUE(done_.empty()) << "done must not run from within append";
  fakes::settle(loop_);
  EXPECT_EQ(done_, up_to(3));
  EXPECT_EQ(disk_.groups.size(), 1u);
  EXPECT_EQ(texts(disk_.lines), (std::vector<std::string>{"one", "two", "three"}));
  EXPECT_EQ(journal_->waiting(), 0u);
  EXPECT_TRUE(journal_->durable());
}

TEST_F(JournalTest, NothingIsDoneBeforeItIsOnDisk) {
  start();
  thread_.late(true);
  say("one");
  fakes::settle(loop_);
  say("two");
  fakes::settle(loop_);
  EXPECT_TRUE(done_.empty());
  EXPECT_EQ(journal_->waiting(), 2u);
  thread_.flush();
  fakes::settle(loop_);
  EXPECT_EQ(done_, up_to(1));
  thread_.flush();
  fakes::settle(loop_);
  EXPECT_EQ(done_, up_to(2));
}

TEST_F(JournalTest, ACallbackMayAppend) {
  start();
  Commit commit;
  commit.timeline = {line("a", "one")};
  journal_->append(commit, [this] { say("from the callback"); });
  fakes::settle(loop_);
  EXPECT_EQ(done_, up_to(1));
  EXPECT_EQ(disk_.lines.size(), 2u);
}

TEST_F(JournalTest, WhenTheDiskRefusesCallbacksRunAndEverythingIsWrittenLaterInOrder) {
  start();
  disk_.refuses = true;
  say("one");
  fakes::settle(loop_);
  EXPECT_EQ(done_, up_to(1));
  EXPECT_FALSE(journal_->durable());
  EXPECT_EQ(journal_->last_error(), "the disk is full");
  for (int i = 2; i <= 20; ++i) say(std::to_string(i));
  fakes::settle(loop_);
  EXPECT_EQ(done_, up_to(20)) << "an append must not wait for the next attempt";
  EXPECT_EQ(told().size(), 20u);
  fakes::run_for(loop_, clock_, 5min);
  EXPECT_FALSE(journal_->durable());
  const auto calls = thread_.calls();
  fakes::run_for(loop_, clock_, 5min);
  EXPECT_LE(thread_.calls() - calls, 11u) << "attempts must become rare";
  disk_.refuses = false;
  fakes::run_for(loop_, clock_, 30s);
  EXPECT_TRUE(journal_->durable());
  EXPECT_TRUE(journal_->last_error().empty());
  ASSERT_EQ(disk_.lines.size(), 20u);
  EXPECT_EQ(disk_.lines.front().text, "one");
  EXPECT_EQ(disk_.lines.back().text, "20");
  EXPECT_EQ(disk_.groups.size(), 1u);
  say("after");
  fakes::settle(loop_);
  EXPECT_EQ(disk_.lines.size(), 21u);
}

TEST_F(JournalTest, WhatWaitsIsAsLargeAsWhatLives) {
  start();
  Commit on_disk;
  on_disk.entries = {entry(1, "a")};
  append(on_disk);
  fakes::settle(loop_);
  disk_.refuses = true;
  for (std::uint64_t id = 2; id <= 5000; ++id) {
    Commit commit;
    commit.incidents = {incident("a")};
    commit.incidents[0].generation = static_cast<int>(id);
    commit.alerts = {alert("nginx")};
    commit.entries = {entry(id, "a")};
    commit.entries_removed = {EntryId{id - 1}};
    append(std::move(commit));
    fakes::settle(loop_);
  }
  disk_.refuses = false;
  fakes::run_for(loop_, clock_, 1min);
  ASSERT_TRUE(journal_->durable());
  const auto& written = disk_.groups.back();
  EXPECT_EQ(written.incidents.size(), 1u);
  EXPECT_EQ(written.incidents[0].generation, 5000);
  EXPECT_EQ(written.alerts.size(), 1u);
  EXPECT_EQ(written.entries.size(), 1u);
  EXPECT_EQ(written.entries_removed, std::vector<EntryId>{EntryId{1}});
  EXPECT_EQ(disk_.entries.size(), 1u);
  EXPECT_EQ(disk_.entries.begin()->first, 5000u);
}

TEST_F(JournalTest, BeyondTheBoundTheOldestLinesStayAndTheLossIsTold) {
  start();
  disk_.refuses = true;
  for (std::size_t i = 0; i < Backlog::lines_most + 7; ++i) say(std::to_string(i));
  fakes::settle(loop_);
  disk_.refuses = false;
  fakes::run_for(loop_, clock_, 1min);
  ASSERT_EQ(disk_.lines.size(), Backlog::lines_most + 1);
  EXPECT_EQ(disk_.lines.front().text, "0");
  EXPECT_EQ(disk_.lines.back().text,
            "7 lines after this one could not be kept while the disk took no writes");
}

TEST_F(JournalTest, AReaderSeesWhatIsNotOnDiskYetOnceAndInOrder) {
  start();
  say("on disk");
  fakes::settle(loop_);
  thread_.late(true);
  say("being written");
  fakes::settle(loop_);
  say("queued");
  std::optional<Result<std::vector<TimelineLine>>> seen;
  tasks_.spawn("reader", keep(journal_->timeline(IncidentId{"a"}, 100), seen));
  fakes::settle(loop_);
  for (int i = 0; i < 4; ++i) {
    thread_.flush();
    fakes::settle(loop_);
  }
  ASSERT_TRUE(seen && *seen);
  EXPECT_EQ(texts(**seen), (std::vector<std::string>{"on disk", "being written", "queued"}));
  thread_.late(false);
  EXPECT_EQ(told(2), (std::vector<std::string>{"being written", "queued"}));
}

TEST_F(JournalTest, IncidentsAreShownAsTheyAreNow) {
  start();
  Commit commit;
  commit.incidents = {incident("a"), incident("b", 5)};
  append(commit);
  fakes::settle(loop_);
  disk_.refuses = true;
  commit.incidents = {incident("a"), incident("c", 9)};
  commit.incidents[0].state = IncidentState::resolved;
  append(commit);
  fakes::settle(loop_);
  const auto shown = result_of(loop_, journal_->incidents(10));
  ASSERT_TRUE(shown);
  ASSERT_EQ(shown->size(), 3u);
  EXPECT_EQ((*shown)[0].id.value, "c");
  EXPECT_EQ((*shown)[2].state, IncidentState::resolved);
}

TEST_F(JournalTest, AHungDiskDoesNotHoldUpThePage) {
  start();
  thread_.late(true);
  say("one");
  fakes::settle(loop_);
  fakes::run_for(loop_, clock_, Journal::stall - 1ms);
  EXPECT_TRUE(done_.empty());
  EXPECT_TRUE(journal_->durable());
  fakes::run_for(loop_, clock_, 1ms);
  EXPECT_EQ(done_, up_to(1));
  EXPECT_FALSE(journal_->durable());
  EXPECT_NE(journal_->last_error().find("has not answered for 2s"), std::string::npos)
      << journal_->last_error();
  say("two");
  fakes::settle(loop_);
  EXPECT_EQ(done_, up_to(2)) << "while the disk hangs, nobody waits for it";
  thread_.late(false);
  thread_.flush();
  fakes::settle(loop_);
  EXPECT_TRUE(journal_->durable());
  EXPECT_EQ(texts(disk_.lines), (std::vector<std::string>{"one", "two"}));
}

TEST_F(JournalTest, AWriteThatHangsAndThenFailsLosesNothing) {
  start();
  thread_.late(true);
  say("one");
  fakes::settle(loop_);
  fakes::run_for(loop_, clock_, 3s);
  say("two");
  fakes::settle(loop_);
  disk_.refuses = true;
  thread_.flush();
  fakes::settle(loop_);
  thread_.late(false);
  EXPECT_FALSE(journal_->durable());
  EXPECT_EQ(told(), (std::vector<std::string>{"one", "two"}));
  disk_.refuses = false;
  fakes::run_for(loop_, clock_, 1min);
  EXPECT_EQ(texts(disk_.lines), (std::vector<std::string>{"one", "two"}));
  EXPECT_EQ(done_, up_to(2));
}

TEST_F(JournalTest, WhenStoppedItWritesWhatIsQueued) {
  start();
  thread_.late(true);
  say("being written");
  fakes::settle(loop_);
  say("queued");
  thread_.late(false);
  // The disk answers only some turns of the loop after the journal was told to stop.
  int turns = 20;
  std::function<void()> later = [&] {
    if (--turns > 0) return asio::post(loop_, later);
    thread_.flush();
  };
  asio::post(loop_, later);
  stop();
  EXPECT_EQ(texts(disk_.lines), (std::vector<std::string>{"being written", "queued"}));
  EXPECT_EQ(done_, up_to(2));
  say("after the end");
  fakes::run_to_end(loop_, journal_->flush());
  EXPECT_EQ(disk_.lines.size(), 3u);
}

TEST_F(JournalTest, ADiskThatRefusesDoesNotHoldUpTheEnd) {
  start();
  disk_.refuses = true;
  say("one");
  stop();
  EXPECT_EQ(done_, up_to(1));
  say("two");
  fakes::run_to_end(loop_, journal_->flush());
  EXPECT_EQ(done_, up_to(2));
}

TEST_F(JournalTest, FlushReturnsOnceAllIsSettled) {
  start();
  say("one");
  say("two");
  fakes::run_to_end(loop_, journal_->flush());
  EXPECT_EQ(done_, up_to(2));
}

TEST_F(JournalTest, ADiskThatRefusesFromTheStartIsKnownAtOnceAndWatched) {
  disk_.refuses = true;
  start();
  EXPECT_FALSE(journal_->durable());
  disk_.refuses = false;
  fakes::run_for(loop_, clock_, 2s);
  EXPECT_TRUE(journal_->durable()) << "nothing was appended, and still it must notice";
}

TEST_F(JournalTest, AnIdleJournalDoesNothing) {
  start();
  say("one");
  fakes::settle(loop_);
  fakes::run_for(loop_, clock_, 10s);
  const auto calls = thread_.calls();
  EXPECT_EQ(clock_.sleepers(), 0u);
  fakes::run_for(loop_, clock_, 1h);
  EXPECT_EQ(thread_.calls(), calls);
}

class JournalOnDisk : public StoreTest {};

TEST_F(JournalOnDisk, WorksOverTheRealLedger) {
  asio::io_context loop;
  fakes::ManualClock clock;
  fakes::InlineBlocking thread;
  TaskGroup tasks{loop.get_executor()};
  {
    Journal journal{loop.get_executor(), clock, thread, open(clock.now()).ledger};
    tasks.spawn("journal", journal.run());
    Commit commit;
    commit.incidents = {incident("a")};
    commit.timeline = {line("a", "one")};
    int done = 0;
    journal.append(commit, [&] { ++done; });
    journal.append(commit, [&] { ++done; });
    fakes::settle(loop);
    EXPECT_EQ(done, 2);
    EXPECT_EQ(result_of(loop, journal.timeline(IncidentId{"a"}, 9))->size(), 2u);
    EXPECT_EQ(result_of(loop, journal.channel_names())->size(), 1u);
    EXPECT_TRUE(result_of(loop, journal.forget_closed_before(clock.wall())));
    fakes::run_to_end(loop, tasks.stop(clock, clock.steady() + 1s));
  }
  EXPECT_EQ(open(clock.now()).snapshot.incidents.size(), 1u);
}

}  // namespace
}  // namespace tocsin::store
