#include "checks/limits.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "checks/kernel_tables.hpp"
#include "tests/unit/checks/made_check.hpp"

namespace tocsin {
namespace {

using checks_test::FixtureHost;
using checks_test::made;
using checks_test::names_of;
using fakes::value_of;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// A host of the given counts, without connection tracking.
struct LimitsTest : ::testing::Test {
  LimitsTest() {
    host.root.write("/proc/sys/fs/file-nr", "1500\t0\t10000\n");
    host.root.write("/proc/loadavg", "0.21 1.02 1.46 1/800 20661\n");
    host.root.write("/proc/sys/kernel/pid_max", "4194304\n");
    host.root.write("/proc/sys/kernel/threads-max", "1000\n");
  }
  double value(const char* name) {
    const auto samples = host.run(*check);
    EXPECT_TRUE(samples) << samples.error().detail;
    return samples ? value_of(*check, *samples, name).value_or(-1) : -1;
  }
  FixtureHost host{"healthy"};
  std::unique_ptr<Check> check{made(limits_check())};
};

TEST(KernelTables, AreReadAsTheKernelWritesThem) {
  const auto handles = checks::parse_file_handles("16264\t64\t2466177\n");
  ASSERT_TRUE(handles);
  EXPECT_EQ(handles->used, 16200u);
  EXPECT_EQ(handles->most, 2466177u);
  EXPECT_EQ(*checks::parse_task_count("0.21 1.02 1.46 1/1019 20661\n"), 1019u);
  EXPECT_EQ(*checks::parse_single_number("x", "32768\n"), 32768u);
  EXPECT_EQ(*checks::parse_pids_limit("512\n"), std::optional<std::uint64_t>{512});
  EXPECT_EQ(*checks::parse_pids_limit("max\n"), std::nullopt);
}

TEST(KernelTables, AreRefusedWhenTheyAreNotNumbers) {
  for (const auto* text : {"", "1 2", "1 2 x", "1 2 3"})
    EXPECT_FALSE(checks::parse_file_handles(text)) << text;
  for (const auto* text : {"", "1 1 1 5", "1 1 1 1/", "1 1 1 1/x"})
    EXPECT_FALSE(checks::parse_task_count(text)) << text;
  EXPECT_FALSE(checks::parse_single_number("x", "12 13"));
  EXPECT_FALSE(checks::parse_pids_limit("none"));
  EXPECT_DOUBLE_EQ((checks::TableUse{5, 0}).ratio(), 0) << "no limit";
}

TEST_F(LimitsTest, AreSharesOfWhatThereMayBe) {
  const auto samples = host.run(*check);
  ASSERT_TRUE(samples) << samples.error().detail;
  EXPECT_THAT(names_of(*check, *samples),
              ElementsAre("handles_used_ratio", "handles", "pids_used_ratio", "pids"));
  EXPECT_DOUBLE_EQ(*value_of(*check, *samples, "handles_used_ratio"), 0.15);
  EXPECT_DOUBLE_EQ(*value_of(*check, *samples, "handles"), 1500);
  EXPECT_DOUBLE_EQ(*value_of(*check, *samples, "pids_used_ratio"), 0.8) << "of threads-max";
  EXPECT_DOUBLE_EQ(*value_of(*check, *samples, "pids"), 800);
  host.root.write("/proc/sys/kernel/pid_max", "900");
  EXPECT_NEAR(value("pids_used_ratio"), 0.889, 0.001);
}

TEST_F(LimitsTest, CountTrackedConnectionsWhereTheyAreTracked) {
  host.root.write("/proc/sys/net/netfilter/nf_conntrack_count", "950\n");
  host.root.write("/proc/sys/net/netfilter/nf_conntrack_max", "1000\n");
  EXPECT_DOUBLE_EQ(value("conntrack_used_ratio"), 0.95);
  EXPECT_DOUBLE_EQ(value("conntrack"), 950);
  host.root.remove("/proc/sys/net/netfilter/nf_conntrack_max");
  check = made(limits_check());
  EXPECT_FALSE(host.run(*check));
}

TEST_F(LimitsTest, KnowTheContainersOwn) {
  host.root.write("/sys/fs/cgroup/pids.max", "100\n");
  host.root.write("/sys/fs/cgroup/pids.current", "91\n");
  EXPECT_DOUBLE_EQ(value("pids_used_ratio"), 0.91);
  EXPECT_THAT(host.evidence(*check).lines[1],
              HasSubstr("Processes and threads: 91 of 100 (91%), limit the container's limit"));
  host.root.write("/sys/fs/cgroup/pids.max", "max\n");
  EXPECT_DOUBLE_EQ(value("pids_used_ratio"), 0.8);
}

TEST_F(LimitsTest, KnowTheContainersOwnInTheOldHierarchy) {
  host.root.write("/sys/fs/cgroup/pids/pids.max", "100\n");
  host.root.write("/sys/fs/cgroup/pids/pids.current", "10\n");
  EXPECT_DOUBLE_EQ(value("pids_used_ratio"), 0.8) << "the host is nearer to its limit";
  host.root.write("/sys/fs/cgroup/pids/pids.current", "99\n");
  EXPECT_DOUBLE_EQ(value("pids_used_ratio"), 0.99);
}

TEST_F(LimitsTest, TellWhoHoldsMost) {
  host.root.write("/proc/sys/fs/file-nr", "9500\t0\t10000\n");
  host.root.write("/proc/net/sockstat",
                  "sockets: used 5\nTCP: inuse 27 orphan 0 tw 45 alloc 60 mem 3\n");
  ASSERT_TRUE(host.run(*check));
  const auto evidence = host.evidence(*check);
  ASSERT_GE(evidence.lines.size(), 5u);
  EXPECT_EQ(evidence.lines[0], "File handles: 9500 of 10000 (95%), limit fs.file-max");
  EXPECT_THAT(evidence.lines[1], HasSubstr("800 of 1000 (80%), limit kernel.threads-max"));
  EXPECT_EQ(evidence.lines[2], "Sockets, TCP: inuse 27 orphan 0 tw 45 alloc 60 mem 3");
  EXPECT_THAT(evidence.lines[3], HasSubstr("Most threads: "));
  EXPECT_THAT(evidence.lines[4], HasSubstr("Most open descriptors: mysqld (990) 40"));
  EXPECT_EQ(evidence.probable_cause, "") << "forty of 9500 explain nothing";

  host.root.write("/proc/sys/fs/file-nr", "70\t0\t75\n");
  ASSERT_TRUE(host.run(*check));
  EXPECT_EQ(host.evidence(*check).probable_cause, "mysqld (pid 990) holds 40 descriptors");
}

TEST_F(LimitsTest, SayWhyTheyCannotBeMeasured) {
  host.root.write("/proc/sys/fs/file-nr", "nonsense");
  EXPECT_EQ(host.run(*check).error().code, Errc::malformed);
  host.root.remove("/proc/sys/fs/file-nr");
  check = made(limits_check());
  EXPECT_EQ(host.run(*check).error().code, Errc::missing);
}

}  // namespace
}  // namespace tocsin
