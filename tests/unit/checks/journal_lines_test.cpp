#include "checks/journal_lines.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tocsin/base/limits.hpp"

namespace tocsin::checks {
namespace {

using ::testing::ElementsAre;

TEST(JournalLines, AreMadeOfPiecesOfAnySize) {
  const std::string_view printed = "one\n\n  more of it\n-- cursor: s=1;i=2\n";
  for (std::size_t length = 1; length <= printed.size(); ++length) {
    std::vector<std::string> seen;
    JournalLines lines{[&](std::string_view line) { seen.emplace_back(line); }};
    EXPECT_EQ(lines.cursor(), "");
    for (std::size_t at = 0; at < printed.size(); at += length)
      lines.add(printed.substr(at, length));
    EXPECT_THAT(seen, ElementsAre("one", "", "  more of it")) << length;
    EXPECT_EQ(lines.cursor(), "s=1;i=2");
  }
}

TEST(JournalLines, AreCut) {
  std::vector<std::string> seen;
  JournalLines lines{[&](std::string_view line) { seen.emplace_back(line); }};
  lines.add(std::string(3000, 'x'));
  lines.add(std::string(3000, 'y') + "\nnext\n");
  ASSERT_EQ(seen.size(), 2u);
  EXPECT_EQ(seen[0].size(), limits::log_line_bytes);
  EXPECT_EQ(seen[1], "next");
}

}  // namespace
}  // namespace tocsin::checks
