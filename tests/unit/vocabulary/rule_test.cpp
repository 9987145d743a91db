#include "tocsin/model/rule.hpp"

#include <gtest/gtest.h>

namespace tocsin {
namespace {

using namespace std::chrono_literals;

Rule must_parse(std::string_view text) {
  auto parsed = parse_rule(text);
  if (const auto* fault = std::get_if<RuleFault>(&parsed)) {
    ADD_FAILURE() << text << ": " << fault->offset << ": " << fault->message;
    return {};
  }
  return std::get<Rule>(std::move(parsed));
}

const std::vector<SampleSpec> specs{
    {"used_ratio", Unit::ratio, "Used.", "mount"}, {"free_bytes", Unit::bytes, "Free."},
    {"delay_seconds", Unit::seconds, "Delay."},    {"hours_to_full", Unit::hours, "Hours."},
    {"certificate_days", Unit::days, "Days."},     {"load1", Unit::none, "Load."},
    {"swap_in", Unit::per_second, "Pages."}};

TEST(RuleParse, OneConditionWithAHold) {
  const auto rule = must_parse("iowait_ratio > 40% for 2m");
  ASSERT_EQ(rule.all_of.size(), 1u);
  EXPECT_EQ(rule.all_of[0].sample, "iowait_ratio");
  EXPECT_EQ(rule.all_of[0].comparison, Comparison::greater);
  EXPECT_EQ(rule.all_of[0].quantity, "40%");
  EXPECT_EQ(rule.all_of[0].quantity_at, 15u);
  EXPECT_EQ(rule.hold, Hold{HoldFor{2min}});
  EXPECT_EQ(rule.text, "iowait_ratio > 40% for 2m");
}

TEST(RuleParse, SeveralConditionsAndACount) {
  const auto rule = must_parse("  available_ratio<5% and swap_used_ratio>=80%   for 2 of 3 ");
  ASSERT_EQ(rule.all_of.size(), 2u);
  EXPECT_EQ(rule.all_of[0].comparison, Comparison::less);
  EXPECT_EQ(rule.all_of[1].comparison, Comparison::greater_equal);
  EXPECT_EQ(rule.all_of[1].sample_at, 25u);
  EXPECT_EQ(rule.hold, (Hold{HoldCount{2, 3}}));
}

TEST(RuleParse, EveryComparison) {
  for (const auto* text : {">", ">=", "<", "<=", "==", "!="}) {
    const auto rule = must_parse(std::string{"up "} + text + " 1");
    EXPECT_EQ(to_string(rule.all_of.at(0).comparison), text);
    EXPECT_EQ(rule.hold, Hold{HoldNone{}});
  }
}

TEST(RuleParse, NoHoldAndZeroHoldAreTheSame) {
  EXPECT_EQ(must_parse("up < 1 for 0s").hold, Hold{HoldNone{}});
}

TEST(RuleParse, NamesOfPluginLabels) {
  EXPECT_EQ(must_parse("/var/lib-x.1 > 5").all_of.at(0).sample, "/var/lib-x.1");
  EXPECT_EQ(must_parse("'C:\\ used %' > 5").all_of.at(0).sample, "C:\\ used %");
}

struct Fault {
  const char* text;
  std::size_t offset;
  const char* part;
};

TEST(RuleParse, FaultsSayWhereAndWhat) {
  const Fault cases[] = {
      {"", 0, "empty"},
      {"   ", 0, "empty"},
      {"> 4", 0, "sample's name"},
      {"load1", 5, "comparison"},
      {"load1 4", 6, "found \"4\""},
      {"load1 = 4", 6, "write =="},
      {"load1 => 4", 6, "write >="},
      {"load1 =< 4", 6, "write <="},
      {"load1 <> 4", 6, "no comparison"},
      {"load1 >", 7, "found the end"},
      {"load1 > high", 8, "found \"high\""},
      {"load1 > 4 or up < 1", 10, "list of rules"},
      {"load1 > 4 && up < 1", 10, "write \"and\""},
      {"used_ratio > 40 %", 16, "without a space"},
      {"load1 > 4 and", 13, "sample's name"},
      {"load1 > 4 for", 13, "after \"for\""},
      {"load1 > 4 for 5", 14, "\"for 5m\""},
      {"load1 > 4 for 0 of 3", 14, "at least one"},
      {"load1 > 4 for 4 of 3", 14, "never be reached"},
      {"load1 > 4 for 4 of many", 19, "found \"many\""},
      {"load1 > 4 for 4 of 65", 19, "64"},
      {"load1 > 4 for ages", 14, ""},
      {"load1 > 4 for 5m please", 17, "after the hold"},
      {"'load1 > 4", 0, "quote"},
  };
  for (const auto& c : cases) {
    const auto parsed = parse_rule(c.text);
    const auto* fault = std::get_if<RuleFault>(&parsed);
    ASSERT_NE(fault, nullptr) << c.text;
    EXPECT_EQ(fault->offset, c.offset) << c.text << ": " << fault->message;
    EXPECT_NE(fault->message.find(c.part), std::string::npos) << c.text << ": " << fault->message;
  }
}

TEST(RuleParse, HostileTextIsRefusedOrRead) {
  EXPECT_TRUE(std::holds_alternative<RuleFault>(parse_rule(std::string(100'000, 'a'))));
  std::string many = "a > 1";
  for (int i = 0; i < 40; ++i) many += " and a > 1";
  EXPECT_TRUE(std::holds_alternative<RuleFault>(parse_rule(many)));
  for (int c = 0; c < 256; ++c) {
    const std::string junk(3, static_cast<char>(c));
    parse_rule(junk);
    parse_rule("a > " + junk);
    parse_rule("a > 1 " + junk);
    parse_rule("a > 1 for " + junk);
  }
}

TEST(RuleBind, TurnsQuantitiesIntoTheSamplesUnit) {
  struct Case {
    const char* text;
    double threshold;
  };
  for (const auto& [text, threshold] : std::initializer_list<Case>{{"used_ratio > 40%", 0.4},
                                                                   {"free_bytes < 1KiB", 1024},
                                                                   {"delay_seconds > 500ms", 0.5},
                                                                   {"delay_seconds > 10m", 600},
                                                                   {"hours_to_full < 4", 4},
                                                                   {"hours_to_full < 2d", 48},
                                                                   {"certificate_days < 3", 3},
                                                                   {"load1 > 4.5", 4.5},
                                                                   {"swap_in > 100", 100},
                                                                   {"used_ratio > 0", 0},
                                                                   {"free_bytes > 0.0", 0}}) {
    auto rule = must_parse(text);
    const auto faults = tocsin::bind(rule, specs);
    ASSERT_TRUE(faults.empty()) << text << ": " << faults[0].message;
    EXPECT_DOUBLE_EQ(rule.all_of[0].threshold, threshold) << text;
    EXPECT_EQ(specs[static_cast<std::size_t>(rule.all_of[0].spec)].name, rule.all_of[0].sample);
  }
}

TEST(RuleBind, UnitsMustFit) {
  for (const auto* text : {"used_ratio > 40", "used_ratio > 40ms", "free_bytes < 5", "load1 > 40%",
                           "delay_seconds > 5", "delay_seconds > 5GiB", "swap_in > 5%"}) {
    auto rule = must_parse(text);
    const auto faults = tocsin::bind(rule, specs);
    ASSERT_EQ(faults.size(), 1u) << text;
    EXPECT_EQ(faults[0].offset, rule.all_of[0].quantity_at) << text;
    EXPECT_NE(faults[0].message.find(rule.all_of[0].sample), std::string::npos);
  }
}

TEST(RuleBind, ReportsEveryFaultAndTheNearestName) {
  auto rule = must_parse("used_rato > 40% and delay_seconds > 4 and zzzzzzzz > 1");
  const auto faults = tocsin::bind(rule, specs);
  ASSERT_EQ(faults.size(), 3u);
  EXPECT_EQ(faults[0].offset, 0u);
  EXPECT_NE(faults[0].message.find("did you mean \"used_ratio\"?"), std::string::npos);
  EXPECT_EQ(faults[1].offset, 36u);
  EXPECT_EQ(faults[2].offset, 42u);
  EXPECT_NE(faults[2].message.find("it has used_ratio, free_bytes"), std::string::npos);
}

TEST(RuleBind, AnOpenSpecTakesNamesOfTheRun) {
  const std::vector<SampleSpec> open{{"state", Unit::none, "State."},
                                     {"value", Unit::none, "Perfdata.", "label", true}};
  auto rule = must_parse("state >= 2 and time > 500ms and /var > 5GB");
  ASSERT_TRUE(tocsin::bind(rule, open).empty());
  EXPECT_EQ(rule.all_of[0].spec, 0);
  EXPECT_FALSE(rule.all_of[0].open_instance);
  EXPECT_EQ(rule.all_of[1].spec, -1);
  EXPECT_TRUE(rule.all_of[1].open_instance);
  EXPECT_DOUBLE_EQ(rule.all_of[1].threshold, 0.5);
  EXPECT_DOUBLE_EQ(rule.all_of[2].threshold, 5e9);
}

TEST(RuleBind, BindsAnew) {
  auto rule = must_parse("load1 > 1");
  ASSERT_TRUE(tocsin::bind(rule, specs).empty());
  EXPECT_FALSE(tocsin::bind(rule, std::span{specs}.first(2)).empty());
  EXPECT_EQ(rule.all_of[0].spec, -1);
}

}  // namespace
}  // namespace tocsin
