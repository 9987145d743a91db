#include "agent/runtime/processes.hpp"

#include <signal.h>

#include <algorithm>
#include <list>
#include <optional>
#include <utility>

#include "agent/runtime/command.hpp"
#include "agent/runtime/exit_watch.hpp"
#include "agent/runtime/pidfd.hpp"
#include "agent/runtime/turns.hpp"
#include "tocsin/async/task_group.hpp"

namespace tocsin::runtime {
namespace {

using namespace std::chrono_literals;

constexpr Duration from_term_to_kill = 1s;
constexpr Duration from_kill_to_answer = 250ms;

class TurnTaken {
 public:
  explicit TurnTaken(Turns& turns) : turns_{turns} {}
  ~TurnTaken() { turns_.give(); }
  TurnTaken(const TurnTaken&) = delete;
  TurnTaken& operator=(const TurnTaken&) = delete;

 private:
  Turns& turns_;
};

/// Tells the supervisor when the run leaves without its answer, because it was cancelled.
class Patience {
 public:
  explicit Patience(Command& command) : command_{command} {}
  ~Patience() {
    command_.abandoned = true;
    command_.changed.raise();
  }
  Patience(const Patience&) = delete;
  Patience& operator=(const Patience&) = delete;

 private:
  Command& command_;
};

}  // namespace

struct RealProcesses::Impl {
  Impl(asio::any_io_executor on, Clock& time)
      : executor{std::move(on)}, clock{time}, supervisors{std::in_place, executor} {}

  static asio::awaitable<void> supervise(std::shared_ptr<Impl> self,
                                         std::shared_ptr<Command> command);
  /// Until the command has exited or could not be started, or the deadline; with `patient`, also
  /// until nobody waits.
  static asio::awaitable<void> until_ended(Clock& clock, Command& command, SteadyTime deadline,
                                           bool patient);
  static asio::awaitable<void> end(Clock& clock, std::shared_ptr<Command> command);
  bool unending(const std::vector<std::string>& command_line) const;
  /// Runs of this command that nobody waits for any more and that still have their time to end: it
  /// is over, so that they never pile up.
  void hasten(const std::vector<std::string>& command_line);

  asio::any_io_executor executor;
  Clock& clock;
  Turns turns{commands_at_once};
  std::list<std::shared_ptr<Command>> commands;  ///< Started and not reaped.
  std::optional<TaskGroup> supervisors;
};

RealProcesses::RealProcesses(asio::any_io_executor executor, Clock& clock)
    : impl_{std::make_shared<Impl>(std::move(executor), clock)} {
  // Whoever started us may have ignored it, and then the kernel would reap our children before we
  // can ask how they ended.
  ::signal(SIGCHLD, SIG_DFL);
}

RealProcesses::~RealProcesses() {
  for (const auto& command : impl_->commands) command->signal_group(SIGKILL);
  impl_->supervisors.reset();
}

std::size_t RealProcesses::in_flight() const noexcept { return impl_->commands.size(); }

bool RealProcesses::Impl::unending(const std::vector<std::string>& command_line) const {
  return std::ranges::any_of(commands, [&](const auto& command) {
    return command->unending && command->request.command == command_line;
  });
}

void RealProcesses::Impl::hasten(const std::vector<std::string>& command_line) {
  for (const auto& command : commands) {
    if (command->abandoned && command->request.command == command_line)
      command->signal_group(SIGKILL);
  }
}

Task<CommandOutcome> RealProcesses::run(CommandRequest request) {
  const auto impl = impl_;
  if (request.command.empty()) co_return Error{Errc::malformed, "the command is empty"};
  const auto program = request.command.front();
  const auto began = impl->clock.steady();
  const bool in_turn = co_await impl->turns.take(impl->executor, impl->clock, request.deadline);
  if (!in_turn) {
    co_return Error{Errc::timed_out, program +
                                         " was not started: " + std::to_string(commands_at_once) +
                                         " other commands were running all the time"};
  }
  const TurnTaken turn{impl->turns};
  if (impl->unending(request.command)) {
    co_return Error{Errc::stuck, "an earlier run of " + program +
                                     " hangs in the kernel: it was killed and has not ended"};
  }
  impl->hasten(request.command);
  const auto command = std::make_shared<Command>(impl->executor, std::move(request), began);
  auto launching = command->launch();
  if (!launching) co_return launching.error();
  const Patience patience{*command};
  impl->supervisors->spawn("command " + program, Impl::supervise(impl, command));
  while (!command->result) co_await command->answered.wait();
  co_return std::move(*command->result);
}

asio::awaitable<void> RealProcesses::Impl::until_ended(Clock& clock, Command& command,
                                                       SteadyTime deadline, bool patient) {
  while (!command.exited() && !command.failed && clock.steady() < deadline &&
         !(patient && command.abandoned)) {
    if (deadline == SteadyTime::max()) {
      co_await command.changed.wait();
    } else {
      co_await command.changed.wait_until(clock, deadline);
    }
  }
}

asio::awaitable<void> RealProcesses::Impl::end(Clock& clock, std::shared_ptr<Command> command) {
  command->outcome.timed_out = true;
  command->signal_group(SIGTERM);
  co_await until_ended(clock, *command, clock.steady() + from_term_to_kill, false);
  if (command->exited() || command->failed) co_return;
  command->signal_group(SIGKILL);
  co_await until_ended(clock, *command, clock.steady() + from_kill_to_answer, false);
  if (command->exited() || command->failed) co_return;
  // It hangs in the kernel. Nobody should wait for that, but its end is not forgotten.
  command->unending = true;
  auto so_far = command->outcome;
  so_far.signal = SIGKILL;
  so_far.took = clock.steady() - command->began;
  command->answer(std::move(so_far));
  co_await until_ended(clock, *command, SteadyTime::max(), false);
}

asio::awaitable<void> RealProcesses::Impl::supervise(std::shared_ptr<Impl> self,
                                                     std::shared_ptr<Command> command) {
  const auto place = self->commands.insert(self->commands.end(), command);
  co_await until_ended(self->clock, *command, command->request.deadline, true);
  if (!command->exited() && !command->failed) co_await end(self->clock, command);
  if (command->exited()) command->reap();
  self->commands.erase(place);
  if (command->failed) {
    command->answer(*command->failed);
  } else {
    command->outcome.took = self->clock.steady() - command->began;
    command->answer(std::move(command->outcome));
  }
}

Result<std::unique_ptr<Processes::Watch>> RealProcesses::watch_exit(int pid,
                                                                    std::function<void()> on_exit) {
  auto pidfd = open_pidfd(pid);
  if (!pidfd) return std::move(pidfd).error();
  return make_exit_watch(impl_->executor, *std::move(pidfd), std::move(on_exit));
}

}  // namespace tocsin::runtime
