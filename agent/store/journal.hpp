#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "agent/store/backlog.hpp"
#include "agent/store/ledger.hpp"
#include "tocsin/async/blocking.hpp"
#include "tocsin/async/clock.hpp"
#include "tocsin/async/wakeup.hpp"

namespace tocsin::store {

/// The ledger as the loop sees it: commits are queued in order, written in groups on the blocking
/// thread (one fsync for all that wait), and reported back on the loop, in order. When the disk
/// refuses, or has not answered for `stall`, the journal says so (durable() == false), keeps in
/// memory what the disk has not taken, reports it as done so that pages still go out, and tries
/// again after 1 s, 2 s, 4 s … 30 s until the disk takes it all, in order. What waits is folded:
/// see Backlog for how much that can become and what is lost beyond.
class Journal {
 public:
  /// How long a write may take before people are paged without it.
  static constexpr Duration stall = std::chrono::seconds{2};

  /// Asks the ledger whether it can write, so that durable() is right from the start. The ledger is
  /// used on the calling thread here and in the destructor, and on the blocking thread in between.
  Journal(asio::any_io_executor executor, Clock& clock, BlockingThread& thread,
          std::unique_ptr<Ledger> ledger);

  /// Queues; `done` runs on the loop once the commit is durable, or known not to become so for now.
  /// Never from within.
  void append(Commit commit, std::function<void()> done);
  /// Writes groups until cancelled; then writes what is queued. Spawn once.
  asio::awaitable<void> run();
  /// Everything queued so far has been written (or refused) when this returns. Works after run()
  /// has ended, too.
  asio::awaitable<void> flush();

  bool durable() const noexcept { return durable_; }
  const std::string& last_error() const noexcept { return last_error_; }
  /// What the ledger had to say since this was last asked: raise an alert about ourselves.
  std::vector<std::string> take_warnings();
  /// Commits that are not on disk.
  std::size_t waiting() const noexcept;

  /// The newest `most` lines in order, those included that are not on disk (their sequence is 0).
  /// An error only when the disk cannot be read and memory has none.
  asio::awaitable<Result<std::vector<TimelineLine>>> timeline(IncidentId id, std::size_t most);
  /// Newest first, as they are now, on disk or not.
  asio::awaitable<Result<std::vector<Incident>>> incidents(std::size_t most);
  asio::awaitable<Result<std::vector<std::string>>> channel_names();
  /// Retention: forgets a few of those that ended before; call it again from time to time.
  asio::awaitable<Result<void>> forget_closed_before(WallTime before);

 private:
  struct Pending {
    Commit commit;
    Now at;
    std::function<void()> done;
  };
  /// What one transaction writes, while it does.
  struct Group {
    Backlog work{};
    Now at{};
    std::uint64_t through{0};  ///< Number of its last commit.
    std::vector<std::function<void()>> done{};
    Result<void> outcome{};
    std::uint64_t last_entry_id{0};
    std::vector<std::string> warnings{};
  };
  /// Calls `visit` with each Backlog or Commit that a reader who saw the disk up to commit `seen`
  /// has not seen, in order.
  template <class Visit>
  void for_each_unseen(std::uint64_t seen, Visit visit) const;

  asio::awaitable<void> write_until_cancelled();
  asio::awaitable<void> watch_writes();
  asio::awaitable<bool> wait_for_work();
  asio::awaitable<void> write_group();
  void finish(Group& group);
  void refuse(std::string why);
  void fold_queue(Backlog& into, std::vector<std::function<void()>>& done);
  void report(std::vector<std::function<void()>> done);
  bool nothing_to_write() const noexcept { return queue_.empty() && backlog_.empty() && durable_; }

  asio::any_io_executor executor_;
  Clock& clock_;
  BlockingThread& thread_;
  std::unique_ptr<Ledger> ledger_;
  std::deque<Pending> queue_;         ///< Not reported yet.
  Backlog backlog_;                   ///< Reported as done, but the disk has not taken it.
  std::shared_ptr<Group> in_flight_;  ///< Being written.
  Wakeup work_;
  Wakeup watch_;
  std::list<Wakeup*> flushing_;
  bool running_{false};
  bool durable_{true};
  std::string last_error_;
  std::vector<std::string> warnings_;
  std::uint64_t appended_{0};          ///< Commits are numbered from 1.
  std::uint64_t settled_{0};           ///< Through which they were reported.
  std::uint64_t on_disk_{0};           ///< Through which they are on disk, as the loop knows.
  std::uint64_t blocking_on_disk_{0};  ///< The same, of the blocking thread only.
  std::uint64_t last_entry_id_{0};
  Now newest_{};
  Duration retry_after_{};
  SteadyTime retry_at_{};
};

}  // namespace tocsin::store
