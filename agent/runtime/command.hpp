#pragma once

#include <memory>
#include <string>

#include <boost/asio/posix/stream_descriptor.hpp>

#include "agent/runtime/descriptor.hpp"
#include "tocsin/async/wakeup.hpp"
#include "tocsin/check/host.hpp"

namespace tocsin::runtime {

/// One command from its start to its reaping. Shared by the run that waits for it, the supervisor
/// that ends it and the loop that reads its output.
class Command : public std::enable_shared_from_this<Command> {
 public:
  Command(asio::any_io_executor executor, CommandRequest request, SteadyTime started);
  /// Kills what is left of the group.
  ~Command();
  Command(const Command&) = delete;
  Command& operator=(const Command&) = delete;

  /// Asks for the start; started() becomes true, or failed() holds why not, when the answer
  /// arrives.
  Result<void> launch();
  bool started() const noexcept { return pid_ > 0; }
  bool exited() const noexcept { return exited_; }
  /// To the whole group: as soon as it is started, and never after the reaping.
  void signal_group(int number) noexcept;
  /// After the exit: takes what output is left, ends those who still hold it, and reaps.
  void reap();

  /// Gives the run its answer, once.
  void answer(Result<CommandOutcome> result);

  const CommandRequest request;
  const SteadyTime began;
  CommandOutcome outcome{};
  std::optional<Error> failed{};
  std::optional<Result<CommandOutcome>> result{};
  bool abandoned{false};  ///< Nobody waits for the answer any more.
  bool unending{false};   ///< It outlived SIGKILL, or its start does not return.
  Wakeup changed;         ///< For the supervisor.
  Wakeup answered;        ///< For the run.

 private:
  struct Output {
    explicit Output(const asio::any_io_executor& executor) : pipe{executor} {}
    asio::posix::stream_descriptor pipe;
    std::string* into{nullptr};
  };

  Result<Descriptor> make_pipe(Output& output);
  void wait_for_launch();
  void on_launched();
  void wait_for_exit(Descriptor pidfd);
  void wait_for_output(Output& output);
  /// Reads what is there; closes the pipe at its end.
  void take(Output& output);

  Output output_;
  Output error_output_;
  asio::posix::stream_descriptor launched_;
  asio::posix::stream_descriptor process_;
  int pid_{-1};
  int signal_at_start_{0};
  bool exited_{false};
  bool reaped_{false};
};

}  // namespace tocsin::runtime
