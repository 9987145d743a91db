#include "checks/cpu.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "checks/proc_stat.hpp"
#include "tests/unit/checks/made_check.hpp"

namespace tocsin {
namespace {

using namespace std::chrono_literals;
using checks_test::FixtureHost;
using checks_test::made;
using fakes::value_of;
using ::testing::HasSubstr;

TEST(CpuTimes, AreReadInTheKernelsOrder) {
  const auto times = checks::parse_cpu_times("cpu  1 2 3 4 5 6 7 8 9 10\ncpu0 0 0 0 0\n");
  ASSERT_TRUE(times);
  EXPECT_EQ(times->user, 1u);
  EXPECT_EQ(times->nice, 2u);
  EXPECT_EQ(times->system, 3u);
  EXPECT_EQ(times->idle, 4u);
  EXPECT_EQ(times->iowait, 5u);
  EXPECT_EQ(times->irq, 6u);
  EXPECT_EQ(times->softirq, 7u);
  EXPECT_EQ(times->steal, 8u);
}

TEST(CpuTimes, TakeAnOldKernelsFourColumns) {
  const auto times = checks::parse_cpu_times("cpu 1 2 3 4\n");
  ASSERT_TRUE(times);
  EXPECT_EQ(times->idle, 4u);
  EXPECT_EQ(times->steal, 0u);
}

TEST(CpuTimes, AreRefusedWhenTheyAreNotNumbers) {
  for (const auto* text : {"", "cpu", "cpu 1 2 3", "cpu0 1 2 3 4", "cpu 1 2 x 4", "cpu 1 2 3 -4",
                           "cpu 1 2 3 99999999999999999999"})
    EXPECT_FALSE(checks::parse_cpu_times(text)) << text;
}

TEST(CpuShares, AddUpToTheTimeThatPassed) {
  const checks::CpuTimes before{};
  const checks::CpuTimes after{.user = 10,
                               .nice = 10,
                               .system = 20,
                               .idle = 30,
                               .iowait = 15,
                               .irq = 1,
                               .softirq = 4,
                               .steal = 10};
  const auto shares = checks::shares_between(before, after);
  ASSERT_TRUE(shares);
  EXPECT_DOUBLE_EQ(shares->busy, 0.55);
  EXPECT_DOUBLE_EQ(shares->user, 0.20);
  EXPECT_DOUBLE_EQ(shares->system, 0.20);
  EXPECT_DOUBLE_EQ(shares->iowait, 0.15);
  EXPECT_DOUBLE_EQ(shares->steal, 0.10);
  EXPECT_DOUBLE_EQ(shares->softirq, 0.04);
}

TEST(CpuShares, TakeACounterThatFallsForOneThatStands) {
  const checks::CpuTimes before{.user = 100, .idle = 100, .iowait = 50};
  const checks::CpuTimes after{.user = 150, .idle = 150, .iowait = 40};
  const auto shares = checks::shares_between(before, after);
  ASSERT_TRUE(shares);
  EXPECT_DOUBLE_EQ(shares->iowait, 0);
  EXPECT_DOUBLE_EQ(shares->busy, 0.5);
  EXPECT_FALSE(checks::shares_between(before, before));
}

TEST(CpuCheck, MeasuresBetweenRuns) {
  FixtureHost host{"io_bound"};
  const auto check = made(cpu_check());
  // Nothing has passed in the fixture by the end of the first look.
  const auto first = host.run(*check);
  ASSERT_FALSE(first);
  EXPECT_THAT(first.error().detail, HasSubstr("/proc/stat stands still"));

  host.later("io_bound", 10s);
  const auto samples = host.run(*check);
  ASSERT_TRUE(samples) << samples.error().detail;
  EXPECT_DOUBLE_EQ(*value_of(*check, *samples, "iowait_ratio"), 0.63);
  EXPECT_DOUBLE_EQ(*value_of(*check, *samples, "busy_ratio"), 0.07);
  EXPECT_DOUBLE_EQ(*value_of(*check, *samples, "user_ratio"), 0.02);
  EXPECT_DOUBLE_EQ(*value_of(*check, *samples, "system_ratio"), 0.04);
  EXPECT_DOUBLE_EQ(*value_of(*check, *samples, "softirq_ratio"), 0.01);
  EXPECT_DOUBLE_EQ(*value_of(*check, *samples, "steal_ratio"), 0);

  // Again within the same tick: the same numbers, not a fault.
  const auto again = host.run(*check);
  ASSERT_TRUE(again);
  EXPECT_EQ(*again, *samples);
}

/// Runs the check up to its pause, changes the host, and lets the pause pass.
Result<Samples> run_over_a_pause(FixtureHost& host, Check& check, std::string_view text, bool gap) {
  auto context = host.context(5s, gap);
  std::optional<Result<Samples>> result;
  auto work = fakes::keep(check.run(context), result);
  asio::co_spawn(host.loop, std::move(work), [](std::exception_ptr) {});
  fakes::settle(host.loop);
  EXPECT_FALSE(result.has_value());
  EXPECT_EQ(host.clock.next_deadline(), host.clock.steady() + 100ms);
  host.root.write("/proc/stat", text);
  fakes::run_for(host.loop, host.clock, 100ms);
  return *std::move(result);
}

TEST(CpuCheck, LooksTwiceAtItsFirstRunAndAfterASuspend) {
  FixtureHost host{""};
  host.root.write("/proc/stat", "cpu 100 0 0 100\ncpu0 100 0 0 100\n");
  const auto check = made(cpu_check());
  const auto first = run_over_a_pause(host, *check, "cpu 103 0 0 101\ncpu0 103 0 0 101\n", false);
  ASSERT_TRUE(first);
  EXPECT_DOUBLE_EQ(*value_of(*check, *first, "busy_ratio"), 0.75);

  host.root.write("/proc/stat", "cpu 1000 0 0 101\ncpu0 1000 0 0 101\n");
  const auto after_gap =
      run_over_a_pause(host, *check, "cpu 1000 0 0 111\ncpu0 1000 0 0 111\n", true);
  ASSERT_TRUE(after_gap);
  EXPECT_DOUBLE_EQ(*value_of(*check, *after_gap, "busy_ratio"), 0);
}

TEST(CpuCheck, SeesThroughA128CoreMachine) {
  FixtureHost host{"cores_128"};
  const auto check = made(cpu_check());
  EXPECT_FALSE(host.run(*check));
  host.later("cores_128", 10s);
  const auto samples = host.run(*check);
  ASSERT_TRUE(samples);
  EXPECT_DOUBLE_EQ(*value_of(*check, *samples, "user_ratio"), 0.75);
  EXPECT_DOUBLE_EQ(*value_of(*check, *samples, "busy_ratio"), 0.86);
}

TEST(CpuCheck, NamesAProcessThatKeepsMostOfTheHostBusy) {
  FixtureHost host{"healthy"};
  const auto check = made(cpu_check());
  auto context = host.context(500ms);
  std::optional<Evidence> evidence;
  auto work = fakes::keep(check->evidence(context), evidence);
  asio::co_spawn(host.loop, std::move(work), [](std::exception_ptr) {});
  fakes::settle(host.loop);
  // Within the 200 ms between its looks, mysqld uses 60 ticks: three of four processors.
  auto stat = *host.files.read("/proc/990/stat");
  stat.replace(stat.find(" 88123 "), 7, " 88183 ");
  host.root.write("/proc/990/stat", stat);
  auto io = *host.files.read("/proc/990/io");
  io.replace(io.find("write_bytes: 8812334400"), 23, "write_bytes: 8812344640");
  host.root.write("/proc/990/io", io);
  fakes::run_for(host.loop, host.clock, 400ms);
  ASSERT_TRUE(evidence);
  ASSERT_EQ(evidence->lines.size(), 2u);
  EXPECT_THAT(evidence->lines[0], HasSubstr("Most cpu: mysqld (990) 300%"));
  EXPECT_THAT(evidence->lines[1], HasSubstr("Most storage io: mysqld (990) 50 KiB"));
  EXPECT_EQ(evidence->probable_cause, "mysqld (pid 990) keeps 3 of 4 processors busy");
}

}  // namespace
}  // namespace tocsin
