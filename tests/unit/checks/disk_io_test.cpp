#include "checks/disk_io.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "checks/diskstats.hpp"
#include "checks/wildcard.hpp"
#include "tests/unit/checks/made_check.hpp"
#include "tocsin/base/limits.hpp"

namespace tocsin {
namespace {

using namespace std::chrono_literals;
using checks_test::complaints_of;
using checks_test::FixtureHost;
using checks_test::list_of;
using checks_test::made;
using checks_test::map_of;
using checks_test::names_of;
using checks_test::word;
using fakes::value_of;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// A line of /proc/diskstats: counts of a disk that read and wrote as told.
struct Line {
  std::string name;
  std::uint64_t reads{}, sectors_read{}, reading_ms{}, writes{}, sectors_written{}, writing_ms{};
  std::uint64_t in_flight{}, busy_ms{}, waiting_ms{};
};
std::string line(const Line& l) {
  std::string out = "   8       0 " + l.name;
  for (const auto number :
       {l.reads, std::uint64_t{7}, l.sectors_read, l.reading_ms, l.writes, std::uint64_t{9},
        l.sectors_written, l.writing_ms, l.in_flight, l.busy_ms, l.waiting_ms, std::uint64_t{0}})
    out += " " + std::to_string(number);
  return out + "\n";
}

TEST(DiskCounters, AreReadInTheKernelsOrder) {
  const auto disks = checks::parse_disk_counters(
      "   7       0 loop0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n"
      " 254       0 vda 1 2 3 4 5 6 7 8 9 10 11 151854 49 84579416 19659 141536 5231\n");
  ASSERT_TRUE(disks);
  ASSERT_EQ(disks->size(), 2u);
  const auto& disk = (*disks)[1];
  EXPECT_EQ(disk.name, "vda");
  EXPECT_EQ(disk.reads, 1u);
  EXPECT_EQ(disk.sectors_read, 3u);
  EXPECT_EQ(disk.reading_ms, 4u);
  EXPECT_EQ(disk.writes, 5u);
  EXPECT_EQ(disk.sectors_written, 7u);
  EXPECT_EQ(disk.writing_ms, 8u);
  EXPECT_EQ(disk.in_flight, 9u);
  EXPECT_EQ(disk.busy_ms, 10u);
  EXPECT_EQ(disk.waiting_ms, 11u);
}

TEST(DiskCounters, AreRefusedWhenTheyAreNotNumbers) {
  EXPECT_TRUE(checks::parse_disk_counters(""));
  for (const auto* text :
       {"8 0 sda", "8 0 sda 1 2 3 4 5 6 7 8 9 10", "8 0 sda 1 2 3 4 5 x 7 8 9 10 11",
        "8 0 sda 1 2 3 4 5 -6 7 8 9 10 11", "8"})
    EXPECT_FALSE(checks::parse_disk_counters(text)) << text;
}

TEST(DiskWork, IsTheDifferenceOverTheTime) {
  const checks::DiskCounters before{};
  const checks::DiskCounters after{.name = "",
                                   .reads = 100,
                                   .sectors_read = 2000,
                                   .reading_ms = 500,
                                   .writes = 300,
                                   .sectors_written = 4000,
                                   .writing_ms = 1500,
                                   .in_flight = 0,
                                   .busy_ms = 5000,
                                   .waiting_ms = 20000};
  const auto work = checks::work_between(before, after, 10);
  ASSERT_TRUE(work);
  EXPECT_DOUBLE_EQ(work->await_seconds, 0.005);
  EXPECT_DOUBLE_EQ(work->utilisation_ratio, 0.5);
  EXPECT_DOUBLE_EQ(work->queue_depth, 2);
  EXPECT_DOUBLE_EQ(work->read_bytes_per_second, 102400);
  EXPECT_DOUBLE_EQ(work->write_bytes_per_second, 204800);
  EXPECT_DOUBLE_EQ(work->reads_per_second, 10);
  EXPECT_DOUBLE_EQ(work->writes_per_second, 30);
  EXPECT_FALSE(checks::work_between(after, before, 10)) << "counters fell";
  EXPECT_FALSE(checks::work_between(before, after, 0));
}

TEST(DiskWork, SeesThroughMillisecondsThatWrapAt32Bits) {
  const checks::DiskCounters before{
      .name = "", .reads = 5, .reading_ms = 4294967290, .busy_ms = 4294967295};
  const checks::DiskCounters after{.name = "", .reads = 7, .reading_ms = 14, .busy_ms = 999};
  const auto work = checks::work_between(before, after, 10);
  ASSERT_TRUE(work);
  EXPECT_DOUBLE_EQ(work->await_seconds, 0.010);
  EXPECT_DOUBLE_EQ(work->utilisation_ratio, 0.1);
}

TEST(PartitionNames, AreTold) {
  for (const auto* name : {"sda1", "vda15", "xvda1", "nvme0n1p2", "mmcblk0p1", "hdb3", "md0p1"})
    EXPECT_TRUE(checks::names_a_partition(name)) << name;
  for (const auto* name :
       {"sda", "vda", "nvme0n1", "mmcblk0", "md0", "md127", "dm-3", "drbd1", "", "9"})
    EXPECT_FALSE(checks::names_a_partition(name)) << name;
}

TEST(Wildcard, MatchesWholeNames) {
  using checks::matches_wildcard;
  EXPECT_TRUE(matches_wildcard("sd?", "sda"));
  EXPECT_TRUE(matches_wildcard("nvme*n1", "nvme10n1"));
  EXPECT_TRUE(matches_wildcard("*", ""));
  EXPECT_TRUE(matches_wildcard("a*b*c", "a-b-b-c"));
  EXPECT_FALSE(matches_wildcard("sd?", "sd"));
  EXPECT_FALSE(matches_wildcard("sda", "sda1"));
  EXPECT_FALSE(matches_wildcard("", "x"));
  EXPECT_FALSE(matches_wildcard("*a", "ab"));
}

/// A first run looks twice, 100 ms apart, and FakeHost lets six seconds pass for a run that waits:
/// so much later it is ten seconds since the second look.
constexpr Duration first_run_to_ten_seconds = 10s - (6s - 100ms);

TEST(DiskIoCheck, MeasuresWholeDevicesBetweenRuns) {
  FixtureHost host{""};
  for (const auto* name : {"sda", "loop0", "zram0", "sr0"})
    host.root.make_folder("/sys/block/" + std::string{name});
  const auto others = line({"loop0"}) + line({"zram0"}) + line({"sr0"}) + line({"sda1"});
  host.root.write("/proc/diskstats", line({"sda", 100, 0, 0, 100}) + others);
  const auto check = made(disk_io_check());
  // Nothing happens in the fixture during the first look.
  const auto first = host.run(*check);
  ASSERT_TRUE(first) << first.error().detail;
  EXPECT_DOUBLE_EQ(*value_of(*check, *first, "await_seconds", "sda"), 0);

  host.clock.advance(first_run_to_ten_seconds);
  host.root.write("/proc/diskstats",
                  line({"sda", 150, 1000, 400, 150, 0, 600, 0, 9000, 30000}) + others);
  const auto samples = host.run(*check);
  ASSERT_TRUE(samples) << samples.error().detail;
  EXPECT_THAT(names_of(*check, *samples),
              ElementsAre("await_seconds[sda]", "utilisation_ratio[sda]", "queue_depth[sda]",
                          "read_bytes_per_second[sda]", "write_bytes_per_second[sda]",
                          "reads_per_second[sda]", "writes_per_second[sda]"));
  EXPECT_DOUBLE_EQ(*value_of(*check, *samples, "await_seconds", "sda"), 0.01);
  EXPECT_DOUBLE_EQ(*value_of(*check, *samples, "utilisation_ratio", "sda"), 0.9);
  EXPECT_DOUBLE_EQ(*value_of(*check, *samples, "queue_depth", "sda"), 3);
  EXPECT_DOUBLE_EQ(*value_of(*check, *samples, "read_bytes_per_second", "sda"), 51200);
}

TEST(DiskIoCheck, MeasuresJustTheDevicesThatAreAskedFor) {
  FixtureHost host{""};
  host.root.write("/proc/diskstats",
                  line({"sda"}) + line({"sda1"}) + line({"dm-0"}) + line({"loop0"}));
  const auto check =
      made(disk_io_check(), map_of({{"devices", list_of({"sda?", "dm-*", "loop0"})}}));
  const auto samples = host.run(*check);
  ASSERT_TRUE(samples) << samples.error().detail;
  EXPECT_FALSE(value_of(*check, *samples, "await_seconds", "sda"));
  for (const auto* device : {"sda1", "dm-0", "loop0"})
    EXPECT_TRUE(value_of(*check, *samples, "await_seconds", device)) << device;

  const auto none = made(disk_io_check(), map_of({{"devices", word("sdz")}}));
  const auto outcome = host.run(*none);
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, Errc::missing);
}

TEST(DiskIoCheck, CountsHowLongADeviceHasCompletedNothing) {
  FixtureHost host{""};
  host.root.write("/proc/diskstats", line({"sda", 100, 0, 500, 0, 0, 0, 4, 1000}));
  const auto check = made(disk_io_check());
  ASSERT_TRUE(host.run(*check));
  host.clock.advance(first_run_to_ten_seconds);
  host.root.write("/proc/diskstats", line({"sda", 100, 0, 500, 0, 0, 0, 5, 11000}));
  auto samples = host.run(*check);
  ASSERT_TRUE(samples);
  EXPECT_NEAR(*value_of(*check, *samples, "await_seconds", "sda"), 10.1, 0.001);
  EXPECT_DOUBLE_EQ(*value_of(*check, *samples, "queue_depth", "sda"), 5);
  host.clock.advance(10s);
  samples = host.run(*check);
  EXPECT_NEAR(*value_of(*check, *samples, "await_seconds", "sda"), 20.1, 0.001);
  const auto evidence = host.evidence(*check);
  EXPECT_THAT(evidence.lines.front(), HasSubstr("sda: 20.1s a request"));
  EXPECT_THAT(evidence.lines.front(), HasSubstr("5 in flight"));
  EXPECT_THAT(evidence.lines.front(), HasSubstr("completes nothing"));
  EXPECT_THAT(evidence.probable_cause, HasSubstr("sda has completed nothing for 20.1s"));

  host.clock.advance(10s);
  host.root.write("/proc/diskstats", line({"sda", 105, 0, 30500, 0, 0, 0, 0, 31000}));
  samples = host.run(*check);
  EXPECT_DOUBLE_EQ(*value_of(*check, *samples, "await_seconds", "sda"), 6);
  EXPECT_EQ(host.evidence(*check).probable_cause, "");
}

TEST(DiskIoCheck, TakesAFallenCounterForAnotherDevice) {
  FixtureHost host{""};
  host.root.write("/proc/diskstats", line({"sda", 100}) + line({"sdb", 100}));
  const auto check = made(disk_io_check());
  ASSERT_TRUE(host.run(*check));
  host.clock.advance(10s);
  host.root.write("/proc/diskstats", line({"sda", 5, 0, 5}) + line({"sdb", 110, 0, 20}));
  const auto samples = host.run(*check);
  ASSERT_TRUE(samples);
  EXPECT_FALSE(value_of(*check, *samples, "await_seconds", "sda"));
  EXPECT_DOUBLE_EQ(*value_of(*check, *samples, "await_seconds", "sdb"), 0.002);
  host.clock.advance(10s);
  host.root.write("/proc/diskstats", line({"sda", 10, 0, 15}));
  const auto after = host.run(*check);
  EXPECT_DOUBLE_EQ(*value_of(*check, *after, "await_seconds", "sda"), 0.002);
  EXPECT_FALSE(value_of(*check, *after, "await_seconds", "sdb")) << "it was taken away";
}

TEST(DiskIoCheck, DropsRatesThatSpanASuspend) {
  FixtureHost host{""};
  host.root.write("/proc/diskstats", line({"sda", 100}));
  const auto check = made(disk_io_check());
  ASSERT_TRUE(host.run(*check));
  host.clock.advance(10s);
  host.root.write("/proc/diskstats", line({"sda", 100'000, 0, 4'000'000}));
  const auto samples = host.run(*check, true);
  ASSERT_TRUE(samples);
  EXPECT_DOUBLE_EQ(*value_of(*check, *samples, "await_seconds", "sda"), 0)
      << "of the look after it alone";
}

TEST(DiskIoCheck, SaysWhyItCannotMeasure) {
  FixtureHost host{""};
  const auto check = made(disk_io_check());
  EXPECT_EQ(host.run(*check).error().code, Errc::missing);
  host.root.write("/proc/diskstats", "nonsense");
  EXPECT_EQ(host.run(*check).error().code, Errc::malformed);
  host.root.write("/proc/diskstats", line({"loop0"}));
  EXPECT_THAT(host.run(*check).error().detail, HasSubstr("no block device"));
  std::string many;
  for (std::size_t i = 0; i <= limits::devices_per_check; ++i)
    many += line({"dm-" + std::to_string(i)});
  host.root.write("/proc/diskstats", many);
  EXPECT_EQ(host.run(*check).error().code, Errc::too_large);
}

TEST(DiskIoCheck, NamesTheProcessThatDoesTheIo) {
  FixtureHost host{"healthy"};
  host.root.write("/proc/diskstats", line({"sda", 100}));
  const auto check = made(disk_io_check());
  ASSERT_TRUE(host.run(*check));
  auto context = host.context(500ms);
  std::optional<Evidence> evidence;
  auto work = fakes::keep(check->evidence(context), evidence);
  asio::co_spawn(host.loop, std::move(work), [](std::exception_ptr) {});
  fakes::settle(host.loop);
  auto io = *host.files.read("/proc/990/io");
  io.replace(io.find("write_bytes: 8812334400"), 23, "write_bytes: 8812344640");
  host.root.write("/proc/990/io", io);
  fakes::run_for(host.loop, host.clock, 400ms);
  ASSERT_TRUE(evidence);
  EXPECT_THAT(evidence->probable_cause, HasSubstr("mysqld (pid 990) does 50 KiB"));
  EXPECT_THAT(evidence->lines[1], HasSubstr("Most storage io: mysqld (990)"));
}

TEST(DiskIoCheck, RefusesPathsForNames) {
  EXPECT_THAT(complaints_of(disk_io_check(), map_of({{"devices", word("/dev/sda")}})),
              ElementsAre(HasSubstr("expected a device's name")));
  EXPECT_THAT(complaints_of(disk_io_check(), map_of({{"devices", word("sd*")}})), IsEmpty());
}

}  // namespace
}  // namespace tocsin
