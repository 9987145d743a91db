#pragma once

#include <cstddef>
#include <deque>

#include "agent/schedule/entry.hpp"
#include "tocsin/base/limits.hpp"

namespace tocsin::schedule {

/// Who may be in flight together, so that checks that hang cost their own kind only:
/// - checks that end without waiting (most of the host's) start whenever they are due and take no
/// place;
/// - checks that wait share limits::checks_in_flight places, of which those whose last run was cut
/// off, or ended shortly before it would have been, may hold half;
/// - a check that never ran may be of either kind, and only a run can tell, so first runs have
/// places of their own.
class Places {
 public:
  static constexpr std::size_t hanging_most = limits::checks_in_flight / 2;
  static constexpr std::size_t first_runs_most = 256;  ///< With the others, half the descriptors.

  bool may_start(Manner manner) const noexcept;
  void take(Manner manner) noexcept { ++count(manner); }
  void give(Manner manner) noexcept;
  std::size_t taken() const noexcept { return unknown_ + waiting_ + hanging_; }

  bool somebody_waits() const noexcept {
    return !unknown_queue_.empty() || !waiting_queue_.empty() || !hanging_queue_.empty();
  }
  /// First come, first served, among those of one manner.
  void queue(Entry& entry);
  void leave_queue(Entry& entry);
  /// The next one that may start now, taken out of its queue; null when there is none.
  Entry* next();

 private:
  std::size_t& count(Manner manner) noexcept;
  std::deque<Entry*>& queue_of(Manner manner) noexcept;

  std::size_t unknown_{0};
  std::size_t waiting_{0};
  std::size_t hanging_{0};
  std::deque<Entry*> unknown_queue_;
  std::deque<Entry*> waiting_queue_;
  std::deque<Entry*> hanging_queue_;
};

}  // namespace tocsin::schedule
