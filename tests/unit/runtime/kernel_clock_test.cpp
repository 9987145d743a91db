#include "agent/runtime/kernel_clock.hpp"

#include <gtest/gtest.h>

namespace tocsin::runtime {
namespace {

using namespace std::chrono_literals;

TEST(AdjtimexClock, TellsHowTheClockOfThisHostIsKept) {
  const AdjtimexClock clock;
  const auto discipline = clock.discipline();
  if (!discipline) {
    EXPECT_EQ(discipline.error().code, Errc::unsupported) << discipline.error().detail;
    GTEST_SKIP() << "adjtimex is not allowed here: the kernel's clock was NOT asked";
  }
  EXPECT_GE(discipline->maximum_error, 0s);
  EXPECT_LE(discipline->maximum_error, 20s) << "microseconds taken for something else?";
  EXPECT_GE(discipline->estimated_error, 0s);
  EXPECT_LT(discipline->offset, 1s);
  EXPECT_GT(discipline->offset, -1s);
  EXPECT_EQ(discipline->synchronised, discipline->maximum_error < 16s);
}

}  // namespace
}  // namespace tocsin::runtime
