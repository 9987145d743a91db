#include "checks/disk.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "checks/disk_trend.hpp"
#include "checks/mountinfo.hpp"
#include "tests/unit/checks/made_check.hpp"

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
using ::testing::Not;

constexpr std::uint64_t gibibyte = 1u << 30;

/// A file system of 100 GiB with this much free, a twentieth kept for root.
FileSystemUsage with_free(std::uint64_t free_gibibytes) {
  const std::uint64_t blocks = gibibyte / 4096;
  return {.block_bytes = 4096,
          .blocks = 100 * blocks,
          .blocks_free = (free_gibibytes + 5) * blocks,
          .blocks_available = free_gibibytes * blocks,
          .inodes = 1000,
          .inodes_free = 750};
}

std::vector<std::string> points_of(std::string_view table) {
  std::vector<std::string> points;
  const auto mounts = checks::parse_mounts(table);
  for (const auto& mount : checks::real_file_systems(*mounts)) points.push_back(mount.point);
  return points;
}

TEST(Mounts, AreReadWithTheirEscapesUndone) {
  const auto mounts = checks::parse_mounts(
      "36 35 98:0 /mnt1 /mnt\\0402\\134x rw,noatime master:1 shared:2 - ext3 /dev/root "
      "rw,errors=continue\n");
  ASSERT_TRUE(mounts);
  ASSERT_EQ(mounts->size(), 1u);
  EXPECT_EQ(mounts->front(), (checks::Mount{.device = "98:0",
                                            .root = "/mnt1",
                                            .point = "/mnt 2\\x",
                                            .type = "ext3",
                                            .source = "/dev/root",
                                            .read_only = false}));
}

TEST(Mounts, AreReadOnlyWhenTheFileSystemIsNotJustTheView) {
  const auto mounts = checks::parse_mounts(
      "1 0 8:1 / /a ro - ext4 /dev/a rw\n"
      "2 0 8:2 / /b rw - ext4 /dev/b ro,errors=remount-ro\n"
      "3 0 8:3 / /c rw - ext4 /dev/c rw,emergency_ro\n");
  ASSERT_TRUE(mounts);
  EXPECT_FALSE((*mounts)[0].read_only);
  EXPECT_TRUE((*mounts)[1].read_only);
  EXPECT_TRUE((*mounts)[2].read_only);
}

TEST(Mounts, AreCoveredByLaterOnesOfTheSamePlace) {
  const auto mounts = checks::parse_mounts(
      "1 0 8:1 / / rw - ext4 /dev/a rw\n2 1 8:2 / /mnt rw - xfs /dev/b rw\n"
      "3 1 8:3 / /mnt rw - xfs /dev/c rw\n");
  ASSERT_TRUE(mounts);
  ASSERT_EQ(mounts->size(), 2u);
  EXPECT_EQ((*mounts)[0].point, "/");
  EXPECT_EQ((*mounts)[1].device, "8:3");
}

TEST(Mounts, AreRefusedWhenCutOff) {
  for (const auto* text :
       {"", "\n", "36 35 98:0 /", "36 35 98:0 / / rw", "36 35 98:0 / / rw - ext3",
        "36 35 98:0 / / rw - ext3 /dev/root", "1 0 8:1 / nowhere rw - a b rw"})
    EXPECT_FALSE(checks::parse_mounts(text)) << text;
}

TEST(RealFileSystems, LeaveOutWhatHoldsNoData) {
  FixtureHost large{"cores_128"};
  const auto points = points_of(*large.files.read("/proc/self/mountinfo"));
  EXPECT_EQ(points.size(), 14u);
  EXPECT_EQ(points.front(), "/");
  EXPECT_EQ(points[1], "/srv/disk00");  // not its bind mount at /exports
  EXPECT_EQ(points.back(), "/pool");    // its snapshots are the same file system
}

TEST(RealFileSystems, OfAContainerAreItsLayersAndItsVolumes) {
  FixtureHost container{"container"};
  EXPECT_THAT(points_of(*container.files.read("/proc/self/mountinfo")), ElementsAre("/", "/data"));
}

TEST(RealFileSystems, OfAContainersHostAreNotItsLayers) {
  EXPECT_THAT(points_of("1 0 8:1 / / rw - ext4 /dev/a rw\n"
                        "2 1 0:50 / /var/lib/docker/overlay2/c/merged rw - overlay overlay rw\n"),
              ElementsAre("/"));
}

TEST(Fstab, NamesWhatOughtToBeWritable) {
  EXPECT_THAT(checks::writable_in_fstab("# comment\n"
                                        "UUID=1 / ext4 errors=remount-ro 0 1\n"
                                        "/dev/b /my\\040data xfs defaults,noatime 0 2\n"
                                        "/dev/c /media iso9660 user,noauto,ro 0 0\n"
                                        "/dev/d none swap sw 0 0\n\n/dev/e\n"),
              ElementsAre("/", "/my data"));
}

TEST(DiskTrend, TellsWhenASteadyLossEndsInNothing) {
  checks::DiskTrend trend{1h};
  SteadyTime now{1000h};
  std::uint64_t free = 100 * gibibyte;
  for (int minute = 0; minute <= 29; ++minute) {
    trend.add(now, free);
    EXPECT_FALSE(trend.hours_to_full(free)) << minute;
    now += 1min;
    free -= gibibyte / 6;  // ten an hour
  }
  trend.add(now, free);
  ASSERT_TRUE(trend.hours_to_full(free));
  EXPECT_NEAR(*trend.hours_to_full(free), 9.5, 0.01);
  EXPECT_NEAR(*trend.bytes_per_second() * 3600 / gibibyte, -10, 0.01);
  trend.clear();
  EXPECT_FALSE(trend.hours_to_full(free));
}

TEST(DiskTrend, SaysNothingOfDisksThatDoNotFill) {
  checks::DiskTrend trend{1h};
  SteadyTime now{1000h};
  for (int minute = 0; minute < 180; ++minute, now += 1min) {
    trend.add(now, 50 * gibibyte + static_cast<std::uint64_t>(minute));
    EXPECT_FALSE(trend.hours_to_full(50 * gibibyte));
  }
}

TEST(DiskTrend, ForgetsWhatIsOlderThanItsWindow) {
  checks::DiskTrend trend{1h};
  SteadyTime now{1000h};
  std::uint64_t free = 90 * gibibyte;
  for (int minute = 0; minute < 120; ++minute, now += 1min) trend.add(now, free -= gibibyte / 2);
  EXPECT_TRUE(trend.hours_to_full(free));
  for (int minute = 0; minute < 62; ++minute, now += 1min) trend.add(now, free);
  EXPECT_FALSE(trend.hours_to_full(free));
}

TEST(DiskTrend, IsNoBiggerForMorePoints) {
  checks::DiskTrend trend{1h};
  SteadyTime now{1000h};
  std::uint64_t free = 1000 * gibibyte;
  for (int second = 0; second < 7200; ++second, now += 1s) trend.add(now, free -= gibibyte / 360);
  EXPECT_NEAR(*trend.bytes_per_second() * 3600 / gibibyte, -10, 0.01);
}

TEST(DiskCheck, MeasuresEveryRealFileSystem) {
  FixtureHost host{"healthy"};
  host.helper.set("/", with_free(38));
  host.helper.set("/data", with_free(19));
  const auto check = made(disk_check());
  const auto samples = host.run(*check);
  ASSERT_TRUE(samples) << samples.error().detail;
  EXPECT_THAT(names_of(*check, *samples),
              ElementsAre("used_ratio[/]", "free_ratio[/]", "free_bytes[/]", "inodes_used_ratio[/]",
                          "read_only[/]", "stuck[/]", "used_ratio[/data]", "free_ratio[/data]",
                          "free_bytes[/data]", "inodes_used_ratio[/data]", "read_only[/data]",
                          "stuck[/data]"));
  EXPECT_DOUBLE_EQ(*value_of(*check, *samples, "free_ratio", "/"), 0.4);
  EXPECT_DOUBLE_EQ(*value_of(*check, *samples, "used_ratio", "/"), 0.6);
  EXPECT_DOUBLE_EQ(*value_of(*check, *samples, "free_bytes", "/data"), 19.0 * gibibyte);
  EXPECT_DOUBLE_EQ(*value_of(*check, *samples, "inodes_used_ratio", "/data"), 0.25);
  EXPECT_DOUBLE_EQ(*value_of(*check, *samples, "read_only", "/data"), 0);
  EXPECT_DOUBLE_EQ(*value_of(*check, *samples, "stuck", "/data"), 0);
}

TEST(DiskCheck, MeasuresTheMountsItIsGivenAndMissesThoseThatAreNotThere) {
  FixtureHost host{"healthy"};
  host.helper.set("/data", with_free(19));
  const auto check =
      made(disk_check(), map_of({{"mount", list_of({"/data", "/var/lib/postgresql"})}}));
  const auto samples = host.run(*check);
  ASSERT_TRUE(samples) << samples.error().detail;
  EXPECT_EQ(host.helper.calls("/"), 0);
  EXPECT_EQ(host.helper.calls("/var/lib/postgresql"), 0);
  EXPECT_DOUBLE_EQ(*value_of(*check, *samples, "mounted", "/data"), 1);
  EXPECT_DOUBLE_EQ(*value_of(*check, *samples, "mounted", "/var/lib/postgresql"), 0);
  EXPECT_FALSE(value_of(*check, *samples, "free_ratio", "/var/lib/postgresql"));
  EXPECT_EQ(host.evidence(*check).probable_cause, "/var/lib/postgresql is not mounted");
}

TEST(DiskCheck, LeavesOutWhatIsExcluded) {
  FixtureHost host{"healthy"};
  host.helper.set("/", with_free(38));
  const auto check = made(disk_check(), map_of({{"exclude", list_of({"/data"})}}));
  ASSERT_TRUE(host.run(*check));
  EXPECT_EQ(host.helper.calls("/data"), 0);
}

TEST(DiskCheck, ReportsAStuckMountBesideTheOthers) {
  FixtureHost host{"io_bound"};
  host.helper.set("/", with_free(38));
  host.helper.set("/data", with_free(19));
  host.helper.stick("/mnt/backup");
  const auto check = made(disk_check());
  const auto samples = host.run(*check);
  ASSERT_TRUE(samples) << samples.error().detail;
  EXPECT_DOUBLE_EQ(*value_of(*check, *samples, "stuck", "/mnt/backup"), 1);
  EXPECT_FALSE(value_of(*check, *samples, "free_ratio", "/mnt/backup"));
  EXPECT_DOUBLE_EQ(*value_of(*check, *samples, "stuck", "/"), 0);
  EXPECT_DOUBLE_EQ(*value_of(*check, *samples, "free_ratio", "/"), 0.4);
  const auto evidence = host.evidence(*check);
  EXPECT_EQ(evidence.lines.front(),
            "/mnt/backup (nfs4, nas.example.com:/export/backup): does not answer");
  EXPECT_THAT(evidence.probable_cause, HasSubstr("nas.example.com:/export/backup"));

  host.helper.set("/mnt/backup", with_free(50));
  EXPECT_DOUBLE_EQ(*value_of(*check, *host.run(*check), "stuck", "/mnt/backup"), 0);
}

/// Never answers for /data before its deadline; at once for the rest.
class HangingHelper final : public HelperProcess {
 public:
  explicit HangingHelper(Clock& clock) : clock_{clock} {}
  Task<FileSystemUsage> file_system_usage(std::string mount, SteadyTime deadline) override {
    if (mount != "/data") co_return with_free(38);
    auto wait = clock_.sleep_until(deadline);
    co_await std::move(wait);
    co_return Error{Errc::stuck, "statfs of /data has not returned"};
  }
  Task<FoundFiles> find_files(std::string, SteadyTime) override { co_return FoundFiles{}; }

 private:
  Clock& clock_;
};

TEST(DiskCheck, HandsInTheOthersBeforeTheDeadlineWhenOneHangs) {
  FixtureHost host{"healthy"};
  HangingHelper helper{host.clock};
  const auto check = made(disk_check());
  CheckContext context{
      host.files,    host.clock,        *host.network, host.processes, helper,
      host.pressure, host.kernel_clock, host.memory,   host.nudge,     host.clock.steady() + 5s};
  std::optional<Result<Samples>> result;
  auto work = fakes::keep(check->run(context), result);
  asio::co_spawn(host.loop, std::move(work), [](std::exception_ptr) {});
  fakes::run_for(host.loop, host.clock, 4900ms);
  ASSERT_TRUE(result);
  ASSERT_TRUE(*result);
  EXPECT_DOUBLE_EQ(*value_of(*check, **result, "stuck", "/data"), 1);
  EXPECT_DOUBLE_EQ(*value_of(*check, **result, "free_ratio", "/"), 0.4);
}

TEST(DiskCheck, SeesAFileSystemTurnReadOnly) {
  FixtureHost host{"healthy"};
  host.root.remove("/etc/fstab");
  host.helper.set("/", with_free(38));
  host.helper.set("/data", with_free(19));
  const auto check = made(disk_check());
  EXPECT_DOUBLE_EQ(*value_of(*check, *host.run(*check), "read_only", "/"), 0);
  auto table = *host.files.read("/proc/self/mountinfo");
  table.replace(table.find("/dev/vda1 rw"), 12, "/dev/vda1 ro");
  host.root.write("/proc/self/mountinfo", table);
  const auto samples = host.run(*check);
  EXPECT_DOUBLE_EQ(*value_of(*check, *samples, "read_only", "/"), 1);
  EXPECT_DOUBLE_EQ(*value_of(*check, *samples, "read_only", "/data"), 0);
  EXPECT_THAT(host.evidence(*check).probable_cause,
              HasSubstr("/ turned read-only: the kernel log should hold errors of /dev/vda1"));
}

TEST(DiskCheck, TakesFstabsWordForOneThatWasReadOnlyFromTheStart) {
  FixtureHost host{"io_bound"};
  host.helper.set("/", with_free(38));
  host.helper.set("/data", with_free(19));
  host.helper.set("/mnt/backup", with_free(19));
  EXPECT_DOUBLE_EQ(
      *value_of(*made(disk_check()), *host.run(*made(disk_check())), "read_only", "/data"), 1);
  // Without a word in fstab it may be meant so: an image, a snapshot.
  host.root.remove("/etc/fstab");
  EXPECT_DOUBLE_EQ(
      *value_of(*made(disk_check()), *host.run(*made(disk_check())), "read_only", "/data"), 0);
}

TEST(DiskCheck, ForetellsWhenItIsFull) {
  FixtureHost host{"healthy"};
  const auto check = made(disk_check(), map_of({{"mount", word("/data")}}));
  Result<Samples> samples{Samples{}};
  for (int minute = 0; minute <= 30; ++minute) {
    auto usage = with_free(40);
    usage.blocks_available -= static_cast<std::uint64_t>(minute) * (gibibyte / 4096) / 3;
    host.helper.set("/data", usage);
    samples = host.run(*check);
    ASSERT_TRUE(samples);
    EXPECT_EQ(value_of(*check, *samples, "hours_to_full", "/data").has_value(), minute == 30);
    host.clock.advance(1min);
  }
  EXPECT_NEAR(*value_of(*check, *samples, "hours_to_full", "/data"), 1.5, 0.01);
  const auto evidence = host.evidence(*check);
  EXPECT_THAT(evidence.lines.front(), HasSubstr("losing 20 GiB an hour, full in 1h 30m"));
  EXPECT_EQ(evidence.probable_cause, "/data fills up by 20 GiB an hour");

  // Of a suspend nobody knows how long the disk was filled.
  EXPECT_FALSE(value_of(*check, *host.run(*check, true), "hours_to_full", "/data"));
}

TEST(DiskCheck, KeepsItsForecastWhenSomethingElseIsMounted) {
  FixtureHost host{"healthy"};
  const auto check = made(disk_check(), map_of({{"mount", word("/data")}}));
  for (int minute = 0; minute <= 40; ++minute) {
    host.helper.set("/data", with_free(80 - static_cast<std::uint64_t>(minute)));
    ASSERT_TRUE(host.run(*check));
    host.clock.advance(1min);
  }
  const auto table = *host.files.read("/proc/self/mountinfo");
  host.root.write("/proc/self/mountinfo", table + "99 27 8:9 / /more rw - ext4 /dev/m rw\n");
  EXPECT_TRUE(value_of(*check, *host.run(*check), "hours_to_full", "/data"));
}

TEST(DiskCheck, StartsAnewWhenAFileSystemGrows) {
  FixtureHost host{"healthy"};
  const auto check = made(disk_check(), map_of({{"mount", word("/data")}}));
  for (int minute = 0; minute <= 40; ++minute) {
    host.helper.set("/data", with_free(80 - static_cast<std::uint64_t>(minute)));
    ASSERT_TRUE(host.run(*check));
    host.clock.advance(1min);
  }
  auto larger = with_free(30);
  larger.blocks *= 2;
  host.helper.set("/data", larger);
  EXPECT_FALSE(value_of(*check, *host.run(*check), "hours_to_full", "/data"));
}

TEST(DiskCheck, ReadsTheMountTableOnceARunAndNothingElse) {
  FixtureHost host{"healthy"};
  host.helper.set("/", with_free(38));
  host.helper.set("/data", with_free(19));
  const auto check = made(disk_check());
  ASSERT_TRUE(host.run(*check));
  const auto opens = host.files.opens();
  const auto reads = host.files.reads();
  ASSERT_TRUE(host.run(*check));
  EXPECT_EQ(host.files.opens(), opens);
  EXPECT_EQ(host.files.reads(), reads + 1);
}

TEST(DiskCheck, SaysWhichMountItCouldNotMeasure) {
  FixtureHost host{"healthy"};
  host.helper.set("/", with_free(38));
  host.helper.fail("/data", {Errc::unreadable, "statfs failed: Input/output error"});
  const auto check = made(disk_check());
  const auto samples = host.run(*check);
  ASSERT_FALSE(samples);
  EXPECT_THAT(samples.error().detail, HasSubstr("/data could not be measured: statfs failed"));
}

TEST(DiskCheck, AsksForThePathAsItIsAndLabelsItReadably) {
  FixtureHost host{"healthy"};
  host.root.write("/proc/self/mountinfo", "1 0 8:1 / /odd\\040\xff rw - ext4 /dev/x rw\n");
  host.helper.set("/odd \xff", with_free(38));
  const auto check = made(disk_check());
  const auto samples = host.run(*check);
  ASSERT_TRUE(samples) << samples.error().detail;
  EXPECT_DOUBLE_EQ(*value_of(*check, *samples, "free_ratio", "/odd \uFFFD"), 0.4);
}

TEST(DiskCheck, RefusesTooManyFileSystems) {
  FixtureHost host{"healthy"};
  std::string table;
  for (int i = 0; i < 70; ++i)
    table += "1 0 8:" + std::to_string(i) + " / /m" + std::to_string(i) + " rw - ext4 /dev/x rw\n";
  host.root.write("/proc/self/mountinfo", table);
  const auto samples = host.run(*made(disk_check()));
  ASSERT_FALSE(samples);
  EXPECT_EQ(samples.error().code, Errc::too_large);
}

TEST(DiskCheck, RefusesWhatIsNoMountPoint) {
  const auto type = disk_check();
  EXPECT_THAT(complaints_of(type, map_of({{"mount", word("data")}})),
              ElementsAre(HasSubstr("mount: expected an absolute mount point")));
  EXPECT_THAT(complaints_of(type, map_of({{"mount", list_of({"/data", "/srv/"})}})),
              ElementsAre(HasSubstr("found '/srv/'")));
  EXPECT_THAT(complaints_of(type, map_of({{"trend_window", word("5m")}})),
              ElementsAre("trend_window: expected a duration from 30m to 7d"));
  EXPECT_THAT(complaints_of(type, map_of({{"mount", word("/")}, {"trend_window", word("2h")}})),
              IsEmpty());
}

}  // namespace
}  // namespace tocsin
