#pragma once

#include <memory>

#include <boost/asio/any_io_executor.hpp>

#include "tocsin/async/clock.hpp"
#include "tocsin/check/host.hpp"

namespace tocsin::runtime {

/// Processes of this host, through pidfds (Linux 5.4). Commands get a small fixed environment
/// (PATH, HOME=/, LC_ALL=C). At most commands_at_once run together; the others wait their turn
/// within their own deadline, and are Errc::timed_out when it does not come. A program is started
/// on a thread of its own, since exec of a file on a dead mount does not return. A child that
/// leaves processes behind which hold its output is not waited for: its group gets SIGTERM. A
/// command that outlives SIGKILL (it hangs in the kernel) is answered as timed out, and the very
/// same command is Errc::stuck at once until the old one has ended. Cancelling a run ends the group
/// in the same way, in the background. Destroying this kills the groups that are left.
class RealProcesses final : public Processes {
 public:
  static constexpr std::size_t commands_at_once = 8;

  RealProcesses(asio::any_io_executor executor, Clock& clock);
  ~RealProcesses() override;
  RealProcesses(const RealProcesses&) = delete;
  RealProcesses& operator=(const RealProcesses&) = delete;

  Task<CommandOutcome> run(CommandRequest request) override;
  Result<std::unique_ptr<Watch>> watch_exit(int pid, std::function<void()> on_exit) override;

  /// Commands started and not yet reaped.
  std::size_t in_flight() const noexcept;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace tocsin::runtime
