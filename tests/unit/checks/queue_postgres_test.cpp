#include "checks/queue_postgres.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tocsin::checks {
namespace {

using ::testing::HasSubstr;

TEST(PostgresQueue, IsARowOfUpToThreeNumbers) {
  const auto whole = read_queue_row({{"12", "34.5", "2"}});
  ASSERT_TRUE(whole);
  EXPECT_TRUE(whole->up);
  EXPECT_EQ(whole->depth, 12);
  EXPECT_EQ(whole->oldest_seconds, 34.5);
  EXPECT_EQ(whole->consumers, 2);
  const auto depth = read_queue_row({{"0"}});
  ASSERT_TRUE(depth);
  EXPECT_EQ(depth->depth, 0);
  EXPECT_FALSE(depth->oldest_seconds);
  EXPECT_FALSE(depth->consumers);
}

TEST(PostgresQueue, AnEmptyOneHasNoOldest) {
  const auto empty = read_queue_row({{"0", std::nullopt, "3"}});
  ASSERT_TRUE(empty);
  EXPECT_FALSE(empty->oldest_seconds);
  EXPECT_EQ(empty->consumers, 3);
}

TEST(PostgresQueue, WhatIsNotThereIsNeverZero) {
  EXPECT_THAT(read_queue_row({{std::nullopt}}).error().detail, HasSubstr("NULL for the depth"));
  EXPECT_THAT(read_queue_row({}).error().detail, HasSubstr("no row"));
  EXPECT_THAT(read_queue_row({{"1"}, {"2"}}).error().detail, HasSubstr("more than one row"));
  EXPECT_THAT(read_queue_row({{"1", "2", "3", "4"}}).error().detail, HasSubstr("4 columns"));
  EXPECT_FALSE(read_queue_row({{"many"}}));
  EXPECT_FALSE(read_queue_row({{"1", "old"}}));
}

}  // namespace
}  // namespace tocsin::checks
