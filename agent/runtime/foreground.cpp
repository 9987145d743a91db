#include "agent/runtime/foreground.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <system_error>

namespace tocsin::runtime {
namespace {

/// What is passed on, and the one that tells of the end.
sigset_t watched_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGCHLD})
    sigaddset(&set, signal);
  return set;
}

/// Becomes the program; what keeps it from that goes down the pipe.
[[noreturn]] void become(std::vector<char*>& arguments, const sigset_t& mask, int failures) {
  pthread_sigmask(SIG_SETMASK, &mask, nullptr);
  ::execvp(arguments[0], arguments.data());
  const int fault = errno;
  [[maybe_unused]] const auto told = ::write(failures, &fault, sizeof fault);
  ::_exit(127);
}

Error cannot_run(const std::string& program, int fault) {
  const auto why = std::generic_category().message(fault);
  if (fault == ENOENT || fault == ENOTDIR)
    return {Errc::missing, "there is no program " + program + " (" + why + ")"};
  return {Errc::refused, program + " cannot be run: " + why};
}

ForegroundExit exit_of(int status) {
  if (WIFSIGNALED(status)) return {128 + WTERMSIG(status), WTERMSIG(status), {}};
  return {WEXITSTATUS(status), 0, {}};
}

/// Until it ends, passing on what others send us.
ForegroundExit wait_for(pid_t child, const sigset_t& watched) {
  for (;;) {
    siginfo_t info{};
    const int signal = ::sigwaitinfo(&watched, &info);
    if (signal == SIGCHLD) {
      int status = 0;
      const auto ended = ::waitpid(child, &status, WNOHANG);
      if (ended == child) return exit_of(status);
      continue;
    }
    // What the kernel sends comes from the terminal, and goes to the whole group.
    if (signal > 0 && info.si_code != SI_KERNEL) ::kill(child, signal);
  }
}

}  // namespace

std::string describe_signal(int signal) {
  const char* name = ::sigdescr_np(signal);
  return "killed by signal " + std::to_string(signal) +
         (name == nullptr ? std::string{} : " (" + std::string{name} + ")");
}

Result<ForegroundExit> run_in_foreground(std::vector<std::string> command,
                                         const std::function<void()>& once_running) {
  std::vector<char*> arguments;
  for (auto& word : command) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  int failures[2]{};
  if (::pipe2(failures, O_CLOEXEC) != 0) return cannot_run(command[0], errno);
  const auto watched = watched_signals();
  sigset_t before;
  // Who started us may have told us to ignore the ends of children.
  std::signal(SIGCHLD, SIG_DFL);
  pthread_sigmask(SIG_BLOCK, &watched, &before);
  const auto begun = std::chrono::steady_clock::now();
  const auto child = ::fork();
  if (child == 0) become(arguments, before, failures[1]);
  const int forked = errno;
  ::close(failures[1]);
  int fault = child < 0 ? forked : 0;
  // Nothing comes down the pipe once the program runs: it closed with that.
  if (child > 0)
    while (::read(failures[0], &fault, sizeof fault) < 0 && errno == EINTR) {
    }
  ::close(failures[0]);
  if (fault != 0) {
    if (child > 0) ::waitpid(child, nullptr, 0);
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    return cannot_run(command[0], fault);
  }
  once_running();
  auto outcome = wait_for(child, watched);
  outcome.took = std::chrono::steady_clock::now() - begun;
  return outcome;
}

}  // namespace tocsin::runtime
