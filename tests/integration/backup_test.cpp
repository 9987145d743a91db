// Real backups in a folder, checked by a real gzip: cut off, missing, spoilt, and well again.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <random>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/json/serialize.hpp>

#include "tests/integration/agent.hpp"

namespace tocsin::integration {
namespace {

using ::testing::HasSubstr;

constexpr const char* gzip = "/bin/gzip";

class Backup : public ::testing::Test {
 protected:
  void SetUp() override {
    if (access(gzip, X_OK) != 0) GTEST_SKIP() << "gzip is not installed: apt-get install gzip";
    for (int night = 6; night > 0; --night) write_backup(name(night), 24h * night - 23h);
  }
  /// The file of so many nights ago; 0 is the one to come.
  std::string name(int nights) const { return "shop-" + std::to_string(9 - nights) + ".sql.gz"; }
  std::string path(const std::string& file) const { return folder_ / file; }

  /// A real gzip file of fresh numbers that was last written `age` ago.
  void write_backup(const std::string& file, Duration age) {
    std::string rows;
    for (int row = 0; row < 4000; ++row)
      rows += "INSERT INTO orders VALUES (" + std::to_string(random_()) + ");\n";
    folder_.write("rows", rows);
    const auto made =
        run({"/bin/sh", "-c",
             std::string{"exec "} + gzip + " -c < " + path("rows") + " > " + path("fresh")});
    ASSERT_EQ(made.code, 0) << made.errors;
    set_age("fresh", age);
    // By rename, as a careful job would: the agent never sees half of it.
    std::filesystem::rename(path("fresh"), path(file));
  }
  void set_age(const std::string& file, Duration age) const {
    const auto written = std::chrono::system_clock::now().time_since_epoch() - age;
    const auto whole = std::chrono::duration_cast<std::chrono::seconds>(written);
    const timespec times[2] = {{whole.count(), 0}, {whole.count(), 0}};
    ASSERT_EQ(utimensat(AT_FDCWD, path(file).c_str(), times, 0), 0);
  }

  void start(const std::string& keys, const std::string& clear) {
    agent_.configure(
        "checks:\n  - name: shop-backup\n    type: backup\n    every: 500ms\n"
        "    confirm_every: 200ms\n    topic: backup\n    files: \"" +
            path("shop-*") + "\"\n    schedule: 2h\n" + keys + "    clear: " + clear + "\n",
        "  recover_hold: 1s\n");
    agent_.start();
    ASSERT_TRUE(eventually([&] { return sample("backups") == 6; }))
        << agent_.command({"check"}).output;
  }
  double sample(const std::string& sample_name) const {
    return agent_.metric("tocsin_backup_" + sample_name + "{check=\"shop-backup\"}");
  }
  std::string detail(const json::value& incident) const {
    return json::serialize(agent_.incident(text_at(incident, "id")));
  }

  Folder folder_;
  std::minstd_rand random_{7};
  Agent agent_;
};

TEST_F(Backup, ThatWasCutOffOpensAnIncidentAndAWholeOneEndsIt) {
  start("", "size_vs_median_ratio >= 50%");
  EXPECT_NEAR(sample("size_vs_median_ratio"), 1, 0.05);
  write_backup("cut", 10min);
  std::filesystem::resize_file(path("cut"), std::filesystem::file_size(path("cut")) / 3);
  set_age("cut", 10min);
  std::filesystem::rename(path("cut"), path(name(0)));
  const auto open = agent_.wait_for_incident("backup", "open");
  EXPECT_THAT(text_at(open, "title"), HasSubstr("CRITICAL: backup on web-1: size_vs_median_ratio"));
  EXPECT_THAT(text_at(open, "alerts", 0, "why"), HasSubstr("< 50%"));
  EXPECT_THAT(text_at(open, "summary", "probable_cause"), HasSubstr(path(name(0)) + " has "));
  EXPECT_THAT(text_at(open, "summary", "probable_cause"), HasSubstr("it may be cut off"));
  EXPECT_THAT(detail(open), HasSubstr("Newest backup "));
  EXPECT_THAT(detail(open), HasSubstr("Median size of those before the newest: "));
  write_backup(name(0), 5min);
  agent_.wait_for_incident("backup", "resolved");
}

TEST_F(Backup, ThatIsOverdueOpensAnIncidentAndTheNextOneEndsIt) {
  start("", "overdue_seconds <= 0 and backups >= 1");
  EXPECT_EQ(sample("overdue_seconds"), 0);
  // The job died in the middle: what it left is no backup.
  set_age(name(1), 3h);
  folder_.write(name(0) + ".part", "half");
  const auto open = agent_.wait_for_incident("backup", "open");
  EXPECT_THAT(text_at(open, "title"), HasSubstr("overdue_seconds 1h"));
  EXPECT_THAT(
      text_at(open, "summary", "probable_cause"),
      HasSubstr("the newest backup is 3h old and one is due every 2h; a later attempt left " +
                path(name(0) + ".part")));
  EXPECT_THAT(detail(open), HasSubstr("Left out because its name ends in .part"));
  write_backup(name(0), 5min);
  agent_.wait_for_incident("backup", "resolved");
}

TEST_F(Backup, ThatIsGoneIsSaidToBeGone) {
  start("", "backups >= 1");
  std::filesystem::remove_all(folder_.path());
  const auto open = agent_.wait_for_incident("backup", "open");
  EXPECT_THAT(text_at(open, "title"), HasSubstr("backups 0 < 1"));
  EXPECT_THAT(text_at(open, "summary", "probable_cause"),
              HasSubstr("there is no backup: the folder " + folder_.path() + " does not exist"));
  std::filesystem::create_directory(folder_.path());
  write_backup(name(1), 1h);
  agent_.wait_for_incident("backup", "resolved");
}

TEST_F(Backup, ThatDoesNotVerifyOpensAnIncidentAndAGoodOneEndsIt) {
  start(std::string{"    verify: ["} + gzip + ", --test, \"{file}\"]\n", "verified >= 1");
  ASSERT_TRUE(eventually([&] { return sample("verified") == 1; }));
  // The right size and the right age, but spoilt in the middle.
  write_backup("spoilt", 10min);
  {
    std::fstream file{path("spoilt"), std::ios::in | std::ios::out | std::ios::binary};
    file.seekp(static_cast<std::streamoff>(std::filesystem::file_size(path("spoilt")) / 2));
    file << std::string(64, '\xff');
  }
  set_age("spoilt", 10min);
  std::filesystem::rename(path("spoilt"), path(name(0)));
  const auto open = agent_.wait_for_incident("backup", "open");
  EXPECT_THAT(text_at(open, "title"), HasSubstr("verified 0 < 1"));
  EXPECT_THAT(text_at(open, "summary", "probable_cause"),
              HasSubstr("the newest backup could not be verified: gzip ended with exit code 1"));
  EXPECT_THAT(detail(open), HasSubstr("Verified: gzip ended with exit code 1 after "));
  EXPECT_THAT(detail(open), HasSubstr(name(0) + ": ")) << "gzip names the file";
  write_backup(name(0), 5min);
  agent_.wait_for_incident("backup", "resolved");
}

TEST_F(Backup, ThatMayNotBeLookedAtIsUnknown) {
  if (geteuid() == 0) GTEST_SKIP() << "root may look at everything";
  start("", "backups >= 1");
  ASSERT_EQ(chmod(folder_.path().c_str(), 0), 0);
  const auto open = agent_.wait_for_incident("backup", "open");
  EXPECT_THAT(text_at(open, "alerts", 0, "why"), HasSubstr("cannot be read: Permission denied"));
  ASSERT_EQ(chmod(folder_.path().c_str(), 0700), 0);
}

}  // namespace
}  // namespace tocsin::integration
