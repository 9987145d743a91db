#include "agent/runtime/file_finder.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/fakes/fake_host.hpp"
#include "tocsin/base/limits.hpp"

namespace tocsin::runtime {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class FileFinderTest : public ::testing::Test {
 protected:
  /// A file that was last written `seconds` after 2023-11-14T22:13:20Z.
  void put(const std::string& path, std::size_t bytes, int seconds) {
    root.write(path, std::string(bytes, 'x'));
    const timespec times[2] = {{1'700'000'000 + seconds, 0}, {1'700'000'000 + seconds, 5000}};
    ASSERT_EQ(::utimensat(AT_FDCWD, (root.folder() + path).c_str(), times, 0), 0);
  }
  Finding find(const std::string& pattern) const {
    return find_files_here(root.folder() + pattern);
  }
  /// The paths found, below the root.
  std::vector<std::string> paths(const std::string& pattern) const {
    std::vector<std::string> out;
    const auto finding = find(pattern);
    EXPECT_EQ(finding.failed_with, 0) << finding.failed_at;
    for (const auto& file : finding.files.newest)
      out.push_back(file.path.substr(root.folder().size()));
    return out;
  }
  fakes::FixtureRoot root;
};

TEST_F(FileFinderTest, GivesTheNewestFirstWithSizeAndTime) {
  put("/b/monday.dump", 3, 10);
  put("/b/tuesday.dump", 5, 20);
  put("/b/notes.txt", 1, 30);
  put("/b/.hidden.dump", 1, 40);
  root.make_folder("/b/folder.dump");
  const auto finding = find("/b/*.dump");
  ASSERT_EQ(finding.files.newest.size(), 2u);
  EXPECT_EQ(finding.files.matched, 2u);
  const auto& newest = finding.files.newest.front();
  EXPECT_EQ(newest.path, root.folder() + "/b/tuesday.dump");
  EXPECT_EQ(newest.bytes, 5u);
  EXPECT_EQ(newest.modified,
            WallTime{std::chrono::seconds{1'700'000'020} + std::chrono::microseconds{5}});
  EXPECT_GT(newest.changed, newest.modified) << "the inode was made just now";
  EXPECT_THAT(paths("/b/monday.dump"), ElementsAre("/b/monday.dump")) << "no wildcard at all";
  EXPECT_THAT(paths("/b/.h*"), ElementsAre("/b/.hidden.dump"));
}

TEST_F(FileFinderTest, LooksThroughFoldersThatMatch) {
  put("/backups/db1/full.gz", 1, 10);
  put("/backups/db2/full.gz", 1, 20);
  put("/backups/db2/part.gz", 1, 30);
  put("/backups/readme", 1, 40);
  EXPECT_THAT(paths("/backups/db?/full.gz"),
              ElementsAre("/backups/db2/full.gz", "/backups/db1/full.gz"));
  EXPECT_THAT(paths("/backups/*/full.gz"),
              ElementsAre("/backups/db2/full.gz", "/backups/db1/full.gz"));
  EXPECT_THAT(paths("/*/*/[!f]*.gz"), ElementsAre("/backups/db2/part.gz"));
}

TEST_F(FileFinderTest, CountsAFileOnceHoweverManyNamesItHas) {
  put("/b/2026.dump", 7, 10);
  root.link("/b/0-latest.dump", "2026.dump");
  root.link("/b/broken.dump", "nothing");
  ASSERT_EQ(::link((root.folder() + "/b/2026.dump").c_str(), (root.folder() + "/b/x.dump").c_str()),
            0);
  const auto finding = find("/b/*.dump");
  EXPECT_EQ(finding.files.matched, 1u);
  ASSERT_EQ(finding.files.newest.size(), 1u);
  EXPECT_NE(finding.files.newest.front().path, root.folder() + "/b/0-latest.dump")
      << "its own name rather than a link's";
  EXPECT_EQ(finding.files.newest.front().bytes, 7u);
}

TEST_F(FileFinderTest, SaysWhichFolderIsMissing) {
  const auto finding = find("/gone/*.dump");
  EXPECT_EQ(finding.failed_with, 0);
  EXPECT_EQ(finding.files.matched, 0u);
  EXPECT_EQ(finding.files.missing, root.folder() + "/gone");
  root.write("/file", "x");
  EXPECT_EQ(find("/file/*.dump").files.missing, root.folder() + "/file");
  root.make_folder("/empty");
  EXPECT_EQ(find("/empty/*.dump").files.missing, "");
  EXPECT_EQ(find("/*/gone/*.dump").files.missing, "") << "nobody named that one";
}

TEST_F(FileFinderTest, FailsWhereItMayNotLook) {
  if (::geteuid() == 0) {
    // root may read everything; a loop of links cannot be followed, and a name can be too long.
    const auto finding = find("/" + std::string(300, 'x') + "/*");
    EXPECT_EQ(finding.failed_with, ENAMETOOLONG);
    return;
  }
  put("/closed/a.dump", 1, 1);
  ASSERT_EQ(::chmod((root.folder() + "/closed").c_str(), 0), 0);
  const auto finding = find("/closed/*.dump");
  EXPECT_EQ(finding.failed_with, EACCES);
  EXPECT_EQ(finding.failed_at, root.folder() + "/closed");
  ::chmod((root.folder() + "/closed").c_str(), 0700);
}

TEST_F(FileFinderTest, KeepsOnlyTheNewestOfVeryMany) {
  for (int i = 0; i < static_cast<int>(limits::files_found) + 20; ++i)
    put("/b/" + std::to_string(i), 1, i);
  const auto finding = find("/b/*");
  EXPECT_EQ(finding.files.matched, limits::files_found + 20);
  ASSERT_EQ(finding.files.newest.size(), limits::files_found);
  EXPECT_EQ(finding.files.newest.front().path,
            root.folder() + "/b/" + std::to_string(limits::files_found + 19));
  EXPECT_EQ(finding.files.newest.back().path, root.folder() + "/b/20");
}

TEST(PackedFinding, ReadsBackAsItWas) {
  Finding finding;
  finding.failed_with = EACCES;
  finding.failed_at = "/b";
  finding.files.missing = "/c";
  finding.files.matched = 12;
  finding.files.newest = {
      {"/b/a", 1, WallTime{std::chrono::seconds{5}}, WallTime{std::chrono::seconds{-5}}},
      {"", 0, {}, {}}};
  const auto back = unpack(pack(finding));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->failed_with, EACCES);
  EXPECT_EQ(back->failed_at, "/b");
  EXPECT_EQ(back->files, finding.files);
}

TEST(PackedFinding, IsRefusedWhenItIsCut) {
  Finding finding;
  finding.files.newest = {{"/b/some-name", 1, {}, {}}};
  const auto whole = pack(finding);
  // A cut just before the file is a finding without it.
  const auto without =
      whole.size() - (4 * sizeof(std::uint64_t) + finding.files.newest[0].path.size());
  for (std::size_t length = 0; length < whole.size(); ++length)
    EXPECT_EQ(static_cast<bool>(unpack(whole.substr(0, length))), length == without) << length;
}

TEST(PackedFinding, StaysWithinItsBound) {
  Finding finding;
  for (std::size_t i = 0; i < limits::files_found; ++i)
    finding.files.newest.push_back({"/" + std::string(4000, 'a'), i, {}, {}});
  const auto packed = pack(finding);
  EXPECT_LE(packed.size(), packed_bytes_max);
  EXPECT_GT(unpack(packed)->files.newest.size(), 20u);
}

}  // namespace
}  // namespace tocsin::runtime
