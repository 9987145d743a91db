#include "agent/app/table.hpp"

#include <gtest/gtest.h>

namespace tocsin::app {
namespace {

TEST(Table, ColumnsAreAsWideAsTheyNeedToBe) {
  Table table{{"CHECK", "STATE", "WHAT"}};
  table.add({"nginx", "ok", "up 1"});
  table.add({"a longer name", "critical", "up 0"});
  EXPECT_EQ(table.text(100, false),
            "CHECK          STATE     WHAT\n"
            "nginx          ok        up 1\n"
            "a longer name  critical  up 0\n");
}

TEST(Table, OnlyTheLastColumnIsCutToTheTerminal) {
  Table table{{"A", "B"}};
  table.add({"one", std::string(200, 'x')});
  const auto text = table.text(40, false);
  const auto row = text.substr(text.find('\n') + 1);
  EXPECT_LE(row.size(), 41u + 2u) << "an ellipsis may be longer than a letter";
  EXPECT_EQ(row.substr(0, 6), "one  x");
}

TEST(Table, LettersOfManyBytesDoNotPushColumnsAbout) {
  Table table{{"A", "B"}};
  table.add({"åäö", "x"});
  table.add({"abc", "y"});
  EXPECT_EQ(table.text(100, false), "A    B\nåäö  x\nabc  y\n");
}

TEST(Table, ColourGoesAroundTheWordAlone) {
  Table table{{"STATE", "B"}};
  table.add({"ok", "x"});
  EXPECT_EQ(table.text(100, true), "STATE  B\n\033[32mok\033[0m     x\n");
  EXPECT_EQ(coloured("critical", false), "critical");
  EXPECT_EQ(coloured("nginx", true), "nginx");
}

TEST(Table, RowsMayBeShort) {
  Table table{{"A", "B"}};
  EXPECT_TRUE(table.empty());
  table.add({"one"});
  EXPECT_EQ(table.text(100, false), "A    B\none\n");
}

}  // namespace
}  // namespace tocsin::app
