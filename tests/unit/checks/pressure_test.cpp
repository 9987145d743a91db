#include "checks/pressure.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "checks/psi.hpp"
#include "tests/unit/checks/made_check.hpp"

namespace tocsin {
namespace {

using checks_test::FixtureHost;
using checks_test::made;
using checks_test::map_of;
using checks_test::word;
using fakes::value_of;
using ::testing::HasSubstr;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

TEST(Pressure, IsReadAsShares) {
  const auto pressure =
      checks::parse_pressure("/proc/pressure/io",
                             "some avg10=93.20 avg60=1.00 avg300=0.10 total=5\nfull avg10=71.50 "
                             "avg60=0 avg300=0 total=1\n");
  ASSERT_TRUE(pressure);
  EXPECT_DOUBLE_EQ(pressure->some, 0.932);
  EXPECT_DOUBLE_EQ(*pressure->full, 0.715);
}

TEST(Pressure, OfCpuHasNoFullOnOlderKernels) {
  const auto pressure =
      checks::parse_pressure("/proc/pressure/cpu", "some avg10=1.00 avg60=0 avg300=0 total=5\n");
  ASSERT_TRUE(pressure);
  EXPECT_FALSE(pressure->full);
}

TEST(Pressure, IsRefusedWhenItSaysNothing) {
  for (const auto* text : {"", "full avg10=1.00\n", "some avg60=1.00\n", "some avg10=much\n",
                           "some avg10=\n", "some\n", "some avg10=nan\n"})
    EXPECT_FALSE(checks::parse_pressure("/proc/pressure/io", text)) << text;
}

TEST(PressureCheck, MeasuresAllThree) {
  FixtureHost host{"io_bound"};
  const auto check = made(pressure_check());
  const auto samples = host.run(*check);
  ASSERT_TRUE(samples) << samples.error().detail;
  EXPECT_EQ(samples->size(), check->specs().size());
  EXPECT_DOUBLE_EQ(*value_of(*check, *samples, "io_full_ratio"), 0.715);
  EXPECT_DOUBLE_EQ(*value_of(*check, *samples, "io_some_ratio"), 0.932);
  EXPECT_DOUBLE_EQ(*value_of(*check, *samples, "memory_full_ratio"), 0.004);
  EXPECT_DOUBLE_EQ(*value_of(*check, *samples, "cpu_some_ratio"), 0.02);
}

TEST(PressureCheck, IsToldByTheKernel) {
  FixtureHost host{"healthy"};
  const auto check = made(pressure_check());
  ASSERT_TRUE(host.run(*check));
  EXPECT_THAT(host.pressure.armed(),
              UnorderedElementsAre(Pair("/proc/pressure/memory", "full 200000 2000000"),
                                   Pair("/proc/pressure/io", "full 600000 2000000")));
  EXPECT_EQ(host.nudges, 0);
  EXPECT_EQ(host.pressure.fire("/proc/pressure/memory"), 1);
  EXPECT_EQ(host.nudges, 1);
  ASSERT_TRUE(host.run(*check));
  EXPECT_EQ(host.pressure.armed().size(), 2u);  // not again
}

TEST(PressureCheck, DisarmsWithItsEnd) {
  FixtureHost host{"healthy"};
  auto check = made(pressure_check());
  ASSERT_TRUE(host.run(*check));
  check.reset();
  EXPECT_EQ(host.pressure.fire("/proc/pressure/memory"), 0);
}

TEST(PressureCheck, TakesItsTriggersFromTheConfiguration) {
  FixtureHost host{"healthy"};
  const auto check =
      made(pressure_check(), map_of({{"memory_trigger", word("5%")}, {"io_trigger", word("0%")}}));
  ASSERT_TRUE(host.run(*check));
  EXPECT_THAT(host.pressure.armed(),
              UnorderedElementsAre(Pair("/proc/pressure/memory", "full 100000 2000000")));
}

TEST(PressureCheck, ReadsTheAveragesWhereTriggersAreRefused) {
  FixtureHost host{"healthy"};
  host.pressure.refuse({Errc::refused, "writing /proc/pressure/memory failed: not permitted"});
  const auto check = made(pressure_check());
  ASSERT_TRUE(host.run(*check));
  host.pressure.allow();
  ASSERT_TRUE(host.run(*check));
  EXPECT_TRUE(host.pressure.armed().empty());
}

TEST(PressureCheck, SaysThatTheKernelHasNone) {
  FixtureHost host{"no_psi"};
  const auto check = made(pressure_check());
  const auto samples = host.run(*check);
  ASSERT_FALSE(samples);
  EXPECT_EQ(samples.error().code, Errc::unsupported);
  EXPECT_THAT(samples.error().detail, HasSubstr("psi=1"));
  EXPECT_THAT(samples.error().detail, HasSubstr("/proc/pressure/cpu"));
}

TEST(PressureCheck, ShowsWhoStandsStill) {
  FixtureHost host{"io_bound"};
  const auto check = made(pressure_check());
  const auto evidence = host.evidence(*check);
  ASSERT_FALSE(evidence.lines.empty());
  EXPECT_THAT(evidence.lines.back(), HasSubstr("rsync (880) in nfs_wait_bit_killable"));
}

}  // namespace
}  // namespace tocsin
