#include "agent/runtime/processes.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <boost/asio/bind_cancellation_slot.hpp>

#include "agent/runtime/real_clock.hpp"
#include "tests/fakes/fake_host.hpp"
#include "tests/fakes/manual_clock.hpp"
#include "tests/unit/runtime/descriptors.hpp"

namespace tocsin::runtime {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

/// On a manual clock, so that deadlines pass when a test says so; the processes are real.
class ProcessesTest : public testing::Test {
 protected:
  CommandRequest shell(const std::string& script, Duration within = 10s) {
    CommandRequest request;
    request.command = {"/bin/sh", "-c", script};
    request.deadline = clock.steady() + within;
    return request;
  }
  Result<CommandOutcome> run(CommandRequest request) {
    return fakes::run_to_end(loop, processes->run(std::move(request)));
  }
  /// Starts a run without waiting for its end.
  void begin(CommandRequest request) {
    ++begun;
    auto work = fakes::keep(processes->run(std::move(request)), answer);
    asio::co_spawn(loop, std::move(work), [this](std::exception_ptr) { ++ended; });
  }
  /// Lets the loop run until the condition holds; every turn of it waits for something to happen.
  template <class F>
  void run_until(F holds) {
    loop.restart();
    while (!holds() && loop.run_one() > 0) {
    }
    ASSERT_TRUE(holds());
  }
  static bool exists(int pid) { return ::kill(pid, 0) == 0 || errno == EPERM; }

  fakes::ManualClock clock;
  asio::io_context loop{1};
  std::unique_ptr<RealProcesses> processes =
      std::make_unique<RealProcesses>(loop.get_executor(), clock);
  std::optional<Result<CommandOutcome>> answer;
  int begun{0};
  int ended{0};
};

TEST_F(ProcessesTest, ReturnsOutputErrorsAndExitCode) {
  const auto outcome = run(shell("echo good; echo bad >&2; exit 3"));
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->exit_code, 3);
  EXPECT_EQ(outcome->signal, 0);
  EXPECT_EQ(outcome->output, "good\n");
  EXPECT_EQ(outcome->error_output, "bad\n");
  EXPECT_FALSE(outcome->timed_out);
  EXPECT_FALSE(outcome->truncated);
}

TEST_F(ProcessesTest, TellsTheSignalThatEndedIt) {
  const auto outcome = run(shell("kill -USR1 $$"));
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->signal, SIGUSR1);
  EXPECT_FALSE(outcome->timed_out);
}

TEST_F(ProcessesTest, GivesASmallEnvironmentNoInputAndItsOwnSession) {
  ::setenv("TOCSIN_LEAK", "from the agent", 1);
  auto request =
      shell("env; cat; ls /proc/self/fd | wc -l; ps -o sid= -p $$ | tr -d ' '; echo $$; pwd");
  request.environment = {"EXTRA=1", "HOME=/tmp"};
  request.working_directory = "/usr";
  const auto outcome = run(std::move(request));
  ::unsetenv("TOCSIN_LEAK");
  ASSERT_TRUE(outcome);
  EXPECT_THAT(outcome->output, HasSubstr("LC_ALL=C\n"));
  EXPECT_THAT(outcome->output, HasSubstr("EXTRA=1\n"));
  EXPECT_THAT(outcome->output, HasSubstr("HOME=/tmp\n"));
  EXPECT_THAT(outcome->output, Not(HasSubstr("TOCSIN_LEAK")));
  // ls itself has a descriptor for the folder.
  EXPECT_THAT(outcome->output, HasSubstr("\n4\n"));
  EXPECT_THAT(outcome->output, HasSubstr("/usr\n"));
}

TEST_F(ProcessesTest, IsTheLeaderOfItsOwnGroupAndSession) {
  // Fields 1, 5 and 6 of /proc/PID/stat: process, group, session.
  const auto outcome =
      run(shell("read pid name state parent group session rest < /proc/$$/stat; "
                "test $pid = $group && test $pid = $session && echo leader"));
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->output, "leader\n");
}

TEST_F(ProcessesTest, LooksProgramsUpInItsOwnPath) {
  CommandRequest request;
  request.command = {"true"};
  request.deadline = clock.steady() + 10s;
  const auto outcome = run(request);
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->exit_code, 0);
  request.environment = {"PATH=/nowhere"};
  EXPECT_EQ(run(request).error().code, Errc::missing);
}

TEST_F(ProcessesTest, SaysWhyAProgramCouldNotBeStarted) {
  CommandRequest request;
  request.deadline = clock.steady() + 10s;
  EXPECT_EQ(run(request).error().code, Errc::malformed);
  request.command = {"/no/such/program"};
  EXPECT_EQ(run(request).error().code, Errc::missing);
  EXPECT_THAT(run(request).error().detail, HasSubstr("/no/such/program"));
  request.command = {"/etc/passwd"};
  EXPECT_EQ(run(request).error().code, Errc::refused);
  request.command = {"/bin/true"};
  request.working_directory = "/no/such/folder";
  const auto outcome = run(request);
  EXPECT_EQ(outcome.error().code, Errc::missing);
  EXPECT_THAT(outcome.error().detail, HasSubstr("/no/such/folder"));
  EXPECT_EQ(processes->in_flight(), 0u);
}

TEST_F(ProcessesTest, BoundsTheOutputAndReadsTheRestAway) {
  auto request = shell("head -c 1000000 /dev/zero; echo done >&2");
  request.output_bytes_max = 1000;
  const auto outcome = run(std::move(request));
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->output.size(), 1000u);
  EXPECT_TRUE(outcome->truncated);
  EXPECT_EQ(outcome->exit_code, 0) << "it was not blocked by a full pipe, nor ended by SIGPIPE";
  EXPECT_EQ(outcome->error_output, "done\n");
}

TEST_F(ProcessesTest, HandsOutTheOutputAsItComes) {
  auto request = shell("head -c 1000000 /dev/zero; echo done >&2");
  request.output_bytes_max = 1000;
  std::size_t taken = 0, most = 0;
  request.on_output = [&](std::string_view piece) {
    taken += piece.size();
    most = std::max(most, piece.size());
  };
  const auto outcome = run(std::move(request));
  ASSERT_TRUE(outcome);
  EXPECT_EQ(taken, 1'000'000u) << "no bound but the piece's";
  EXPECT_LE(most, 64u << 10);
  EXPECT_EQ(outcome->output, "");
  EXPECT_FALSE(outcome->truncated);
  EXPECT_EQ(outcome->error_output, "done\n");
}

TEST_F(ProcessesTest, EndsTheWholeGroupAtTheDeadline) {
  const fakes::FixtureRoot folder;
  const auto told = folder.folder() + "/pid";
  // The child says its number through a file that appears at once; then both wait.
  begin(shell("sh -c 'echo $$ > " + told + ".new; mv " + told + ".new " + told +
              "; exec sleep 1000' & wait"));
  const RootedFiles files;
  run_until([&] { return processes->in_flight() == 1; });
  Result<std::string> text = Error{};
  while (!(text = files.read(told))) loop.poll();
  const int grandchild = std::stoi(*text);
  ASSERT_TRUE(exists(grandchild));
  clock.advance(10s);
  run_until([&] { return ended == 1; });
  ASSERT_TRUE(answer && *answer);
  EXPECT_TRUE((**answer).timed_out);
  EXPECT_EQ((**answer).signal, SIGTERM);
  EXPECT_EQ(processes->in_flight(), 0u);
  // The grandchild got the signal with the group; whoever adopted it reaps it.
  while (exists(grandchild)) {
    const auto stat = files.read("/proc/" + std::to_string(grandchild) + "/stat");
    if (!stat || stat->find(") Z ") != std::string::npos) break;
  }
}

TEST_F(ProcessesTest, KillsWhatIgnoresTheFirstSignal) {
  begin(shell("trap '' TERM; echo ready; while :; do sleep 1000; done"));
  run_until([&] { return processes->in_flight() == 1; });
  const RootedFiles files;
  while (processes->in_flight() == 1 && ended == 0) {
    // The trap is set before the output: wait for the shell to have a sleeping child.
    loop.poll();
    const auto children = files.read("/proc/self/task/" + std::to_string(::getpid()) + "/children");
    if (!children || children->empty()) continue;
    const int shell_pid = std::stoi(*children);
    const auto below = files.read("/proc/" + std::to_string(shell_pid) + "/task/" +
                                  std::to_string(shell_pid) + "/children");
    if (below && !below->empty()) break;
  }
  clock.advance(10s);
  fakes::settle(loop);
  EXPECT_EQ(ended, 0) << "SIGTERM is ignored";
  clock.advance(1s);
  run_until([&] { return ended == 1; });
  ASSERT_TRUE(answer && *answer);
  EXPECT_TRUE((**answer).timed_out);
  EXPECT_EQ((**answer).signal, SIGKILL);
  EXPECT_EQ((**answer).output, "ready\n");
}

TEST_F(ProcessesTest, IsNotHeldByAGrandchildThatHoldsTheOutput) {
  const auto outcome = run(shell("sleep 1000 & echo $!"));
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->exit_code, 0);
  const int grandchild = std::stoi(outcome->output);
  const RootedFiles files;
  for (;;) {  // SIGTERM was sent before we were answered; it only has to be delivered.
    const auto stat = files.read("/proc/" + std::to_string(grandchild) + "/stat");
    if (!stat || stat->find(") Z ") != std::string::npos) break;
  }
}

TEST_F(ProcessesTest, AtMostEightRunAtOnceAndTheOthersWaitTheirTurn) {
  const fakes::FixtureRoot folder;
  const auto gate = folder.folder() + "/gate";
  ASSERT_EQ(::mkfifo(gate.c_str(), 0600), 0);
  for (int i = 0; i < 12; ++i) begin(shell("read line < " + gate));
  run_until([&] { return processes->in_flight() == RealProcesses::commands_at_once; });
  fakes::settle(loop);
  EXPECT_EQ(processes->in_flight(), RealProcesses::commands_at_once);
  auto late = shell("true", 5s);
  std::optional<Result<CommandOutcome>> never;
  auto work = fakes::keep(processes->run(std::move(late)), never);
  asio::co_spawn(loop, std::move(work), [](std::exception_ptr) {});
  fakes::settle(loop);
  clock.advance(5s);
  fakes::settle(loop);
  ASSERT_TRUE(never);
  EXPECT_EQ(never->error().code, Errc::timed_out);
  EXPECT_THAT(never->error().detail, HasSubstr("8 other commands"));
  // The gate is held open for writing, so every reader gets in and sees no end until it is closed.
  const int writer = ::open(gate.c_str(), O_RDWR | O_CLOEXEC);
  const std::string lines(12, '\n');
  ASSERT_EQ(::write(writer, lines.data(), lines.size()), 12);
  run_until([&] { return ended == 12; });
  ::close(writer);
  EXPECT_EQ(processes->in_flight(), 0u);
}

TEST_F(ProcessesTest, EndsTheCommandWhenTheRunIsCancelled) {
  asio::cancellation_signal cancel;
  bool done = false;
  std::optional<Result<CommandOutcome>> none;
  auto work = fakes::keep(processes->run(shell("sleep 1000")), none);
  asio::co_spawn(loop, std::move(work),
                 asio::bind_cancellation_slot(cancel.slot(), [&](std::exception_ptr thrown) {
                   done = true;
                   EXPECT_TRUE(thrown);
                 }));
  run_until([&] { return processes->in_flight() == 1; });
  cancel.emit(asio::cancellation_type::all);
  run_until([&] { return done && processes->in_flight() == 0; });
  EXPECT_FALSE(none);
  siginfo_t child{};
  EXPECT_EQ(::waitid(P_ALL, 0, &child, WEXITED | WNOHANG | WNOWAIT), -1) << "no zombie is left";
}

TEST_F(ProcessesTest, LeaksNoDescriptors) {
  ASSERT_TRUE(run(shell("true")));
  const auto before = open_descriptors();
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(run(shell("echo x")));
    CommandRequest missing;
    missing.command = {"/no/such/program"};
    missing.deadline = clock.steady() + 1s;
    ASSERT_FALSE(run(missing));
  }
  fakes::settle(loop);
  // The thread of the last start may be about to close its end; forty starts would have left forty.
  EXPECT_LE(open_descriptors(), before + 1);
}

TEST_F(ProcessesTest, TellsTheDeathOfAProcessThatIsNotOurChild) {
  // A child forks and goes away: the grandchild is adopted by somebody else.
  int told[2];
  ASSERT_EQ(::pipe(told), 0);
  const auto child = ::fork();
  if (child == 0) {
    const auto grandchild = ::fork();
    if (grandchild == 0) {
      for (;;) ::pause();
    }
    const int number = static_cast<int>(grandchild);
    ::_exit(::write(told[1], &number, sizeof number) == sizeof number ? 0 : 1);
  }
  int pid = -1;
  ASSERT_EQ(::read(told[0], &pid, sizeof pid), static_cast<ssize_t>(sizeof pid));
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  ::close(told[0]);
  ::close(told[1]);
  const auto before = open_descriptors();

  int calls = 0, dropped_calls = 0;
  auto watch = processes->watch_exit(pid, [&] { ++calls; });
  auto dropped = processes->watch_exit(pid, [&] { ++dropped_calls; });
  ASSERT_TRUE(watch);
  ASSERT_TRUE(dropped);
  fakes::settle(loop);
  EXPECT_EQ(calls, 0);
  (*dropped).reset();
  ::kill(pid, SIGKILL);
  run_until([&] { return calls > 0; });
  fakes::settle(loop);
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(dropped_calls, 0);
  (*watch).reset();
  EXPECT_LE(open_descriptors(), before);
}

TEST_F(ProcessesTest, AWatchMayBeDroppedByItsOwnCall) {
  const auto child = ::fork();
  if (child == 0) {
    for (;;) ::pause();
  }
  std::unique_ptr<Processes::Watch> watch;
  bool told = false;
  auto made = processes->watch_exit(static_cast<int>(child), [&] {
    told = true;
    watch.reset();
  });
  ASSERT_TRUE(made);
  watch = *std::move(made);
  ::kill(child, SIGKILL);
  run_until([&] { return told; });
  EXPECT_EQ(::waitpid(child, nullptr, 0), child);
}

TEST_F(ProcessesTest, SaysThatAProcessIsMissing) {
  EXPECT_EQ(processes->watch_exit(0, [] {}).error().code, Errc::missing);
  EXPECT_EQ(processes->watch_exit(-5, [] {}).error().code, Errc::missing);
  const auto child = ::fork();
  if (child == 0) ::_exit(0);
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  EXPECT_EQ(processes->watch_exit(static_cast<int>(child), [] {}).error().code, Errc::missing);
}

}  // namespace
}  // namespace tocsin::runtime
