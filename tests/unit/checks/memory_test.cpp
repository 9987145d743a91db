#include "checks/memory.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "checks/meminfo.hpp"
#include "tests/unit/checks/made_check.hpp"

namespace tocsin {
namespace {

using namespace std::chrono_literals;
using checks_test::FixtureHost;
using checks_test::made;
using fakes::value_of;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr double mebibyte = 1 << 20;

TEST(MemoryInfo, IsReadInBytes) {
  const auto info = checks::parse_memory_info(
      "MemTotal:  1000 kB\nMemFree: 10 kB\nMemAvailable: 400 kB\nSwapTotal: 200 kB\nSwapFree: 50 "
      "kB\n");
  ASSERT_TRUE(info);
  EXPECT_EQ(info->total, 1000u * 1024);
  EXPECT_EQ(info->available, 400u * 1024);
  EXPECT_EQ(info->swap_total, 200u * 1024);
  EXPECT_EQ(info->swap_free, 50u * 1024);
}

TEST(MemoryInfo, EstimatesWhatAnOldKernelDoesNotSay) {
  const auto info = checks::parse_memory_info(
      "MemTotal: 1000 kB\nMemFree: 100 kB\nBuffers: 20 kB\nCached: 300 kB\nSwapCached: 7 "
      "kB\nShmem: 50 kB\n");
  ASSERT_TRUE(info);
  EXPECT_EQ(info->available, (100u + 20 + 300 - 50) * 1024);
}

TEST(MemoryInfo, IsRefusedWithoutATotal) {
  for (const auto* text :
       {"", "MemTotal: 0 kB\nMemAvailable: 1 kB\n", "MemTotal: lots\n", "MemTotal: 10 kB\n",
        "MemTotal: 18446744073709551615 kB\nMemFree: 1 kB\n", "xMemTotal: 10 kB\nMemFree: 1 kB\n"})
    EXPECT_FALSE(checks::parse_memory_info(text)) << text;
}

TEST(PagingCounts, MayComeWithoutKills) {
  const auto old = checks::parse_paging_counts("nr_free 1\npswpin 3\npswpout 4\n");
  ASSERT_TRUE(old);
  EXPECT_EQ(old->pages_in, 3u);
  EXPECT_EQ(old->pages_out, 4u);
  EXPECT_FALSE(old->oom_kills);
  const auto newer = checks::parse_paging_counts("pswpin 3\npswpout 4\noom_kill 2\n");
  ASSERT_TRUE(newer);
  EXPECT_EQ(newer->oom_kills, 2u);
  EXPECT_FALSE(checks::parse_paging_counts("oom_kill 2\npswpin 1\n"));
}

TEST(GroupLimit, IsANumberOrMax) {
  EXPECT_FALSE(checks::parse_group_limit("max\n")->has_value());
  EXPECT_EQ(**checks::parse_group_limit("1024\n"), 1024u);
  EXPECT_FALSE(checks::parse_group_limit("lots\n"));
  EXPECT_FALSE(checks::parse_group_limit(""));
}

TEST(OomVictims, AreTheNewestOfTheLog) {
  constexpr std::string_view log =
      "x: Out of memory: Killed process 1 (a) total-vm:1kB\n"
      "x: Memory cgroup out of memory: Killed process 22 (my (odd) name) total-vm\n"
      "x: Killed process nobody (a)\n"
      "x: Killed process 3, UID 0, (c) total-vm\n"
      "x: Killed process 4";
  EXPECT_THAT(checks::parse_oom_victims(log, 5),
              ElementsAre("a (pid 1)", "my (odd (pid 22)", "c (pid 3)"));
  EXPECT_THAT(checks::parse_oom_victims(log, 1), ElementsAre("c (pid 3)"));
  EXPECT_THAT(checks::parse_oom_victims("", 5), IsEmpty());
}

TEST(MemoryCheck, MeasuresAHealthyHost) {
  FixtureHost host{"healthy"};
  const auto check = made(memory_check());
  const auto samples = host.run(*check);
  ASSERT_TRUE(samples) << samples.error().detail;
  EXPECT_THAT(checks_test::names_of(*check, *samples),
              ElementsAre("available_bytes", "available_ratio", "swap_used_ratio", "oom_kills"));
  EXPECT_DOUBLE_EQ(*value_of(*check, *samples, "available_bytes"), 5920344.0 * 1024);
  EXPECT_NEAR(*value_of(*check, *samples, "available_ratio"), 0.7247, 1e-4);
  EXPECT_DOUBLE_EQ(*value_of(*check, *samples, "swap_used_ratio"), 0);
  EXPECT_DOUBLE_EQ(*value_of(*check, *samples, "oom_kills"), 0);
}

TEST(MemoryCheck, SeesSwappingAndKills) {
  FixtureHost host{"swapping"};
  const auto check = made(memory_check());
  const auto first = host.run(*check);
  ASSERT_TRUE(first);
  EXPECT_NEAR(*value_of(*check, *first, "available_ratio"), 0.0194, 1e-4);
  EXPECT_NEAR(*value_of(*check, *first, "swap_used_ratio"), 0.9426, 1e-4);
  EXPECT_DOUBLE_EQ(*value_of(*check, *first, "oom_kills"), 0);  // three, but before we came

  host.later("swapping", 10s);
  const auto second = host.run(*check);
  ASSERT_TRUE(second);
  EXPECT_DOUBLE_EQ(*value_of(*check, *second, "oom_kills"), 2);
  EXPECT_DOUBLE_EQ(*value_of(*check, *second, "swap_in_bytes_per_second"), 10 * mebibyte);
  EXPECT_DOUBLE_EQ(*value_of(*check, *second, "swap_out_bytes_per_second"), 20 * mebibyte);

  host.clock.advance(10s);
  const auto third = host.run(*check);
  ASSERT_TRUE(third);
  EXPECT_DOUBLE_EQ(*value_of(*check, *third, "oom_kills"), 0);
  EXPECT_DOUBLE_EQ(*value_of(*check, *third, "swap_in_bytes_per_second"), 0);
}

TEST(MemoryCheck, DropsRatesThatSpanASuspendButNotKills) {
  FixtureHost host{"swapping"};
  const auto check = made(memory_check());
  ASSERT_TRUE(host.run(*check));
  host.later("swapping", 10s);
  const auto samples = host.run(*check, true);
  ASSERT_TRUE(samples);
  EXPECT_FALSE(value_of(*check, *samples, "swap_in_bytes_per_second"));
  EXPECT_DOUBLE_EQ(*value_of(*check, *samples, "oom_kills"), 2);
  host.clock.advance(10s);
  EXPECT_TRUE(value_of(*check, *host.run(*check), "swap_in_bytes_per_second"));
}

TEST(MemoryCheck, MeasuresAContainerByItsLimit) {
  FixtureHost host{"container"};
  const auto check = made(memory_check());
  const auto samples = host.run(*check);
  ASSERT_TRUE(samples) << samples.error().detail;
  EXPECT_DOUBLE_EQ(*value_of(*check, *samples, "available_bytes"), (512 - 500 + 52) * mebibyte);
  EXPECT_DOUBLE_EQ(*value_of(*check, *samples, "available_ratio"), 64.0 / 512);
  EXPECT_DOUBLE_EQ(*value_of(*check, *samples, "swap_used_ratio"), 0.25);

  // Other containers' kills are in the host's count, and are none of ours.
  host.clock.advance(10s);
  host.root.write("/proc/vmstat", "pswpin 120\npswpout 440\noom_kill 40\n");
  host.root.write("/sys/fs/cgroup/memory.events", "oom 3\noom_kill 3\n");
  EXPECT_DOUBLE_EQ(*value_of(*check, *host.run(*check), "oom_kills"), 1);
}

TEST(MemoryCheck, MeasuresAnOldContainerByItsLimit) {
  FixtureHost host{"no_psi"};
  const std::string folder = "/sys/fs/cgroup/memory/";
  host.root.write(folder + "memory.limit_in_bytes", "1073741824\n");
  host.root.write(folder + "memory.usage_in_bytes", "1048576000\n");
  host.root.write(folder + "memory.stat", "inactive_file 7\ntotal_inactive_file 104857600\n");
  const auto check = made(memory_check());
  const auto samples = host.run(*check);
  ASSERT_TRUE(samples) << samples.error().detail;
  EXPECT_DOUBLE_EQ(*value_of(*check, *samples, "available_bytes"),
                   1073741824.0 - (1048576000.0 - 104857600.0));
  EXPECT_FALSE(value_of(*check, *samples, "oom_kills"));
}

TEST(MemoryCheck, DoesWithoutWhatAnOldKernelLacks) {
  FixtureHost host{"no_psi"};
  const auto check = made(memory_check());
  const auto samples = host.run(*check);
  ASSERT_TRUE(samples) << samples.error().detail;
  EXPECT_THAT(checks_test::names_of(*check, *samples),
              ElementsAre("available_bytes", "available_ratio", "swap_used_ratio"));
  EXPECT_DOUBLE_EQ(*value_of(*check, *samples, "available_bytes"),
                   (302033.0 + 2033 + 2712034 - 81203) * 1024);
  // The host's own control group has a limit of nearly 2^63: none.
  EXPECT_NEAR(*value_of(*check, *samples, "available_ratio"), 0.7564, 1e-4);
}

TEST(MemoryCheck, SaysWhoHoldsTheMemoryAndWhoWasKilled) {
  FixtureHost host{"swapping"};
  const auto check = made(memory_check());
  ASSERT_TRUE(host.run(*check));
  const auto evidence = host.evidence(*check);
  ASSERT_EQ(evidence.lines.size(), 3u);
  EXPECT_EQ(evidence.lines[0],
            "Killed for want of memory, newest last (/var/log/kern.log): php-fpm7.4 (pid 30112), "
            "java (pid 30998)");
  EXPECT_THAT(evidence.lines[1], HasSubstr("Most memory: mysqld (701) 2.33 GiB, php-fpm7.4 (733)"));
  EXPECT_THAT(evidence.lines[2], HasSubstr("mysqld (701) in folio_wait_bit_common"));
  EXPECT_THAT(evidence.probable_cause, HasSubstr("mysqld (pid 701) holds 2.33 GiB of 3.84 GiB"));
}

TEST(MemoryCheck, FailsRatherThanGuesses) {
  FixtureHost host{"healthy"};
  const auto check = made(memory_check());
  host.root.write("/proc/meminfo", "");
  const auto samples = host.run(*check);
  ASSERT_FALSE(samples);
  EXPECT_EQ(samples.error().code, Errc::malformed);
}

}  // namespace
}  // namespace tocsin
