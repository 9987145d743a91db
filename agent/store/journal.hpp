#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "agent/store/ledger.hpp"
#include "tocsin/async/blocking.hpp"
#include "tocsin/async/clock.hpp"
#include "tocsin/async/wakeup.hpp"

namespace tocsin::store {

/// The ledger as the loop sees it: commits are queued in order, written in groups on the blocking thread (one fsync for
/// all that wait), and reported back on the loop. When the disk refuses, the journal says so (durable() == false), keeps
/// every commit in memory, reports them as done so that pages still go out, and retries until the disk takes them all,
/// in order.
class Journal {
 public:
  Journal(asio::any_io_executor executor, Clock& clock, BlockingThread& thread, std::unique_ptr<Ledger> ledger);

  /// Queues; `done` runs on the loop once the commit is durable, or known not to become so for now.
  void append(Commit commit, std::function<void()> done);
  /// Writes groups until cancelled; then writes what is queued. Spawn once.
  asio::awaitable<void> run();
  /// Everything queued so far has been written (or refused) when this returns.
  asio::awaitable<void> flush();

  bool durable() const noexcept { return durable_; }
  const std::string& last_error() const noexcept { return last_error_; }
  std::size_t waiting() const noexcept;

  asio::awaitable<Result<std::vector<TimelineLine>>> timeline(IncidentId id, std::size_t most);
  asio::awaitable<Result<std::vector<Incident>>> incidents(std::size_t most);

 private:
  struct Pending {
    Commit commit;
    Now at;
    std::function<void()> done;
  };
  asio::awaitable<void> write_group();

  Clock& clock_;
  BlockingThread& thread_;
  std::unique_ptr<Ledger> ledger_;
  std::deque<Pending> queue_;
  std::deque<Pending> unwritten_;  ///< Reported as done, but the disk has not taken them.
  Wakeup work_;
  bool durable_{true};
  std::string last_error_;
};

}  // namespace tocsin::store
