#include "checks/process.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "checks/process_finder.hpp"
#include "checks/process_stat.hpp"
#include "tests/unit/checks/made_check.hpp"

namespace tocsin {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;
using checks_test::complaints_of;
using checks_test::FixtureHost;
using checks_test::made;
using checks_test::map_of;
using checks_test::word;
using fakes::value_of;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Node matching(std::string key, std::string value) {
  return map_of({{"match", map_of({{std::move(key), word(std::move(value))}})}});
}
Node matching(std::vector<std::pair<std::string, Node>> match, std::string count) {
  return map_of({{"match", map_of(std::move(match))}, {"count", word(std::move(count))}});
}

std::string stat_line(int pid, std::string_view comm, char state, int cpu, int start) {
  return std::to_string(pid) + " (" + std::string{comm} + ") " + state +
         " 1 1 1 0 -1 4194560 1 0 0 0 " + std::to_string(cpu) + " 0 0 0 20 0 2 0 " +
         std::to_string(start) +
         " 4096000 256 18446744073709551615 1 2 3 0 0 0 0 0 0 0 0 0 17 1 0 0 0 0 "
         "0 1 2 3 4 5 6 7 " +
         (state == 'Z' ? "9" : "0") + "\n";
}

/// A host with room for processes of a test's own.
struct ProcessHost : FixtureHost {
  ProcessHost() : FixtureHost{""} {
    root.write("/proc/uptime", "1000.00 900.00\n");
    start(1, "init", 1);
    root.write("/etc/passwd", "root:x:0:0::/:/bin/sh\nwww-data:x:33:33::/:/bin/false\n");
  }
  void start(int pid, const std::string& comm, int start_ticks, const std::string& argv = "x\0"s,
             int user = 0) {
    const auto folder = "/proc/" + std::to_string(pid);
    root.write(folder + "/stat", stat_line(pid, comm, 'S', 0, start_ticks));
    root.write(folder + "/comm", comm + "\n");
    root.write(folder + "/cmdline", argv);
    const auto id = std::to_string(user);
    root.write(folder + "/status", "Name:\tx\nUid:\t0\t" + id + "\t0\t0\n");
    if (!processes.existing.empty()) processes.existing.insert(pid);
  }
  /// It ends: the kernel says so, and its files are gone even for those who hold them open.
  void end(int pid) {
    const auto folder = "/proc/" + std::to_string(pid);
    files.fail(folder + "/", {Errc::missing, "no such process"});
    root.remove(folder);
    processes.exit(pid);
  }
  /// A new process under an id that was used before.
  void reuse(int pid) { files.mend("/proc/" + std::to_string(pid) + "/"); }
};

TEST(ProcessStat, IsReadWhateverTheNameHolds) {
  const auto text = stat_line(812, "odd) (name) S 1", 'R', 77, 4242);
  const auto stat = checks::parse_process_stat(text);
  ASSERT_TRUE(stat);
  EXPECT_EQ(stat->pid, 812);
  EXPECT_EQ(stat->comm, "odd) (name) S 1");
  EXPECT_EQ(stat->state, 'R');
  EXPECT_EQ(stat->parent, 1);
  EXPECT_EQ(stat->cpu_ticks, 77u);
  EXPECT_EQ(stat->threads, 2u);
  EXPECT_EQ(stat->start_ticks, 4242u);
  EXPECT_EQ(stat->rss_pages, 256u);
  EXPECT_TRUE(stat->alive());
}

TEST(ProcessStat, TellsHowAZombieEnded) {
  auto text = stat_line(5, "x", 'Z', 0, 1);
  EXPECT_TRUE(checks::parse_process_stat(text)->alive());  // two threads: others go on
  text.replace(text.find(" 20 0 2 0 "), 10, " 20 0 1 0 ");
  const auto stat = checks::parse_process_stat(text);
  ASSERT_TRUE(stat);
  EXPECT_FALSE(stat->alive());
  EXPECT_EQ(stat->wait_status, 9);
}

TEST(ProcessStat, IsRefusedWhenCutOff) {
  const auto whole = stat_line(812, "nginx", 'S', 0, 1);
  for (const auto& text : {""s, "812"s, "812 (nginx"s, "812 (nginx) "s, "812 nginx) S"s, ") ("s,
                           "x (nginx) S 1"s, "812 (nginx) SS 1"s, whole.substr(0, 60)})
    EXPECT_FALSE(checks::parse_process_stat(text)) << text;
}

TEST(ProcessFiles, AreParsed) {
  EXPECT_EQ(*checks::parse_effective_user("Name:\tx\nUid:\t1000\t33\t0\t0\n"), 33u);
  EXPECT_FALSE(checks::parse_effective_user("Name:\tx\nUid:\t1000\n"));
  EXPECT_FALSE(checks::parse_effective_user(""));
  EXPECT_EQ(*checks::parse_open_files_limit("Limit  Soft\nMax open files   1024   4096  files\n"),
            1024u);
  EXPECT_EQ(*checks::parse_open_files_limit("Max open files unlimited unlimited files\n"), 0u);
  EXPECT_FALSE(checks::parse_open_files_limit("Max processes 1 1\n"));
  EXPECT_EQ(*checks::parse_storage_bytes("rchar: 9\nread_bytes: 3\nwrite_bytes: 4\n"), 7u);
  EXPECT_FALSE(checks::parse_storage_bytes("rchar: 9\n"));
  EXPECT_EQ(*checks::parse_user_id("root:x:0:0\nwww:x:3:3\nwww-data:x:33:33:\n", "www-data"), 33u);
  EXPECT_EQ(checks::parse_user_id("root:x:0:0\n", "roo").error().code, Errc::missing);
  EXPECT_FALSE(checks::parse_user_id("root:x\nroot:x:zero:0\n", "root"));
}

TEST(ProcessName, MatchesTheKernelsOrTheFirstArguments) {
  EXPECT_TRUE(checks::is_called("nginx", "nginx", "anything"));
  EXPECT_TRUE(checks::is_called("nginx", "worker", "/usr/sbin/nginx\0-g"s));
  EXPECT_FALSE(checks::is_called("nginx", "nginx2", "/usr/sbin/nginx2"));
  EXPECT_FALSE(checks::is_called("nginx", "vi", "vi\0nginx"s));
}

TEST(ProcessName, IsComparedBeyondTheKernelsFifteenBytes) {
  const auto comm = "systemd-journal";
  EXPECT_TRUE(checks::is_called("systemd-journald", comm, "/lib/systemd/systemd-journald\0"s));
  EXPECT_FALSE(
      checks::is_called("systemd-journald", comm, "/lib/systemd/systemd-journal-remote\0"s));
  EXPECT_TRUE(checks::is_called("my-long-script-name.py", "my-long-script-",
                                "/usr/bin/python3\0/opt/my-long-script-name.py\0"s));
  EXPECT_FALSE(checks::is_called("my-long-script-name.py", "my-long-script-",
                                 "/usr/bin/python3\0/opt/my-long-script-other.py\0"s));
  EXPECT_TRUE(checks::is_called("my-long-script-name.py", "my-long-script-", ""));
}

TEST(ProcessCheck, FindsByNameAndMeasures) {
  FixtureHost host{"healthy"};
  const auto check = made(process_check(), matching("name", "nginx"));
  const auto samples = host.run(*check);
  ASSERT_TRUE(samples) << samples.error().detail;
  EXPECT_DOUBLE_EQ(*value_of(*check, *samples, "up"), 1);
  EXPECT_DOUBLE_EQ(*value_of(*check, *samples, "count"), 3);
  EXPECT_DOUBLE_EQ(*value_of(*check, *samples, "restarts"), 0);
  EXPECT_NEAR(*value_of(*check, *samples, "uptime_seconds"), 912034.55 - 9.02, 0.001);
  EXPECT_DOUBLE_EQ(*value_of(*check, *samples, "rss_bytes"), (512 + 2 * 1403) * 4096.0);
  EXPECT_DOUBLE_EQ(*value_of(*check, *samples, "fds_ratio"), 12.0 / 1024);
  EXPECT_DOUBLE_EQ(*value_of(*check, *samples, "threads"), 3);
  EXPECT_FALSE(value_of(*check, *samples, "cpu_ratio"));  // not after one look
  EXPECT_EQ(host.processes.watches(), 3u);
}

TEST(ProcessCheck, FindsByEachWayOfMatching) {
  const std::vector<std::pair<Node, double>> ways = [] {
    std::vector<std::pair<Node, double>> list;
    list.emplace_back(matching("name", "supervisord"), 1);  // its first argument is python3
    list.emplace_back(matching("cmdline", "^nginx: (master|worker)"), 3);
    list.emplace_back(matching("cmdline", "--datadir=/data/mysql$"), 1);
    list.emplace_back(matching("pidfile", "/run/nginx.pid"), 1);
    list.emplace_back(matching("cgroup", "/system.slice/nginx.service"), 3);
    list.emplace_back(matching("user", "www-data"), 2);
    list.emplace_back(matching("user", "106"), 1);
    list.emplace_back(matching({{"name", word("nginx")}, {"user", word("root")}}, "1"), 1);
    list.emplace_back(
        matching({{"pidfile", word("/run/nginx.pid")}, {"name", word("mysqld")}}, "1"), 0);
    list.emplace_back(matching({{"pidfile", word("/run/nginx.pid")},
                                {"cgroup", word("/system.slice/nginx.service")}},
                               "1"),
                      1);
    list.emplace_back(matching("name", "sh"), 0);  // a zombie
    list.emplace_back(matching("pidfile", "/run/none.pid"), 0);
    list.emplace_back(matching("cgroup", "/system.slice/none.service"), 0);
    return list;
  }();
  for (std::size_t i = 0; i < ways.size(); ++i) {
    FixtureHost host{"healthy"};
    const auto check = made(process_check(), ways[i].first);
    const auto samples = host.run(*check);
    ASSERT_TRUE(samples) << i << ": " << samples.error().detail;
    EXPECT_DOUBLE_EQ(*value_of(*check, *samples, "count"), ways[i].second) << i;
    EXPECT_DOUBLE_EQ(*value_of(*check, *samples, "up"), ways[i].second > 0 ? 1 : 0) << i;
  }
}

TEST(ProcessCheck, FindsGroupsOfTheFirstVersion) {
  FixtureHost host{"no_psi"};
  const auto check = made(process_check(), matching("cgroup", "/system.slice/httpd.service"));
  EXPECT_DOUBLE_EQ(*value_of(*check, *host.run(*check), "count"), 1);
}

TEST(ProcessCheck, DoesNotFindItself) {
  ProcessHost host;
  host.start(50, "tocsin", 100, "tocsin\0check\0nginx\0"s);
  host.root.link("/proc/self", "50");
  const auto check = made(process_check(), matching("cmdline", "nginx"));
  EXPECT_DOUBLE_EQ(*value_of(*check, *host.run(*check), "up"), 0);
}

TEST(ProcessCheck, IsToldOfADeathAndSeesItAtOnce) {
  ProcessHost host;
  host.start(100, "nginx", 100);
  const auto check = made(process_check(), matching("name", "nginx"));
  ASSERT_TRUE(host.run(*check));
  host.clock.advance(90s);
  ASSERT_TRUE(host.run(*check));
  EXPECT_EQ(host.nudges, 0);

  host.end(100);
  EXPECT_EQ(host.nudges, 1);
  const auto samples = host.run(*check);
  ASSERT_TRUE(samples);
  EXPECT_THAT(checks_test::names_of(*check, *samples), ElementsAre("up", "count", "restarts"));
  EXPECT_DOUBLE_EQ(*value_of(*check, *samples, "up"), 0);
  EXPECT_DOUBLE_EQ(*value_of(*check, *samples, "count"), 0);

  host.clock.advance(3s);
  const auto opens = host.files.opens();
  const auto evidence = host.evidence(*check);
  EXPECT_EQ(host.files.opens(), opens);  // from memory: somebody waits for the page
  EXPECT_THAT(evidence.lines, ElementsAre("test: 0 of at least 1 running",
                                          "last seen as pid 100, up 18m 9s, holding 1 MiB in all",
                                          "pid 100 ended, noticed 3s ago"));
  EXPECT_EQ(evidence.probable_cause, "test: pid 100 ended");
}

TEST(ProcessCheck, SaysWhatKilledAZombie) {
  ProcessHost host;
  host.start(100, "nginx", 100);
  const auto check = made(process_check(), matching("name", "nginx"));
  ASSERT_TRUE(host.run(*check));
  auto zombie = stat_line(100, "nginx", 'Z', 0, 100);
  zombie.replace(zombie.find(" 20 0 2 0 "), 10, " 20 0 1 0 ");
  host.root.write("/proc/100/stat", zombie);
  host.processes.exit(100);
  EXPECT_DOUBLE_EQ(*value_of(*check, *host.run(*check), "up"), 0);
  EXPECT_EQ(host.evidence(*check).probable_cause, "test: pid 100 was killed by signal 9");
}

TEST(ProcessCheck, ReadsOneFileAProcessInItsSteadyState) {
  FixtureHost host{"healthy"};
  const auto check = made(process_check(), matching("name", "nginx"));
  ASSERT_TRUE(host.run(*check));
  for (int second = 0; second < 59; ++second) {
    host.clock.advance(1s);
    const auto opens = host.files.opens();
    const auto reads = host.files.reads();
    ASSERT_TRUE(host.run(*check));
    EXPECT_EQ(host.files.opens(), opens) << second;
    EXPECT_EQ(host.files.reads(), reads + 3) << second;
  }
}

TEST(ProcessCheck, LooksSlowlyForMoreOfThem) {
  ProcessHost host;
  host.start(100, "nginx", 100);
  host.start(200, "other", 100);
  const auto check = made(process_check(), matching("name", "nginx"));
  ASSERT_TRUE(host.run(*check));
  host.start(101, "nginx", 200);
  host.clock.advance(59s);
  EXPECT_DOUBLE_EQ(*value_of(*check, *host.run(*check), "count"), 1);
  host.clock.advance(1s);
  EXPECT_DOUBLE_EQ(*value_of(*check, *host.run(*check), "count"), 2);
  EXPECT_TRUE(host.processes.watched(101));
}

TEST(ProcessCheck, DoesNotLookAgainAtProcessesItKnowsNotToMatch) {
  ProcessHost host;
  host.start(100, "nginx", 100);
  for (int pid = 200; pid < 300; ++pid) host.start(pid, "other", 100);
  const auto check = made(process_check(), matching("name", "nginx"));
  ASSERT_TRUE(host.run(*check));
  const auto look_opens = [&] {
    const auto before = host.files.opens();
    host.clock.advance(60s);
    EXPECT_TRUE(host.run(*check));
    return host.files.opens() - before;
  };
  EXPECT_GT(look_opens(), 100);  // the second time, lest it was a copy of its parent the first
  EXPECT_LT(look_opens(), 10);
  // In time a process may become another program.
  host.root.write("/proc/250/comm", "nginx\n");
  host.clock.advance(10min);
  EXPECT_DOUBLE_EQ(*value_of(*check, *host.run(*check), "count"), 2);
}

TEST(ProcessCheck, FindsANewProcessThatWasStillItsParentsCopy) {
  ProcessHost host;
  host.start(100, "nginx", 100);
  const auto check = made(process_check(), matching("name", "nginx"));
  ASSERT_TRUE(host.run(*check));
  host.start(101, "sh", 5000);
  host.end(100);
  host.clock.advance(3s);
  EXPECT_DOUBLE_EQ(*value_of(*check, *host.run(*check), "up"), 0);
  host.clock.advance(500ms);  // a second look so soon settles nothing
  EXPECT_DOUBLE_EQ(*value_of(*check, *host.run(*check), "up"), 0);
  host.root.write("/proc/101/comm", "nginx\n");
  host.clock.advance(1s);
  EXPECT_DOUBLE_EQ(*value_of(*check, *host.run(*check), "up"), 1);
}

TEST(ProcessCheck, CountsRestartsOfTheLastTenMinutes) {
  ProcessHost host;
  host.start(100, "nginx", 100);
  const auto check = made(process_check(), matching("name", "nginx"));
  EXPECT_DOUBLE_EQ(*value_of(*check, *host.run(*check), "restarts"), 0);
  for (int i = 1; i <= 5; ++i) {
    host.clock.advance(1min);
    host.end(99 + i);
    host.start(100 + i, "nginx", 100 + i * 6000);
    const auto samples = host.run(*check);
    EXPECT_DOUBLE_EQ(*value_of(*check, *samples, "restarts"), i);
    EXPECT_DOUBLE_EQ(*value_of(*check, *samples, "up"), 1);
  }
  EXPECT_THAT(host.evidence(*check).lines, Contains("5 restarts in the last 10m, the last 0s ago"));
  host.clock.advance(6min);
  EXPECT_DOUBLE_EQ(*value_of(*check, *host.run(*check), "restarts"), 4);
  host.clock.advance(10min);
  EXPECT_DOUBLE_EQ(*value_of(*check, *host.run(*check), "restarts"), 0);
}

TEST(ProcessCheck, DoesNotTakeAFirstStartForARestart) {
  ProcessHost host;
  const auto check = made(process_check(), matching("name", "nginx"));
  EXPECT_DOUBLE_EQ(*value_of(*check, *host.run(*check), "up"), 0);
  EXPECT_THAT(host.evidence(*check).lines, Contains(HasSubstr("never seen running")));
  host.start(100, "nginx", 100);
  host.clock.advance(1s);
  const auto samples = host.run(*check);
  EXPECT_DOUBLE_EQ(*value_of(*check, *samples, "up"), 1);
  EXPECT_DOUBLE_EQ(*value_of(*check, *samples, "restarts"), 0);
  host.end(100);
  EXPECT_DOUBLE_EQ(*value_of(*check, *host.run(*check), "restarts"), 0);
  host.start(101, "nginx", 300);
  EXPECT_DOUBLE_EQ(*value_of(*check, *host.run(*check), "restarts"), 1);
}

TEST(ProcessCheck, DoesNotTakeRecycledWorkersForRestarts) {
  ProcessHost host;
  host.start(100, "php-fpm", 100);
  for (int pid = 101; pid < 105; ++pid) host.start(pid, "php-fpm", 110);
  const auto check = made(process_check(), matching("name", "php-fpm"));
  ASSERT_TRUE(host.run(*check));
  for (int pid = 101; pid < 105; ++pid) {
    host.end(pid);
    host.start(pid + 100, "php-fpm", 9000);
  }
  const auto samples = host.run(*check);
  EXPECT_DOUBLE_EQ(*value_of(*check, *samples, "count"), 5);
  EXPECT_DOUBLE_EQ(*value_of(*check, *samples, "restarts"), 0);
  // All of them, as a supervisor does it.
  host.end(100);
  for (int pid = 201; pid < 205; ++pid) host.end(pid);
  host.start(300, "php-fpm", 20000);
  EXPECT_DOUBLE_EQ(*value_of(*check, *host.run(*check), "restarts"), 1);
}

TEST(ProcessCheck, TakesANewFirstProcessForARestart) {
  ProcessHost host;
  host.start(100, "nginx", 100);
  host.start(101, "nginx", 110);
  const auto check = made(process_check(), matching("name", "nginx"));
  ASSERT_TRUE(host.run(*check));
  host.end(100);
  EXPECT_DOUBLE_EQ(*value_of(*check, *host.run(*check), "restarts"), 0);
  host.start(102, "nginx", 9000);
  host.clock.advance(60s);
  EXPECT_DOUBLE_EQ(*value_of(*check, *host.run(*check), "restarts"), 1);
  host.start(103, "nginx", 9900);
  host.clock.advance(60s);
  EXPECT_DOUBLE_EQ(*value_of(*check, *host.run(*check), "restarts"), 1);
}

TEST(ProcessCheck, DoesNotCountOpenFilesWhileSomebodyWaits) {
  ProcessHost host;
  host.start(100, "nginx", 100);
  host.start(101, "nginx", 110);
  host.root.write("/proc/101/limits", "Max open files 10 10 files\n");
  host.root.write("/proc/101/fd/0", "");
  const auto check = made(process_check(), matching("name", "nginx"));
  EXPECT_DOUBLE_EQ(*value_of(*check, *host.run(*check), "fds_ratio"), 0.1);
  host.root.write("/proc/101/fd/1", "");
  host.end(100);
  host.clock.advance(60s);
  EXPECT_DOUBLE_EQ(*value_of(*check, *host.run(*check), "fds_ratio"), 0.1);
  EXPECT_DOUBLE_EQ(*value_of(*check, *host.run(*check), "fds_ratio"), 0.2);
}

TEST(ProcessCheck, WantsAsManyAsItIsTold) {
  ProcessHost host;
  for (int pid = 11; pid <= 14; ++pid) host.start(pid, "worker", 100);
  const auto check = made(process_check(), matching({{"name", word("worker")}}, "4"));
  EXPECT_DOUBLE_EQ(*value_of(*check, *host.run(*check), "up"), 1);
  host.end(13);
  const auto fewer = host.run(*check);
  EXPECT_DOUBLE_EQ(*value_of(*check, *fewer, "up"), 0);
  EXPECT_DOUBLE_EQ(*value_of(*check, *fewer, "count"), 3);
  host.start(15, "worker", 400);
  host.clock.advance(1s);
  const auto again = host.run(*check);
  EXPECT_DOUBLE_EQ(*value_of(*check, *again, "up"), 1);
  EXPECT_DOUBLE_EQ(*value_of(*check, *again, "restarts"), 1);
}

TEST(ProcessCheck, TellsANewProcessOfTheSameIdApart) {
  ProcessHost host;
  host.start(100, "nginx", 100);
  const auto check = made(process_check(), matching("pidfile", "/run/nginx.pid"));
  host.root.write("/run/nginx.pid", "100\n");
  ASSERT_TRUE(host.run(*check));
  // Gone, unnoticed, and started anew under its old id.
  host.start(100, "nginx", 5000);
  const auto samples = host.run(*check);
  EXPECT_DOUBLE_EQ(*value_of(*check, *samples, "up"), 1);
  EXPECT_DOUBLE_EQ(*value_of(*check, *samples, "restarts"), 1);
  EXPECT_DOUBLE_EQ(*value_of(*check, *samples, "uptime_seconds"), 950);
}

TEST(ProcessCheck, MeasuresCpuTimeBetweenRuns) {
  ProcessHost host;
  host.start(100, "nginx", 100);
  const auto check = made(process_check(), matching("name", "nginx"));
  ASSERT_TRUE(host.run(*check));
  host.root.write("/proc/100/stat", stat_line(100, "nginx", 'R', 150, 100));
  host.clock.advance(1s);
  EXPECT_DOUBLE_EQ(*value_of(*check, *host.run(*check), "cpu_ratio"), 1.5);
  host.clock.advance(10ms);  // too short to say more
  EXPECT_DOUBLE_EQ(*value_of(*check, *host.run(*check), "cpu_ratio"), 1.5);
  host.clock.advance(1s);
  EXPECT_DOUBLE_EQ(*value_of(*check, *host.run(*check), "cpu_ratio"), 0);
  EXPECT_FALSE(value_of(*check, *host.run(*check, true), "cpu_ratio"));
}

TEST(ProcessCheck, WatchesSomeAndCountsTheRest) {
  ProcessHost host;
  for (int pid = 1000; pid < 1100; ++pid) host.start(pid, "worker", 100);
  const auto check = made(process_check(), matching("name", "worker"));
  EXPECT_DOUBLE_EQ(*value_of(*check, *host.run(*check), "count"), 100);
  EXPECT_EQ(host.processes.watches(), limits::processes_watched);
}

TEST(ProcessCheck, DoesWithoutTheKernelsWord) {
  ProcessHost host;
  host.processes.refuse_watches({Errc::unsupported, "this kernel has no pidfd"});
  host.start(100, "nginx", 100);
  const auto check = made(process_check(), matching("name", "nginx"));
  EXPECT_DOUBLE_EQ(*value_of(*check, *host.run(*check), "up"), 1);
  host.end(100);
  EXPECT_EQ(host.nudges, 0);
  host.clock.advance(1s);
  EXPECT_DOUBLE_EQ(*value_of(*check, *host.run(*check), "up"), 0);
}

TEST(ProcessCheck, SaysWhatItCannotKnow) {
  FixtureHost host{"healthy"};
  const auto unknown_user = host.run(*made(process_check(), matching("user", "nobody-here")));
  ASSERT_FALSE(unknown_user);
  EXPECT_THAT(unknown_user.error().detail, HasSubstr("'nobody-here' is not in /etc/passwd"));
  host.root.write("/run/odd.pid", "nginx\n");
  const auto odd = host.run(*made(process_check(), matching("pidfile", "/run/odd.pid")));
  ASSERT_FALSE(odd);
  EXPECT_THAT(odd.error().detail, HasSubstr("/run/odd.pid is not as expected (no process id)"));
  host.root.write("/run/empty.pid", "");
  EXPECT_TRUE(host.run(*made(process_check(), matching("pidfile", "/run/empty.pid"))));
}

TEST(ProcessCheck, DoesNotTakeHiddenProcessesForDeadOnes) {
  ProcessHost host;
  host.files.fail("/proc/1/", {Errc::unreadable, "opening /proc/1/comm failed: not permitted"});
  const auto hidden = host.run(*made(process_check(), matching("name", "nginx")));
  ASSERT_FALSE(hidden);
  EXPECT_EQ(hidden.error().code, Errc::refused);
  EXPECT_THAT(hidden.error().detail, HasSubstr("hidepid"));
}

TEST(ProcessCheck, RefusesADescriptionThatDescribesNothing) {
  const auto type = process_check();
  EXPECT_THAT(complaints_of(type, map_of({})), ElementsAre(HasSubstr("match")));
  EXPECT_THAT(
      complaints_of(type, map_of({{"match", map_of({})}})),
      ElementsAre("match: expected at least one of name, cmdline, pidfile, cgroup and user"));
  EXPECT_THAT(complaints_of(type, matching("pidfile", "run/nginx.pid")),
              ElementsAre("match.pidfile: expected an absolute path, found 'run/nginx.pid'"));
  EXPECT_THAT(complaints_of(type, matching({{"name", word("nginx")}}, "0")),
              ElementsAre("count: expected a whole number from 1 to 1000000"));
  EXPECT_THAT(complaints_of(type, matching("name", "nginx")), IsEmpty());
}

}  // namespace
}  // namespace tocsin
