#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "checks/process_stat.hpp"
#include "tocsin/check/host.hpp"

namespace tocsin::checks {

/// Processes that are known to match: their open stat files, and the kernel's word when one ends.
/// An open /proc/PID/stat belongs to one process for good, so a new process of the same id is never
/// taken for the old one.
class WatchedProcesses {
 public:
  /// `on_exit` is called on the loop when one of them ends.
  explicit WatchedProcesses(std::function<void()> on_exit) : on_exit_{std::move(on_exit)} {}

  /// Reads every one's stat and lets go of those that have ended.
  void look();
  /// Makes `pids` (ascending) the set: those known stay, the others go, new ones are watched up to
  /// limits::processes_watched and beyond that counted. Returns how many are new.
  int replace(const std::vector<int>& pids, const HostFiles& files, Processes& processes);

  int count() const { return static_cast<int>(watched_.size()) + unwatched_; }
  /// Sums over those watched, as of the last look.
  std::uint64_t rss_pages() const;
  std::uint64_t threads() const;
  /// Cpu ticks since the last call, of processes that were there then and are now.
  std::uint64_t take_cpu_ticks();
  /// Of the process that has run longest: what restarts are counted by.
  std::optional<std::uint64_t> first_start_ticks() const;
  std::optional<int> first_pid() const;
  /// The largest share of its limit of open files that any of them uses. Lists /proc/PID/fd: not
  /// for every run.
  std::optional<double> open_files_share(const HostFiles& files) const;

  /// Whether the process that had run longest is among those that ended since the last call.
  bool take_first_ended() { return std::exchange(first_ended_, false); }
  /// "pid 812 was killed by signal 9", of the last one that ended; only its parent knows more.
  const std::string& last_end() const { return last_end_; }

 private:
  struct Watched {
    int pid{};
    std::unique_ptr<HostFile> file;
    std::unique_ptr<Processes::Watch> watch;
    std::uint64_t start_ticks{};
    std::uint64_t cpu_ticks{};
    std::uint64_t cpu_ticks_taken{};
    std::uint64_t rss_pages{};
    std::uint64_t threads{};
  };
  static bool update(Watched& watched, ProcessStat& stat);
  std::optional<Watched> watch(int pid, const HostFiles& files, Processes& processes) const;
  const Watched* first() const;

  std::function<void()> on_exit_;
  std::vector<Watched> watched_;
  int unwatched_{0};  ///< Matching and alive at the last replace, beyond what is watched.
  bool first_ended_{false};
  std::string last_end_;
};

}  // namespace tocsin::checks
