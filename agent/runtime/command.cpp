#include "agent/runtime/command.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "agent/runtime/launch.hpp"
#include "agent/runtime/pidfd.hpp"

// glibc 2.36 has it; the kernel since 5.4.
#ifndef P_PIDFD
#define P_PIDFD 3
#endif

namespace tocsin::runtime {
namespace {

constexpr std::size_t chunk_bytes = 8u << 10;
constexpr int chunks_at_once = 16;  // Twice a pipe's usual capacity; then others get their turn.

}  // namespace

Command::Command(asio::any_io_executor executor, CommandRequest asked, SteadyTime started)
    : request{std::move(asked)},
      began{started},
      changed{executor},
      answered{executor},
      output_{executor},
      error_output_{executor},
      launched_{executor},
      process_{executor} {
  output_.into = &outcome.output;
  error_output_.into = &outcome.error_output;
}

Command::~Command() {
  signal_group(SIGKILL);
  if (pid_ > 0 && !reaped_) {
    siginfo_t ignored{};
    ::waitid(P_PID, static_cast<id_t>(pid_), &ignored, WEXITED | WNOHANG);
  }
}

Result<Descriptor> Command::make_pipe(Output& output) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return error_from_errno(errno, "making a pipe");
  Descriptor reading{ends[0]}, writing{ends[1]};
  // Only our end: programs do not expect an output that says EAGAIN.
  ::fcntl(reading.raw(), F_SETFL, O_NONBLOCK);
  output.pipe.assign(reading.release());
  return writing;
}

Result<void> Command::launch() {
  auto output = make_pipe(output_);
  if (!output) return std::move(output).error();
  auto error_output = make_pipe(error_output_);
  if (!error_output) return std::move(error_output).error();
  auto launching =
      runtime::launch({request.command, command_environment(request.environment),
                       request.working_directory, *std::move(output), *std::move(error_output)});
  if (!launching) return std::move(launching).error();
  launched_.assign((*launching).release());
  wait_for_launch();
  return {};
}

void Command::wait_for_launch() {
  launched_.async_wait(asio::posix::descriptor_base::wait_read,
                       [self = shared_from_this()](const boost::system::error_code& fault) {
                         if (!fault) self->on_launched();
                       });
}

void Command::on_launched() {
  Launched launched;
  const auto got = ::read(launched_.native_handle(), &launched, sizeof launched);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return wait_for_launch();
  if (got != sizeof launched) launched.failed_with = ECHILD;
  boost::system::error_code ignored;
  launched_.close(ignored);
  if (launched.pid <= 0) {
    failed = launch_error(launched, request.command.front(), request.working_directory);
  } else {
    pid_ = launched.pid;
    auto pidfd = open_pidfd(pid_);
    if (pidfd) {
      wait_for_exit(*std::move(pidfd));
      wait_for_output(output_);
      wait_for_output(error_output_);
      if (signal_at_start_ != 0) signal_group(signal_at_start_);
    } else {
      // Out of descriptors, most likely. It has only just begun, so its end by SIGKILL is not long
      // in coming.
      failed = pidfd.error();
      signal_group(SIGKILL);
      siginfo_t ignored_end{};
      ::waitid(P_PID, static_cast<id_t>(pid_), &ignored_end, WEXITED);
      reaped_ = true;
    }
  }
  changed.raise();
}

void Command::wait_for_exit(Descriptor pidfd) {
  process_.assign(pidfd.release());
  process_.async_wait(asio::posix::descriptor_base::wait_read,
                      [self = shared_from_this()](const boost::system::error_code& fault) {
                        if (fault) return;
                        self->exited_ = true;
                        self->changed.raise();
                      });
}

void Command::wait_for_output(Output& output) {
  if (!output.pipe.is_open()) return;
  output.pipe.async_wait(
      asio::posix::descriptor_base::wait_read,
      [self = shared_from_this(), &output](const boost::system::error_code& fault) {
        if (fault) return;
        self->take(output);
        self->wait_for_output(output);
      });
}

void Command::take(Output& output) {
  std::array<char, chunk_bytes> chunk;
  boost::system::error_code ignored;
  for (int turn = 0; turn < chunks_at_once && output.pipe.is_open(); ++turn) {
    const auto got = ::read(output.pipe.native_handle(), chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) {
      output.pipe.close(ignored);
      return;
    }
    const auto bytes = static_cast<std::size_t>(got);
    if (&output == &output_ && request.on_output) {
      // Whoever asked may be gone by now, and what the call would write to with it.
      if (!abandoned && !result) request.on_output({chunk.data(), bytes});
      continue;
    }
    const auto room =
        request.output_bytes_max - std::min(request.output_bytes_max, output.into->size());
    output.into->append(chunk.data(), std::min(bytes, room));
    if (bytes > room) outcome.truncated = true;
  }
}

void Command::signal_group(int number) noexcept {
  if (pid_ <= 0) {
    signal_at_start_ = number;
  } else if (!reaped_) {
    ::kill(-pid_, number);
  }
}

void Command::reap() {
  take(output_);
  take(error_output_);
  // Until it is reaped its number, and so its group's, belongs to nobody else.
  if (outcome.timed_out) {
    // It went when asked to; what it started may have ignored that.
    signal_group(SIGKILL);
  } else if (output_.pipe.is_open() || error_output_.pipe.is_open()) {
    signal_group(SIGTERM);
  }
  siginfo_t how{};
  if (::waitid(static_cast<idtype_t>(P_PIDFD), static_cast<id_t>(process_.native_handle()), &how,
               WEXITED | WNOHANG) == 0 &&
      how.si_pid == pid_) {
    if (how.si_code == CLD_EXITED) {
      outcome.exit_code = how.si_status;
    } else {
      outcome.signal = how.si_status;
    }
  }
  reaped_ = true;
  boost::system::error_code ignored;
  output_.pipe.close(ignored);
  error_output_.pipe.close(ignored);
  process_.close(ignored);
}

void Command::answer(Result<CommandOutcome> told) {
  if (result) return;
  result.emplace(std::move(told));
  answered.raise();
}

}  // namespace tocsin::runtime
