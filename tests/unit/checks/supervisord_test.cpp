#include "checks/supervisord.hpp"

#include <gtest/gtest.h>

#include "tests/unit/checks/made_check.hpp"

namespace tocsin {
namespace {

TEST(SupervisordCheck, IsBuiltWithoutAnyKey) {
  EXPECT_NE(checks_test::made(supervisord_check()), nullptr);
}

}  // namespace
}  // namespace tocsin
