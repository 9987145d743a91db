#include "checks/postgres.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/checks/made_check.hpp"

namespace tocsin {
namespace {

using checks_test::complaints_of;
using checks_test::map_of;
using checks_test::word;
using ::testing::IsEmpty;
using ::testing::Not;

TEST(Postgres, NeedsADsn) {
  EXPECT_THAT(complaints_of(postgres_check(), map_of({})), Not(IsEmpty()));
}

}  // namespace
}  // namespace tocsin
