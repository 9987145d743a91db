#include "checks/log_follower.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/fakes/fake_host.hpp"
#include "tocsin/base/limits.hpp"

namespace tocsin::checks {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class LogFollowerTest : public ::testing::Test {
 protected:
  LogFollowerTest() { root_.write("/var/log/app.log", "old\n"); }

  void append(const std::string& text, const std::string& name = "app.log") {
    std::ofstream{at(name), std::ios::app} << text;
  }
  std::string at(const std::string& name) const { return root_.folder() + "/var/log/" + name; }
  void rename(const std::string& from, const std::string& to) const {
    std::filesystem::rename(at(from), at(to));
  }
  std::vector<std::string> read(LogFollower& follower, std::uint64_t most = 1u << 20) {
    std::vector<std::string> lines;
    const auto reading =
        follower.read(files_, most, [&](std::string_view line) { lines.emplace_back(line); });
    EXPECT_TRUE(reading) << reading.error().detail;
    if (reading) last_ = *reading;
    return lines;
  }

  fakes::FixtureRoot root_;
  fakes::FakeFiles files_{root_.folder()};
  LogFollower follower_{"/var/log/app.log"};
  LogFollower::Reading last_{};
};

TEST_F(LogFollowerTest, BeginsAtTheEndAndGoesOnFromThere) {
  EXPECT_THAT(read(follower_), IsEmpty());
  append("one\r\ntwo\nthr");
  EXPECT_THAT(read(follower_), ElementsAre("one", "two"));
  EXPECT_THAT(read(follower_), IsEmpty());
  append("ee\n\n");
  EXPECT_THAT(read(follower_), ElementsAre("three", ""));
}

TEST_F(LogFollowerTest, ReadsARenamedFileToItsEndFirst) {
  read(follower_);
  append("one\nlast words");
  rename("app.log", "app.log.1");
  append("two\n", "app.log.1");
  append("new\n");
  EXPECT_THAT(read(follower_), ElementsAre("one", "last wordstwo", "new"));
  append("newer\n");
  EXPECT_THAT(read(follower_), ElementsAre("newer"));
}

TEST_F(LogFollowerTest, HoldsTheOldFileUntilThereIsANewOne) {
  read(follower_);
  rename("app.log", "app.log.1");
  append("still here\n", "app.log.1");
  EXPECT_THAT(read(follower_), ElementsAre("still here"));
  append("and no line end", "app.log.1");
  EXPECT_THAT(read(follower_), IsEmpty());
  append("new\n");
  EXPECT_THAT(read(follower_), ElementsAre("and no line end", "new"));
}

TEST_F(LogFollowerTest, BeginsAgainWhenItWasTruncated) {
  read(follower_);
  append("one\n");
  read(follower_);
  std::ofstream{at("app.log"), std::ios::trunc} << "x\n";
  EXPECT_THAT(read(follower_), ElementsAre("x"));
}

TEST_F(LogFollowerTest, GoesOnAfterARestartWhereItStopped) {
  read(follower_);
  append("one\n");
  read(follower_);
  const auto position = follower_.position();
  ASSERT_TRUE(position);
  append("while away\n");
  LogFollower next{"/var/log/app.log"};
  next.resume(*position);
  EXPECT_EQ(next.position(), position) << "also before it has read";
  EXPECT_THAT(read(next), ElementsAre("while away"));
}

TEST_F(LogFollowerTest, FindsTheFileThatWasRenamedWhileNobodyRead) {
  read(follower_);
  append("one\n");
  rename("app.log", "app.log-20261123");
  append("two\n");
  LogFollower next{"/var/log/app.log"};
  next.resume(*follower_.position());
  EXPECT_THAT(read(next), ElementsAre("one", "two"));
  EXPECT_FALSE(last_.lost);
}

TEST_F(LogFollowerTest, SaysThatTheOldFileIsGone) {
  read(follower_);
  append("one\n");
  // Compressed away: what it held is in no file that we could read.
  rename("app.log", "elsewhere");
  append("two\n");
  LogFollower next{"/var/log/app.log"};
  next.resume(*follower_.position());
  EXPECT_THAT(read(next), ElementsAre("two"));
  EXPECT_TRUE(last_.lost);
}

TEST_F(LogFollowerTest, TruncatedWhileNobodyReadBeginsAtTheStart) {
  read(follower_);
  const auto position = *follower_.position();
  std::ofstream{at("app.log"), std::ios::trunc} << "x\n";
  LogFollower next{"/var/log/app.log"};
  next.resume(position);
  EXPECT_THAT(read(next), ElementsAre("x"));
}

TEST_F(LogFollowerTest, WorksInStretches) {
  read(follower_);
  std::string many;
  for (int i = 0; i < 50'000; ++i) many += "line " + std::to_string(i) + "\n";
  append(many);
  std::vector<std::string> all;
  int stretches = 0;
  do {
    for (auto& line : read(follower_, limits::growing_file_piece_bytes)) all.push_back(line);
    EXPECT_LE(last_.bytes, 2 * limits::growing_file_piece_bytes);
    ++stretches;
  } while (last_.more);
  EXPECT_GE(stretches, 4);
  ASSERT_EQ(all.size(), 50'000u);
  EXPECT_EQ(all.back(), "line 49999");
}

TEST_F(LogFollowerTest, PassesOverWhatIsTooMuch) {
  read(follower_);
  const auto file = at("app.log");
  std::filesystem::resize_file(file, 100 * limits::log_bytes_per_run);  // Holes cost no disk.
  append("\nnews\n");
  std::vector<std::string> lines;
  do {
    for (auto& line : read(follower_)) lines.push_back(line);
    if (last_.skipped > 0) {
      EXPECT_GT(last_.skipped, 98 * limits::log_bytes_per_run);
    }
  } while (last_.more);
  EXPECT_THAT(lines, ElementsAre("news"));
}

TEST_F(LogFollowerTest, CutsALineWithoutEnd) {
  read(follower_);
  append(std::string(300'000, 'x') + "\nnext\n");
  const auto lines = read(follower_);
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0].size(), limits::log_line_bytes);
  EXPECT_EQ(lines[1], "next");
}

TEST_F(LogFollowerTest, AFileThatIsNotThereIsAnError) {
  LogFollower nowhere{"/var/log/nowhere.log"};
  const auto reading = nowhere.read(files_, 1000, [](std::string_view) {});
  ASSERT_FALSE(reading);
  EXPECT_EQ(reading.error().code, Errc::missing);
}

}  // namespace
}  // namespace tocsin::checks
