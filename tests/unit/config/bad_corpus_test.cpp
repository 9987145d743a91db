#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "agent/config/settings.hpp"
#include "tests/unit/config/fake_types.hpp"
#include "tocsin/base/limits.hpp"

namespace tocsin::config {
namespace {

namespace fs = std::filesystem;

const fs::path& folder() {
  static const fs::path path = fs::path{TOCSIN_SOURCE_DIR} / "tests/fixtures/config/bad";
  return path;
}

std::string contents(const fs::path& path) {
  const std::ifstream file{path, std::ios::binary};
  std::ostringstream out;
  out << file.rdbuf();
  return out.str();
}

std::vector<std::string> bad_files() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator{folder()})
    if (entry.path().extension() == ".yaml") names.push_back(entry.path().stem());
  std::ranges::sort(names);
  return names;
}

/// Complaints name files as they were given: each test works in the folder, so that they name no
/// folder of this machine.
class InFolder {
 public:
  explicit InFolder(const fs::path& path) : before_{fs::current_path()} { fs::current_path(path); }
  ~InFolder() { fs::current_path(before_); }
  InFolder(const InFolder&) = delete;
  InFolder& operator=(const InFolder&) = delete;

 private:
  fs::path before_;
};

class BadConfiguration : public testing::TestWithParam<std::string> {};

/// Every bad file beside exactly what is said of it. TOCSIN_UPDATE_GOLDEN=1 writes down what is
/// said now.
TEST_P(BadConfiguration, IsReportedExactlySo) {
  const InFolder working_folder{folder()};
  ::setenv("TOCSIN_TEST_SECRET", "hunter2", 1);
  const auto secrets = system_secrets();
  const auto loaded = load_file(GetParam() + ".yaml", fake_registry(), *secrets);
  EXPECT_FALSE(loaded.settings) << "a bad file was accepted";
  EXPECT_FALSE(loaded.complaints.empty());
  const auto expected = folder() / (GetParam() + ".expected");
  if (std::getenv("TOCSIN_UPDATE_GOLDEN") != nullptr)
    std::ofstream{expected, std::ios::binary} << loaded.report;
  ASSERT_TRUE(fs::exists(expected)) << "write it with TOCSIN_UPDATE_GOLDEN=1, then read it";
  EXPECT_EQ(loaded.report, contents(expected));
  EXPECT_EQ(loaded.report.find("hunter2"), std::string::npos) << "a secret was printed";
  EXPECT_EQ(loaded.report.find("xoxb-1"), std::string::npos) << "a token was printed";
  for (const char c : loaded.report)
    EXPECT_TRUE(c == '\n' || static_cast<unsigned char>(c) >= 0x20);
}

INSTANTIATE_TEST_SUITE_P(Corpus, BadConfiguration, testing::ValuesIn(bad_files()),
                         [](const auto& file) { return file.param; });

TEST(BadConfigurations, AreManyAndNoneIsLeftOver) {
  EXPECT_GE(bad_files().size(), 40u);
  for (const auto& entry : fs::directory_iterator{folder()}) {
    if (entry.path().extension() != ".expected") continue;
    auto yaml = entry.path();
    EXPECT_TRUE(fs::exists(yaml.replace_extension(".yaml")))
        << entry.path() << " belongs to no file";
  }
}

/// A folder of its own, gone at the end.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    auto name = (fs::temp_directory_path() / "tocsin-config-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error{"no temporary folder"};
    path_ = name;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

TEST(BadConfigurations, TenMegabytesOfNestingAreOneSentence) {
  const TemporaryFolder temporary;
  const auto file = temporary.path() / "nesting.yaml";
  std::ofstream{file} << "checks: " << std::string(10u << 20, '[');
  const auto loaded = load_file(file, fake_registry(), *system_secrets());
  ASSERT_EQ(loaded.complaints.size(), 1u);
  EXPECT_EQ(loaded.complaints[0].message, "larger than 1MiB, the most that is read");
}

TEST(BadConfigurations, NestingBelowTheSizeLimitIsOneSentenceToo) {
  for (const char* piece : {"[", "{", "- ", "? ", "a: {", "[{", "- - "}) {
    std::string text = "checks: \n";
    while (text.size() < limits::config_file_bytes - 10) text += piece;
    const auto loaded = load_text("nesting.yaml", text, fake_registry(), *system_secrets());
    EXPECT_EQ(loaded.complaints.size(), 1u) << piece;
    EXPECT_LT(loaded.report.size(), 1'000u);
  }
}

TEST(BadConfigurations, HugeFlatFilesEndQuickly) {
  std::string text;
  for (int i = 0; text.size() < limits::config_file_bytes - 20; ++i)
    text += "k" + std::to_string(i) + ":\n";
  EXPECT_EQ(load_text("keys.yaml", text, fake_registry(), *system_secrets()).complaints.size(), 1u);
  text = "checks:\n";
  while (text.size() < limits::config_file_bytes - 20) text += "- a\n";
  const auto loaded = load_text("items.yaml", text, fake_registry(), *system_secrets());
  EXPECT_FALSE(loaded.settings);
  EXPECT_LT(loaded.report.size(), 50'000u);
}

TEST(BadConfigurations, AMissingFileIsASentence) {
  const auto loaded = load_file("/nowhere/tocsin.yaml", fake_registry(), *system_secrets());
  EXPECT_EQ(loaded.report, "/nowhere/tocsin.yaml: no such file\n");
}

/// Cutting or flipping bytes anywhere never crashes and never hangs.
TEST(BadConfigurations, DamagedFilesAreSurvived) {
  const auto text = contents(folder() / "many_faults.yaml");
  const auto secrets = system_secrets();
  for (std::size_t cut = 0; cut < text.size(); ++cut) {
    (void)load_text("cut.yaml", text.substr(0, cut), fake_registry(), *secrets);
    auto flipped = text;
    for (const char c : {'\0', '"', '{', ':', '\xff', '&', '*'}) {
      flipped[cut] = c;
      (void)load_text("flipped.yaml", flipped, fake_registry(), *secrets);
    }
  }
}

}  // namespace
}  // namespace tocsin::config
