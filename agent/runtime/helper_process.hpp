#pragma once

#include <functional>
#include <memory>

#include <boost/asio/any_io_executor.hpp>

#include "agent/runtime/descriptor.hpp"
#include "tocsin/async/clock.hpp"
#include "tocsin/check/host.hpp"

namespace tocsin::runtime {

/// Starts a helper that serves the socket and returns its process id, or 0 when it is not a
/// process.
using StartHelper = std::function<Result<int>(Descriptor helper_end)>;
/// The program itself, with statfs_helper_argument.
Result<int> start_helper_process(Descriptor helper_end);

/// Asks a helper process for what may hang, see statfs_helper.hpp. It is started when first needed,
/// and again when it has died, at most once a second. Mounts whose type answers from memory are
/// asked directly, without it. A path that is being asked already is not asked twice: the second
/// caller waits for the same answer. Errc::stuck once a call has not returned by the deadline of
/// somebody who waited for it, until it returns; Errc::missing when the path does not exist.
class RealHelperProcess final : public HelperProcess {
 public:
  RealHelperProcess(asio::any_io_executor executor, Clock& clock);
  /// For tests: another helper, another idea of which mounts are asked directly.
  RealHelperProcess(asio::any_io_executor executor, Clock& clock, StartHelper start,
                    std::function<bool(const std::string& mount)> answers_at_once);
  ~RealHelperProcess() override;
  RealHelperProcess(const RealHelperProcess&) = delete;
  RealHelperProcess& operator=(const RealHelperProcess&) = delete;

  Task<FileSystemUsage> file_system_usage(std::string mount, SteadyTime deadline) override;
  Task<FoundFiles> find_files(std::string pattern, SteadyTime deadline) override;

  /// The helper's process id; 0 while there is none.
  int pid() const noexcept;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace tocsin::runtime
