#include "tocsin/base/unit.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "tocsin/base/secret.hpp"

namespace tocsin {
namespace {

TEST(ParseQuantity, ReadsWhatFits) {
  EXPECT_DOUBLE_EQ(*parse_quantity("4", Unit::none), 4);
  EXPECT_DOUBLE_EQ(*parse_quantity("-0.5", Unit::none), -0.5);
  EXPECT_DOUBLE_EQ(*parse_quantity("40%", Unit::ratio), 0.4);
  EXPECT_DOUBLE_EQ(*parse_quantity("150%", Unit::ratio), 1.5);
  EXPECT_DOUBLE_EQ(*parse_quantity("0.4", Unit::ratio), 0.4);
  EXPECT_DOUBLE_EQ(*parse_quantity("500ms", Unit::seconds), 0.5);
  EXPECT_DOUBLE_EQ(*parse_quantity("-50ms", Unit::seconds), -0.05);
  EXPECT_DOUBLE_EQ(*parse_quantity("1m30s", Unit::seconds), 90);
  EXPECT_DOUBLE_EQ(*parse_quantity("5GiB", Unit::bytes), 5.0 * (1u << 30));
  EXPECT_DOUBLE_EQ(*parse_quantity("1.5 kB", Unit::bytes), 1500);
  EXPECT_DOUBLE_EQ(*parse_quantity("4", Unit::hours), 4);
  EXPECT_DOUBLE_EQ(*parse_quantity("90m", Unit::hours), 1.5);
  EXPECT_DOUBLE_EQ(*parse_quantity("3d", Unit::days), 3);
  EXPECT_DOUBLE_EQ(*parse_quantity("12h", Unit::days), 0.5);
  EXPECT_DOUBLE_EQ(*parse_quantity("10", Unit::per_second), 10);
  EXPECT_DOUBLE_EQ(*parse_quantity("5MiB/s", Unit::bytes_per_second), 5.0 * (1u << 20));
  EXPECT_DOUBLE_EQ(*parse_quantity("5MB", Unit::bytes_per_second), 5e6);
}

TEST(ParseQuantity, RefusesUnitsThatDoNotFit) {
  struct Case {
    const char* text;
    Unit unit;
  };
  for (const auto& [text, unit] :
       {Case{"4s", Unit::none}, Case{"40", Unit::ratio}, Case{"4s", Unit::ratio},
        Case{"-0.1", Unit::ratio}, Case{"5", Unit::seconds}, Case{"5GB", Unit::seconds},
        Case{"5", Unit::bytes}, Case{"5gib", Unit::bytes}, Case{"5s", Unit::bytes},
        Case{"", Unit::none}, Case{"inf", Unit::none}, Case{"nan", Unit::none},
        Case{"1e9", Unit::none}, Case{"0x10", Unit::none}, Case{"-", Unit::none},
        Case{"4%", Unit::hours}, Case{"5MiB/h", Unit::bytes_per_second}}) {
    EXPECT_FALSE(parse_quantity(text, unit)) << text;
  }
  EXPECT_EQ(parse_quantity("40", Unit::ratio).error().detail,
            "a share needs its % (\"40%\"), or a number from 0 to 1");
}

TEST(DescribeQuantity, ReadsWell) {
  EXPECT_EQ(describe_quantity(0.432, Unit::ratio), "43.2%");
  EXPECT_EQ(describe_quantity(1.5 * (1u << 30), Unit::bytes), "1.5 GiB");
  EXPECT_EQ(describe_quantity(1023.9, Unit::bytes), "1 KiB");
  EXPECT_EQ(describe_quantity(725, Unit::seconds), "12m 5s");
  EXPECT_EQ(describe_quantity(4.2, Unit::none), "4.2");
  EXPECT_EQ(describe_quantity(3.5, Unit::hours), "3h 30m");
  EXPECT_EQ(describe_quantity(-0.05, Unit::seconds), "-50ms");
  EXPECT_EQ(describe_quantity(std::numeric_limits<double>::infinity(), Unit::hours), "inf");
  EXPECT_EQ(describe_quantity(1e300, Unit::bytes).substr(0, 1), "8");
}

TEST(Metrics, UseBaseUnits) {
  EXPECT_EQ(metric_suffix(Unit::hours), "seconds");
  EXPECT_EQ(metric_scale(Unit::hours), 3'600);
  EXPECT_EQ(metric_scale(Unit::days), 86'400);
  EXPECT_EQ(metric_scale(Unit::bytes), 1);
  EXPECT_EQ(metric_suffix(Unit::none), "");
}

TEST(Secret, MovesWithoutLeavingACopy) {
  for (const std::string& text : {std::string{"short"}, std::string(200, 'x')}) {
    Secret from{text};
    Secret to{std::move(from)};
    EXPECT_EQ(to.reveal(), text);
    EXPECT_TRUE(from.empty());  // NOLINT(bugprone-use-after-move): what is left behind is the point
    Secret assigned{"before"};
    assigned = std::move(to);
    EXPECT_EQ(assigned.reveal(), text);
    Secret copy;
    copy = assigned;
    EXPECT_EQ(copy, assigned);
  }
  std::ostringstream out;
  out << Secret{"hunter2"};
  EXPECT_EQ(out.str(), "<secret>");
}

}  // namespace
}  // namespace tocsin
