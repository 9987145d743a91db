// Beats that wait for the agent to start.
#include "agent/app/beat_spool.hpp"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tocsin/base/limits.hpp"

namespace tocsin::app {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

namespace fs = std::filesystem;

class BeatSpool : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = fs::temp_directory_path() / "tocsin-beats-XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    state_ = name;
    folder_ = beat_spool(state_);
    make_beat_spool(folder_);
  }
  void TearDown() override { fs::remove_all(state_); }

  Result<void> spool(std::string note, std::chrono::seconds at = 1'790'000'000s) {
    return spool_beat(folder_, {.check = "nightly",
                                .beat = {.kind = Beat::Kind::exit,
                                         .exit_code = 3,
                                         .run = "r1",
                                         .at = {{}, WallTime{at}},
                                         .took = 90s,
                                         .note = std::move(note)},
                                .file = {}});
  }

  std::string state_, folder_;
};

TEST_F(BeatSpool, GivesBackWhatWasLeftOldestFirst) {
  ASSERT_TRUE(spool("second", 1'790'000'060s));
  ASSERT_TRUE(spool("first\n\xff postgres://a:hunter2@b/"));
  const auto waiting = spooled_beats(folder_);
  ASSERT_THAT(waiting, SizeIs(2));
  const auto& beat = waiting[0].beat;
  EXPECT_EQ(waiting[0].check, "nightly");
  EXPECT_EQ(beat.kind, Beat::Kind::exit);
  EXPECT_EQ(beat.exit_code, 3);
  EXPECT_EQ(beat.run, "r1");
  EXPECT_EQ(beat.at.wall, WallTime{1'790'000'000s});
  EXPECT_EQ(beat.took, Duration{90s});
  EXPECT_THAT(beat.note, testing::StartsWith("first\n\xef\xbf\xbd postgres://"));
  EXPECT_THAT(beat.note, testing::Not(HasSubstr("hunter2")));
  EXPECT_EQ(waiting[1].beat.note, "second");
  EXPECT_THAT(spooled_beats(folder_), SizeIs(2)) << "they stay until they are kept elsewhere";
}

TEST_F(BeatSpool, HoldsSoManyAndNoMore) {
  for (int i = 0; i < 999; ++i) std::ofstream{folder_ + "/" + std::to_string(i) + ".json"} << "{}";
  ASSERT_TRUE(spool(std::string(100'000, 'x')));
  const auto refused = spool("one more");
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().detail, HasSubstr("holds as many beats as it may"));
  std::uintmax_t bytes = 0;
  for (const auto& file : fs::directory_iterator{folder_}) bytes += file.file_size();
  EXPECT_LT(bytes, 1000 * (limits::beat_note_bytes + 1000));
}

TEST_F(BeatSpool, PassesOverWhatIsNoBeat) {
  std::ofstream{folder_ + "/1.json"} << "{]";
  std::ofstream{folder_ + "/2.json"} << R"({"kind":99,"at":1})";
  std::ofstream{folder_ + "/3.json"} << R"({"kind":1,"at":-1})";
  std::ofstream{folder_ + "/4.json.new"} << "half a beat";
  std::ofstream{state_ + "/secret"} << R"({"check":"a","kind":1,"at":1,"note":"secret"})";
  fs::create_symlink(state_ + "/secret", folder_ + "/5.json");
  ASSERT_EQ(::mkfifo((folder_ + "/6.json").c_str(), 0600), 0);
  EXPECT_THAT(spooled_beats(folder_), IsEmpty());
  EXPECT_TRUE(fs::exists(state_ + "/secret"));
  EXPECT_FALSE(fs::exists(folder_ + "/1.json"));
}

TEST_F(BeatSpool, IsReadByTheFoldersGroup) {
  if (::getuid() != 0) GTEST_SKIP() << "only root may give a folder away";
  constexpr gid_t agents = 65'534;
  ASSERT_EQ(::chown(folder_.c_str(), 65'534, agents), 0);
  ASSERT_TRUE(spool("for you"));
  struct stat about {};
  ASSERT_EQ(::stat(spooled_beats(folder_).at(0).file.c_str(), &about), 0);
  EXPECT_EQ(about.st_gid, agents);
  EXPECT_EQ(about.st_mode & 0777u, 0640u);
}

TEST_F(BeatSpool, SaysSoWhenThereIsNoFolder) {
  fs::remove_all(folder_);
  const auto refused = spool("lost");
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().detail, HasSubstr("takes no beat: No such file"));
  EXPECT_THAT(spooled_beats(folder_), IsEmpty());
}

}  // namespace
}  // namespace tocsin::app
