#include "checks/load.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "checks/loadavg.hpp"
#include "checks/proc_stat.hpp"
#include "tests/unit/checks/made_check.hpp"

namespace tocsin {
namespace {

using checks_test::FixtureHost;
using checks_test::made;
using fakes::value_of;
using ::testing::HasSubstr;

TEST(LoadAverages, AreReadFromTheFirstThreeWords) {
  const auto averages = checks::parse_load_averages("0.42 12.38 128.35 2/312 20334\n");
  ASSERT_TRUE(averages);
  EXPECT_DOUBLE_EQ(averages->one, 0.42);
  EXPECT_DOUBLE_EQ(averages->five, 12.38);
  EXPECT_DOUBLE_EQ(averages->fifteen, 128.35);
}

TEST(LoadAverages, AreRefusedWhenAnyIsNotANumber) {
  for (const auto* text : {"", "0.42", "0.42 0.38", "0.42 0.38 many 2/312", "-1 0 0", "nan 0 0",
                           "inf 0 0", "0.42x 0.38 0.35"}) {
    const auto averages = checks::parse_load_averages(text);
    ASSERT_FALSE(averages) << text;
    EXPECT_EQ(averages.error().code, Errc::malformed);
    EXPECT_THAT(averages.error().detail, HasSubstr("/proc/loadavg"));
  }
}

TEST(TaskCounts, CountOnlineProcessorsNotTheSum) {
  const auto counts = checks::parse_task_counts(
      "cpu  4 0 4 4\ncpu0 2 0 2 2\ncpu3 2 0 2 2\nintr 5 0\nprocs_running 7\nprocs_blocked 2\n");
  ASSERT_TRUE(counts);
  EXPECT_EQ(counts->processors, 2u);
  EXPECT_EQ(counts->running, 7u);
  EXPECT_EQ(counts->blocked, 2u);
}

TEST(TaskCounts, AreRefusedWhenSomethingIsMissing) {
  EXPECT_FALSE(checks::parse_task_counts(""));
  EXPECT_FALSE(checks::parse_task_counts("cpu  4 0 4 4\nprocs_running 7\nprocs_blocked 2\n"));
  EXPECT_FALSE(checks::parse_task_counts("cpu0 4 0 4 4\nprocs_running 7\n"));
  EXPECT_FALSE(checks::parse_task_counts("cpu0 4 0 4 4\nprocs_running x\nprocs_blocked 2\n"));
}

TEST(LoadCheck, SharesTheLoadAmongProcessors) {
  FixtureHost host{"cores_128"};
  const auto check = made(load_check());
  const auto samples = host.run(*check);
  ASSERT_TRUE(samples) << samples.error().detail;
  EXPECT_DOUBLE_EQ(*value_of(*check, *samples, "load1"), 192);
  EXPECT_DOUBLE_EQ(*value_of(*check, *samples, "load1_per_core"), 1.5);
  EXPECT_NEAR(*value_of(*check, *samples, "load5_per_core"), 1.0039, 1e-4);
  EXPECT_NEAR(*value_of(*check, *samples, "load15_per_core"), 0.50195, 1e-4);
  EXPECT_DOUBLE_EQ(*value_of(*check, *samples, "running"), 131);
  EXPECT_DOUBLE_EQ(*value_of(*check, *samples, "blocked"), 4);
}

TEST(LoadCheck, YieldsEverySampleOnEveryKindOfHost) {
  for (const auto* name : {"healthy", "swapping", "io_bound", "no_psi", "container", "cores_128"}) {
    FixtureHost host{name};
    const auto check = made(load_check());
    const auto samples = host.run(*check);
    ASSERT_TRUE(samples) << name << ": " << samples.error().detail;
    EXPECT_EQ(samples->size(), check->specs().size()) << name;
  }
}

TEST(LoadCheck, KeepsItsFilesOpen) {
  FixtureHost host{"healthy"};
  const auto check = made(load_check());
  ASSERT_TRUE(host.run(*check));
  const auto opens = host.files.opens();
  host.root.write("/proc/loadavg", "7.00 0.38 0.35 2/312 20334\n");
  const auto samples = host.run(*check);
  ASSERT_TRUE(samples);
  EXPECT_DOUBLE_EQ(*value_of(*check, *samples, "load1"), 7);
  EXPECT_EQ(host.files.opens(), opens);
}

TEST(LoadCheck, SaysWhatItCouldNotRead) {
  FixtureHost host{"healthy"};
  const auto check = made(load_check());
  host.files.fail("/proc/loadavg", {Errc::unreadable, "reading /proc/loadavg failed: no"});
  const auto refused = host.run(*check);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::unreadable);
  host.files.mend("/proc/loadavg");
  EXPECT_TRUE(host.run(*check));
}

TEST(LoadCheck, ShowsWhoWaitsForIo) {
  FixtureHost host{"io_bound"};
  const auto check = made(load_check());
  const auto evidence = host.evidence(*check);
  ASSERT_FALSE(evidence.lines.empty());
  EXPECT_EQ(evidence.lines.back(),
            "Waiting for io (state D): rsync (880) in nfs_wait_bit_killable, jbd2/vdb1-8 (881) in "
            "jbd2_journal_commit_transaction");
}

}  // namespace
}  // namespace tocsin
