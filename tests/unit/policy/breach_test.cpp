#include "agent/policy/breach.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/unit/policy/looks.hpp"

namespace tocsin::policy {
namespace {

const std::vector<SampleSpec> disk{{"used_ratio", Unit::ratio, "", "mount"},
                                   {"free_bytes", Unit::bytes, "", "mount"},
                                   {"load1", Unit::none, ""},
                                   {"await_seconds", Unit::seconds, "", "device"}};

std::optional<std::string> why(const std::string& rule, const Samples& samples) {
  return breach(Looks::rule(rule, disk), disk, samples);
}

TEST(Breach, SaysValueThresholdAndInstance) {
  EXPECT_EQ(why("used_ratio > 40%", {{0, 0.432, ""}}), "used_ratio 43.2% > 40%");
  EXPECT_EQ(why("used_ratio > 40%", {{0, 0.432, "/var"}}), "used_ratio 43.2% > 40% (/var)");
  EXPECT_EQ(why("load1 >= 4", {{2, 4, ""}}), "load1 4 >= 4");
  EXPECT_EQ(why("used_ratio > 40%", {{0, 0.4, ""}}), std::nullopt);
  EXPECT_EQ(why("used_ratio > 40%", {}), std::nullopt);
}

TEST(Breach, NamesTheMostExtremeInstance) {
  const Samples samples{{0, 0.96, "/var"}, {0, 0.99, "/home"}, {0, 0.5, "/"}};
  EXPECT_EQ(why("used_ratio > 95%", samples), "used_ratio 99% > 95% (/home)");
  EXPECT_EQ(why("used_ratio < 98%", samples), "used_ratio 50% < 98% (/)");
}

TEST(Breach, AndMustHoldOnTheSameInstance) {
  const std::string rule = "used_ratio > 90% and free_bytes < 1GiB";
  EXPECT_EQ(why(rule, {{0, 0.95, "/a"}, {1, 5e9, "/a"}, {0, 0.5, "/b"}, {1, 1000, "/b"}}),
            std::nullopt);
  const auto both = why(rule, {{0, 0.99, "/a"}, {1, 5e9, "/a"}, {0, 0.95, "/b"}, {1, 0, "/b"}});
  ASSERT_TRUE(both);
  EXPECT_NE(both->find("used_ratio 95% > 90% (/b) and free_bytes"), std::string::npos) << *both;
}

TEST(Breach, SamplesWithoutAnInstanceCombineWithAny) {
  EXPECT_TRUE(why("used_ratio > 90% and load1 > 2", {{0, 0.95, "/a"}, {2, 3, ""}}));
  EXPECT_FALSE(why("used_ratio > 90% and load1 > 2", {{0, 0.95, "/a"}, {2, 1, ""}}));
  // Mounts and devices are different things.
  EXPECT_TRUE(why("used_ratio > 90% and await_seconds > 1s", {{0, 0.95, "/a"}, {3, 2, "sda"}}));
}

TEST(Breach, NotANumberNeverMatches) {
  const double nan = std::nan("");
  for (const auto* rule :
       {"load1 > 1", "load1 < 1", "load1 >= 1", "load1 <= 1", "load1 == 1", "load1 != 1"}) {
    EXPECT_FALSE(why(rule, {{2, nan, ""}})) << rule;
    EXPECT_FALSE(all_clear(Looks::rule(rule, disk), disk, {{2, nan, ""}})) << rule;
  }
}

TEST(Breach, EveryComparison) {
  struct Case {
    const char* rule;
    double value;
    bool breaches;
  };
  for (const auto& [rule, value, breaches] :
       std::initializer_list<Case>{{"load1 > 1", 1, false},
                                   {"load1 > 1", 1.1, true},
                                   {"load1 >= 1", 1, true},
                                   {"load1 >= 1", 0.9, false},
                                   {"load1 < 1", 1, false},
                                   {"load1 < 1", 0.9, true},
                                   {"load1 <= 1", 1, true},
                                   {"load1 <= 1", 1.1, false},
                                   {"load1 == 1", 1, true},
                                   {"load1 == 1", 2, false},
                                   {"load1 != 1", 2, true},
                                   {"load1 != 1", 1, false}}) {
    EXPECT_EQ(why(rule, {{2, value, ""}}).has_value(), breaches) << rule << " at " << value;
  }
}

TEST(Breach, PluginLabelsAreSamples) {
  const std::vector<SampleSpec> specs{{"state", Unit::none, ""},
                                      {"value", Unit::none, "", "label", true}};
  const auto rule = Looks::rule("time > 500ms and state < 2", specs);
  EXPECT_TRUE(breach(rule, specs, {{0, 0, ""}, {1, 0.7, "time"}, {1, 9, "size"}}));
  EXPECT_FALSE(breach(rule, specs, {{0, 0, ""}, {1, 0.3, "time"}, {1, 9, "size"}}));
  EXPECT_FALSE(breach(rule, specs, {{0, 0, ""}, {1, 9, "size"}}));
}

TEST(AllClear, AsksEveryInstance) {
  const auto rule = Looks::rule("used_ratio < 80%", disk);
  EXPECT_TRUE(all_clear(rule, disk, {{0, 0.5, "/a"}, {0, 0.7, "/b"}}));
  EXPECT_FALSE(all_clear(rule, disk, {{0, 0.5, "/a"}, {0, 0.9, "/b"}}));
  EXPECT_FALSE(all_clear(rule, disk, {{2, 1, ""}}));
}

TEST(Breach, IgnoresSamplesOfNoSpec) { EXPECT_FALSE(why("load1 > 1", {{60000, 5, ""}})); }

}  // namespace
}  // namespace tocsin::policy
