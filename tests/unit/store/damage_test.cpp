#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <random>

#include <gtest/gtest.h>

#include "agent/store/ledger.hpp"
#include "tests/unit/store/store_fixture.hpp"

namespace tocsin::store {
namespace {

class DamageTest : public StoreTest {
 protected:
  /// A store of some pages: 40 incidents, 400 lines, 80 entries.
  Commit fill() {
    Commit commit;
    for (int i = 0; i < 40; ++i) {
      const auto id = "incident-" + std::to_string(100 + i);
      commit.incidents.push_back(incident(id, i));
      commit.alerts.push_back(alert("check-" + std::to_string(100 + i)));
      for (int k = 0; k < 10; ++k) commit.timeline.push_back(line(id, "line " + std::to_string(k)));
      commit.entries.push_back(entry(static_cast<std::uint64_t>(2 * i + 1), id));
      commit.entries.push_back(entry(static_cast<std::uint64_t>(2 * i + 2), id));
    }
    auto opened = open();
    EXPECT_TRUE(opened.ledger->commit(commit, at(10)));
    return commit;
  }
  void start_over(const std::string& bytes) {
    for (const auto& one : std::filesystem::directory_iterator{folder_})
      std::filesystem::remove_all(one.path());
    write(path_, bytes);
  }
};

TEST_F(DamageTest, ATruncatedStoreIsSetAsideAndWhatCanBeReadIsKept) {
  const auto whole = fill();
  const auto bytes = read(path_);
  std::mt19937 chance{7};
  std::size_t kept = 0;
  for (int round = 0; round < 60; ++round) {
    const auto length = std::uniform_int_distribution<std::size_t>{1, bytes.size() - 1}(chance);
    SCOPED_TRACE("truncated to " + std::to_string(length) + " of " + std::to_string(bytes.size()));
    start_over(bytes.substr(0, length));
    auto opened = open(at(20));
    ASSERT_NE(opened.ledger, nullptr);
    EXPECT_FALSE(opened.set_aside.empty());
    EXPECT_FALSE(opened.warnings.empty());
    EXPECT_EQ(read(opened.set_aside), bytes.substr(0, length)) << "the evidence was changed";
    kept += opened.snapshot.incidents.size();
    for (const auto& one : opened.snapshot.incidents) {
      EXPECT_NE(std::find(whole.incidents.begin(), whole.incidents.end(), one),
                whole.incidents.end());
    }
    Commit more;
    more.incidents = {incident("new", 100)};
    EXPECT_TRUE(opened.ledger->commit(more, at(30)));
    opened.ledger.reset();
    auto again = open(at(40));
    EXPECT_TRUE(again.warnings.empty()) << again.warnings.front();
  }
  EXPECT_GT(kept, 0u);
}

TEST_F(DamageTest, FlippedBitsNeverStopTheAgentAndAreNeverTakenForTruth) {
  const auto whole = fill();
  const auto bytes = read(path_);
  std::mt19937 chance{11};
  std::size_t kept = 0;
  int set_aside = 0;
  constexpr int rounds = 150;
  for (int round = 0; round < rounds; ++round) {
    auto damaged = bytes;
    const int flips = round % 3 == 0 ? 1 : 64;
    // One round in five hits the header, where a flip does most.
    const auto reach = round % 5 == 0 ? std::size_t{100} : bytes.size();
    for (int i = 0; i < flips; ++i) {
      const auto where = std::uniform_int_distribution<std::size_t>{0, reach - 1}(chance);
      damaged[where] = static_cast<char>(damaged[where] ^ (1 << (chance() % 8)));
    }
    SCOPED_TRACE("round " + std::to_string(round));
    start_over(damaged);
    auto opened = Ledger::open(path_, "boot-1", at(20));
    if (!opened) {  // A flip can make an old store look like a newer one, and then it is left
                    // alone.
      EXPECT_EQ(opened.error().code, Errc::unsupported) << opened.error().detail;
      EXPECT_EQ(read(path_), damaged);
      continue;
    }
    if (!opened->set_aside.empty()) ++set_aside;
    kept += opened->snapshot.incidents.size();
    if (opened->warnings.empty()) {
      EXPECT_TRUE(opened->snapshot.incidents == whole.incidents);
      EXPECT_TRUE(opened->snapshot.entries == whole.entries);
      EXPECT_TRUE(opened->snapshot.alerts == whole.alerts);
    }
    Commit more;
    more.incidents = {incident("new", 100)};
    const auto committed = opened->ledger->commit(more, at(30));
    if (!committed) {
      EXPECT_EQ(committed.error().code, Errc::unreadable);
    }
  }
  EXPECT_GT(set_aside, rounds / 4);
  EXPECT_GT(kept, static_cast<std::size_t>(rounds * 20));
}

TEST_F(DamageTest, DamageInTheMiddleLosesOnlyTheMiddle) {
  const auto whole = fill();
  auto bytes = read(path_);
  // Overwrite one leaf page in the middle that holds timeline lines.
  const auto where = bytes.find("incident-120", bytes.size() / 2);
  ASSERT_NE(where, std::string::npos);
  const auto page = where / 4096 * 4096;
  std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(page), 4096, 'x');
  start_over(bytes);
  // The last shutdown was orderly, so the damage is found when the page is read.
  auto opened = open(at(20));
  std::size_t lines = 0;
  for (const auto& one : whole.incidents) lines += opened.ledger->timeline(one.id, 100)->size();
  const auto everything = opened.snapshot.incidents.size() + opened.snapshot.entries.size() + lines;
  EXPECT_GT(everything, 300u);
  const auto warnings = opened.ledger->take_warnings();
  ASSERT_EQ(warnings.size(), 1u);
  EXPECT_NE(warnings[0].find("was set aside as"), std::string::npos);
  EXPECT_TRUE(opened.ledger->take_warnings().empty());
}

TEST_F(DamageTest, JunkIsSetAside) {
  write(path_, std::string(100'000, 'j'));
  auto opened = open();
  EXPECT_NE(opened.set_aside.find(".corrupt-20231114T221320Z"), std::string::npos)
      << opened.set_aside;
  ASSERT_EQ(opened.warnings.size(), 1u);
  EXPECT_NE(opened.warnings[0].find("was corrupt and was set aside as"), std::string::npos);
  EXPECT_TRUE(opened.writable);
  Commit commit;
  commit.incidents = {incident("a")};
  EXPECT_TRUE(opened.ledger->commit(commit, at(1)));
}

TEST_F(DamageTest, TheWriteAheadLogIsSetAsideWithItsStoreAndSalvaged) {
  auto running = open();
  Commit commit;
  commit.incidents = {incident("only-in-the-log")};
  commit.timeline = {line("only-in-the-log", "told")};
  ASSERT_TRUE(running.ledger->commit(commit, at(1)));
  const auto copy = folder_ + "/copy.db";
  copy_store(copy);
  {
    // A row whose text was changed behind its checksum's back, as a flipped bit would.
    auto killed = Ledger::open(copy, "boot-1", at(2));
    ASSERT_TRUE(killed);
  }
  auto bytes = read(copy);
  const auto title = bytes.find("nginx is down");
  ASSERT_NE(title, std::string::npos);
  bytes[title] = 'N';
  write(copy, bytes);
  auto opened = Ledger::open(copy, "boot-1", at(3));
  ASSERT_TRUE(opened);
  ASSERT_EQ(opened->snapshot.incidents.size(), 1u);
  EXPECT_EQ(opened->snapshot.incidents[0].title, "Nginx is down on web-1");
  ASSERT_FALSE(opened->warnings.empty());
  EXPECT_NE(opened->warnings[0].find("1 of those kept are not as they were written"),
            std::string::npos)
      << opened->warnings[0];
  EXPECT_EQ(opened->ledger->timeline(IncidentId{"only-in-the-log"}, 5)->size(), 1u);
}

TEST_F(DamageTest, AFolderThatCannotBeWrittenDoesNotStopTheAgent) {
  path_ = "/proc/tocsin.db";
  auto opened = open();
  ASSERT_NE(opened.ledger, nullptr);
  EXPECT_FALSE(opened.writable);
  EXPECT_FALSE(opened.warnings.empty());
  const auto committed = opened.ledger->commit(Commit{}, at(1));
  ASSERT_FALSE(committed);
  EXPECT_EQ(committed.error().code, Errc::unreadable);
  EXPECT_NE(committed.error().detail.find("/proc/tocsin.db"), std::string::npos);
}

TEST_F(DamageTest, AFolderThatComesLaterIsTakenThen) {
  path_ = folder_ + "/later/tocsin.db";
  auto opened = open();
  EXPECT_FALSE(opened.writable);
  EXPECT_FALSE(opened.ledger->ready());
  std::filesystem::create_directory(folder_ + "/later");
  EXPECT_TRUE(opened.ledger->ready());
  Commit commit;
  commit.incidents = {incident("a")};
  EXPECT_TRUE(opened.ledger->commit(commit, at(1)));
  opened.ledger.reset();
  EXPECT_EQ(open(at(2)).snapshot.incidents.size(), 1u);
}

TEST_F(DamageTest, AStoreInUseByAnotherProcessIsRefused) {
  auto opened = open();
  const auto child = ::fork();
  if (child == 0) {
    const auto second = Ledger::open(path_, "boot-1", at(1));
    ::_exit(!second && second.error().code == Errc::refused ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

/// A file system of the test's own, when it may mount one.
class SmallDisk {
 public:
  explicit SmallDisk(std::string where) : where_{std::move(where)} {
    std::filesystem::create_directory(where_);
    mounted_ = ::mount("tmpfs", where_.c_str(), "tmpfs", 0, "size=512k") == 0;
  }
  ~SmallDisk() {
    if (mounted_) ::umount2(where_.c_str(), MNT_DETACH);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  bool mounted() const { return mounted_; }
  bool remount(unsigned long flags) {
    return ::mount("tmpfs", where_.c_str(), "tmpfs", MS_REMOUNT | flags, "size=512k") == 0;
  }

 private:
  std::string where_;
  bool mounted_{false};
};

TEST_F(DamageTest, AFullDiskRefusesAndTakesAgainOnceThereIsSpace) {
  SmallDisk disk{folder_ + "/disk"};
  if (!disk.mounted()) GTEST_SKIP() << "may not mount: the limit on file sizes below stands in";
  path_ = folder_ + "/disk/tocsin.db";
  auto opened = open();
  Commit first;
  first.incidents = {incident("before")};
  ASSERT_TRUE(opened.ledger->commit(first, at(1)));
  write(folder_ + "/disk/ballast", std::string(1 << 20, 'b'));  // Takes what is left.
  Commit big;
  for (int i = 0; i < 200; ++i) big.timeline.push_back(line("before", std::string(1000, 'l')));
  const auto refused = opened.ledger->commit(big, at(2));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::unreadable);
  EXPECT_NE(refused.error().detail.find("free some space"), std::string::npos)
      << refused.error().detail;
  EXPECT_EQ(opened.ledger->incidents(9)->size(), 1u) << "reading goes on";
  std::filesystem::remove(folder_ + "/disk/ballast");
  EXPECT_TRUE(opened.ledger->commit(big, at(3)));
  EXPECT_EQ(opened.ledger->timeline(IncidentId{"before"}, 1000)->size(), 200u);
  opened.ledger.reset();
}

TEST_F(DamageTest, AReadOnlyDiskShowsItsPastAndTakesCommitsWhenItIsBack) {
  SmallDisk disk{folder_ + "/disk"};
  if (!disk.mounted()) GTEST_SKIP() << "may not mount a file system here";
  path_ = folder_ + "/disk/tocsin.db";
  {
    // Killed, so that the newest commits are in the write-ahead log only.
    auto killed = open();
    Commit commit;
    commit.incidents = {incident("a")};
    commit.entries = {entry(1, "a", EntryState::in_flight)};
    ASSERT_TRUE(killed.ledger->commit(commit, at(1)));
    copy_store(folder_ + "/disk/copy.db");
  }
  path_ = folder_ + "/disk/copy.db";
  ASSERT_TRUE(disk.remount(MS_RDONLY));
  auto opened = open(at(10));
  EXPECT_FALSE(opened.writable);
  ASSERT_EQ(opened.snapshot.incidents.size(), 1u);
  ASSERT_EQ(opened.snapshot.entries.size(), 1u);
  EXPECT_TRUE(opened.snapshot.entries[0].ambiguous);
  EXPECT_EQ(opened.ledger->last_entry_id(), 1u);
  EXPECT_FALSE(opened.ledger->commit(Commit{}, at(11)));
  ASSERT_TRUE(disk.remount(0));
  Commit more;
  more.incidents = {incident("b", 20)};
  const auto taken = opened.ledger->commit(more, at(12));
  EXPECT_TRUE(taken) << taken.error().detail;
  EXPECT_EQ(opened.ledger->incidents(9)->size(), 2u);
  opened.ledger.reset();
  EXPECT_TRUE(open(at(20)).snapshot.entries.at(0).ambiguous);
}

TEST_F(DamageTest, AFileThatMayNotGrowRefusesAndTakesAgain) {
  auto opened = open();
  const auto before = ::signal(SIGXFSZ, SIG_IGN);
  rlimit usual{};
  ::getrlimit(RLIMIT_FSIZE, &usual);
  auto tight = usual;
  tight.rlim_cur = 32 << 10;
  ::setrlimit(RLIMIT_FSIZE, &tight);
  Commit big;
  for (int i = 0; i < 200; ++i) big.timeline.push_back(line("a", std::string(1000, 'l')));
  const auto refused = opened.ledger->commit(big, at(2));
  ::setrlimit(RLIMIT_FSIZE, &usual);
  ::signal(SIGXFSZ, before);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::unreadable);
  const auto taken = opened.ledger->commit(big, at(3));
  EXPECT_TRUE(taken) << taken.error().detail;
  EXPECT_EQ(opened.ledger->timeline(IncidentId{"a"}, 1000)->size(), 200u);
}

}  // namespace
}  // namespace tocsin::store
