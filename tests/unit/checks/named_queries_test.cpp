#include "checks/named_queries.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/checks/made_check.hpp"

namespace tocsin::checks {
namespace {

using checks_test::map_of;
using checks_test::NoSecrets;
using checks_test::word;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<std::string> complaints(const NamedQueries& queries) {
  static const std::vector<SampleSpec> own{{"up", Unit::none, "."}};
  Complaints all;
  const NoSecrets secrets;
  Decoding decoding{all, secrets, {}};
  judge_queries(queries, own, map_of({{"queries", map_of({})}}), decoding);
  std::vector<std::string> sentences;
  for (const auto& complaint : all.all())
    sentences.push_back(complaint.path + ": " + complaint.message);
  return sentences;
}

TEST(NamedQueries, BecomeSamplesWithTheUnitOfTheirName) {
  const std::vector<SampleSpec> own{{"up", Unit::none, "."}};
  const auto specs = specs_with_queries(
      own, {{"oldest_order_seconds", "x"}, {"signups", "x"}, {"spool_bytes", "x"}});
  ASSERT_EQ(specs.size(), 4u);
  EXPECT_EQ(specs[0].name, "up");
  EXPECT_EQ(specs[1].name, "oldest_order_seconds");
  EXPECT_EQ(specs[1].unit, Unit::seconds);
  EXPECT_EQ(specs[2].unit, Unit::none);
  EXPECT_EQ(specs[3].unit, Unit::bytes);
  EXPECT_EQ(unit_of_query("hit_ratio"), Unit::ratio);
  EXPECT_EQ(unit_of_query("orders_per_second"), Unit::per_second);
  EXPECT_EQ(unit_of_query("wal_bytes_per_second"), Unit::bytes_per_second);
}

TEST(NamedQueries, NamesMustBeFitForRulesAndNew) {
  EXPECT_THAT(complaints({{"signups", "SELECT 1"}}), IsEmpty());
  EXPECT_THAT(complaints({{"up", "SELECT 1"}}), ElementsAre(HasSubstr("queries: the name \"up\"")));
  EXPECT_THAT(complaints({{"Sign ups", "SELECT 1"}}), ElementsAre(HasSubstr("small letters")));
  EXPECT_THAT(complaints({{"9lives", "SELECT 1"}}), ElementsAre(HasSubstr("small letters")));
  EXPECT_THAT(complaints({{"a", " \n"}}), ElementsAre(HasSubstr("needs a statement")));
  NamedQueries many;
  for (std::size_t i = 0; i <= named_queries_max; ++i) many["q" + std::to_string(i)] = "SELECT 1";
  EXPECT_THAT(complaints(many), ElementsAre(HasSubstr("at most 32 queries, found 33")));
}

TEST(NamedQueries, GiveOneNumber) {
  EXPECT_EQ(*number_of_result(1, 1, "42"), 42.0);
  EXPECT_EQ(*number_of_result(1, 1, " -1.5e3 "), -1500.0);
  EXPECT_EQ(*number_of_result(1, 1, "t"), 1.0);
  EXPECT_EQ(*number_of_result(1, 1, "f"), 0.0);
}

TEST(NamedQueries, NullIsNoSampleAndNoFault) {
  const auto none = number_of_result(1, 1, std::nullopt);
  ASSERT_TRUE(none);
  EXPECT_FALSE(none->has_value());
}

TEST(NamedQueries, AnythingElseIsAFaultThatSaysWhatStoodThere) {
  EXPECT_THAT(number_of_result(0, 1, std::nullopt).error().detail,
              HasSubstr("gave 0 rows of 1 column, expected one row with one number"));
  EXPECT_THAT(number_of_result(3, 2, "1").error().detail, HasSubstr("gave 3 rows of 2 columns"));
  for (const auto* text : {"many", "", "1,5", "nan", "inf", "0x10", "1 2"})
    EXPECT_FALSE(number_of_result(1, 1, text)) << text;
  EXPECT_THAT(number_of_result(1, 1, std::string(5000, 'x')).error().detail.size(),
              ::testing::Lt(300u));
}

}  // namespace
}  // namespace tocsin::checks
