// The process check on the real kernel: how it comes to know of a death cannot be faked.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/runtime/host_files.hpp"
#include "agent/runtime/processes.hpp"
#include "agent/runtime/real_clock.hpp"
#include "checks/process.hpp"
#include "tests/unit/checks/made_check.hpp"

namespace tocsin {
namespace {

using namespace std::chrono_literals;
using checks_test::made;
using checks_test::map_of;
using checks_test::word;
using fakes::value_of;

/// A process that does nothing until it is killed, and is gone by the end of the test.
class Idler {
 public:
  Idler() : pid_{::fork()} {
    if (pid_ != 0) return;
    for (;;) ::pause();
  }
  ~Idler() { kill_and_reap(); }
  Idler(const Idler&) = delete;
  Idler& operator=(const Idler&) = delete;

  int pid() const { return pid_; }
  void kill() const { ::kill(pid_, SIGKILL); }
  void kill_and_reap() {
    if (pid_ <= 0) return;
    kill();
    ::waitpid(std::exchange(pid_, 0), nullptr, 0);
  }

 private:
  int pid_;
};

TEST(ProcessCheckOnThisHost, IsWokenByADeathAlone) {
  fakes::FixtureRoot folder;
  asio::io_context loop{1};
  runtime::RealClock clock;
  const runtime::RootedFiles files{"/"};
  runtime::RealProcesses processes{loop.get_executor(), clock};
  fakes::NoNetwork network;
  fakes::FakeHelperProcess helper;
  fakes::FakePressureTriggers pressure;
  const fakes::FakeKernelClock kernel_clock;
  fakes::FakeMemory memory;
  int nudges = 0;
  const std::function<void()> nudge = [&] { ++nudges; };
  Idler idler;
  folder.write("/idler.pid", std::to_string(idler.pid()) + "\n");
  const auto check =
      made(process_check(),
           map_of({{"match", map_of({{"pidfile", word(folder.folder() + "/idler.pid")}})}}));
  CheckContext context{files,    clock,        network, processes, helper,
                       pressure, kernel_clock, memory,  nudge,     clock.steady() + 5s};

  const auto before = fakes::run_to_end(loop, check->run(context));
  ASSERT_TRUE(before) << before.error().detail;
  EXPECT_DOUBLE_EQ(*value_of(*check, *before, "up"), 1);
  EXPECT_DOUBLE_EQ(*value_of(*check, *before, "threads"), 1);
  EXPECT_GT(*value_of(*check, *before, "rss_bytes"), 0);
  EXPECT_GT(*value_of(*check, *before, "fds_ratio"), 0);
  EXPECT_LT(*value_of(*check, *before, "uptime_seconds"), 60);

  // No timer runs: if it is ever told, the kernel told it. The zombie is not reaped yet.
  idler.kill();
  loop.restart();
  while (nudges == 0 && loop.run_one_for(30s) > 0) {
  }
  ASSERT_EQ(nudges, 1);
  const auto after = fakes::run_to_end(loop, check->run(context));
  ASSERT_TRUE(after) << after.error().detail;
  EXPECT_DOUBLE_EQ(*value_of(*check, *after, "up"), 0);
  auto looking = check->evidence(context);
  const auto evidence = fakes::run_to_end(loop, std::move(looking));
  EXPECT_EQ(evidence.probable_cause,
            "test: pid " + std::to_string(idler.pid()) + " was killed by signal 9");
}

TEST(ProcessCheckOnThisHost, FindsOthersButNotItself) {
  const auto name = "tc-" + std::to_string(::getpid());
  char name_before[16]{};
  ::prctl(PR_GET_NAME, name_before);
  ::prctl(PR_SET_NAME, name.c_str());
  const runtime::RootedFiles files{"/"};
  fakes::FakeHost host;
  const auto check =
      made(process_check(),
           map_of({{"match",
                    map_of({{"name", word(name)}, {"user", word(std::to_string(::geteuid()))}})}}));
  CheckContext context{
      files,         host.clock,        *host.network, host.processes, host.helper,
      host.pressure, host.kernel_clock, host.memory,   host.nudge,     host.clock.steady() + 5s};
  const auto alone = fakes::run_to_end(host.loop, check->run(context));
  ASSERT_TRUE(alone) << alone.error().detail;
  EXPECT_DOUBLE_EQ(*value_of(*check, *alone, "count"), 0);
  {
    Idler of_our_name;
    const auto two = fakes::run_to_end(host.loop, check->run(context));
    ASSERT_TRUE(two) << two.error().detail;
    EXPECT_DOUBLE_EQ(*value_of(*check, *two, "count"), 1);
  }
  const auto again = fakes::run_to_end(host.loop, check->run(context));
  ASSERT_TRUE(again) << again.error().detail;
  EXPECT_DOUBLE_EQ(*value_of(*check, *again, "up"), 0);
  ::prctl(PR_SET_NAME, name_before);
}

}  // namespace
}  // namespace tocsin
