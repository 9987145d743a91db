#include "checks/clock.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/checks/made_check.hpp"

namespace tocsin {
namespace {

using namespace std::chrono_literals;
using checks_test::FixtureHost;
using checks_test::made;
using fakes::value_of;
using ::testing::HasSubstr;

/// Adds a process of this name to the host.
void add_process(FixtureHost& host, int pid, const std::string& name) {
  const auto folder = "/proc/" + std::to_string(pid);
  host.root.write(folder + "/stat", std::to_string(pid) + " (" + name +
                                        ") S 1 1 1 0 -1 4194560 1 1 1 1 50 50 0 0 20 0 1 0 2000 "
                                        "1000000 300 18446744073709551615");
}

TEST(ClockCheck, TellsWhatTheKernelKnows) {
  FixtureHost host{""};
  host.kernel_clock.answer = ClockDiscipline{
      .synchronised = true, .offset = -1500us, .maximum_error = 250ms, .estimated_error = 2ms};
  const auto check = made(clock_check());
  const auto samples = host.run(*check);
  ASSERT_TRUE(samples);
  EXPECT_DOUBLE_EQ(*value_of(*check, *samples, "synchronised"), 1);
  EXPECT_DOUBLE_EQ(*value_of(*check, *samples, "offset_seconds"), 0.0015) << "whichever way";
  EXPECT_DOUBLE_EQ(*value_of(*check, *samples, "maximum_error_seconds"), 0.25);
  EXPECT_DOUBLE_EQ(*value_of(*check, *samples, "estimated_error_seconds"), 0.002);
}

TEST(ClockCheck, SaysThatNobodyKeepsTheClock) {
  FixtureHost host{"no_psi"};
  host.kernel_clock.answer = ClockDiscipline{.synchronised = false, .maximum_error = 16s};
  const auto check = made(clock_check());
  EXPECT_DOUBLE_EQ(*value_of(*check, *host.run(*check), "synchronised"), 0);
  const auto evidence = host.evidence(*check);
  ASSERT_EQ(evidence.lines.size(), 2u);
  EXPECT_EQ(evidence.lines[0],
            "The clock is not synchronised; the kernel has to correct 0s, estimated error 0s, "
            "maximum error 16s");
  EXPECT_THAT(evidence.lines[1], HasSubstr("No time daemon runs"));
  EXPECT_EQ(evidence.probable_cause, "no time daemon runs on this host");
}

TEST(ClockCheck, NamesTheDaemonThatShouldKeepIt) {
  FixtureHost host{"no_psi"};
  add_process(host, 3001, "systemd-timesyn");
  add_process(host, 3002, "ntpdate-like");
  host.kernel_clock.answer = ClockDiscipline{.synchronised = false, .maximum_error = 16s};
  const auto check = made(clock_check());
  ASSERT_TRUE(host.run(*check));
  const auto evidence = host.evidence(*check);
  EXPECT_EQ(evidence.lines[1], "Running: systemd-timesyn (3001)");
  EXPECT_THAT(evidence.probable_cause, HasSubstr("systemd-timesyn (3001) runs but"));

  host.kernel_clock.answer = ClockDiscipline{.synchronised = true};
  ASSERT_TRUE(host.run(*check));
  EXPECT_EQ(host.evidence(*check).probable_cause, "");
}

TEST(ClockCheck, SaysWhyItCannotMeasure) {
  FixtureHost host{""};
  host.kernel_clock.answer = Error{Errc::unsupported, "adjtimex is not allowed"};
  const auto check = made(clock_check());
  const auto outcome = host.run(*check);
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, Errc::unsupported);
}

TEST(ClockCheck, HasARuleOfItsOwn) {
  EXPECT_THAT(clock_check().default_critical, testing::ElementsAre("synchronised < 1 for 30m"));
}

}  // namespace
}  // namespace tocsin
