#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include <boost/asio/cancellation_signal.hpp>

#include "agent/schedule/scheduler.hpp"

namespace tocsin::schedule {

struct Entry;

/// Moments and who is meant, in order. An entry takes its node along when it moves, so that moving
/// allocates nothing.
class Agenda {
 public:
  using Moments = std::multimap<SteadyTime, Entry*>;
  /// One entry's place in an agenda; it keeps the node while it is out of it.
  struct Place {
    Moments::node_type node{};
    Moments::iterator at{};
    bool entered{false};
  };

  /// Puts the entry at this moment, wherever it was before.
  void enter(Place& place, SteadyTime when, Entry& who);
  void leave(Place& place);
  bool empty() const noexcept { return moments_.empty(); }
  SteadyTime first_moment() const { return moments_.begin()->first; }
  Entry& first() const { return *moments_.begin()->second; }

 private:
  Moments moments_;
};

/// What a check is doing.
enum class Activity {
  idle,      ///< It waits for its next turn.
  queued,    ///< Its turn has come, but too many others are in flight.
  running,   ///< A run is in flight.
  overdue,   ///< The run was cut off and told as timed out, but has not returned yet.
  evidence,  ///< It collects evidence; runs wait.
};

/// What is known of a check's runs, to decide who may start beside whom.
enum class Manner {
  unknown,    ///< It has never ended a run.
  immediate,  ///< Its last run ended without waiting for anything: it takes nobody's place.
  waiting,    ///< Its last run waited, and ended by itself.
  hanging,    ///< Its last run was cut off, or ended shortly before.
};

/// One check and everything the scheduler knows of it. Owned by the scheduler's map and by runs in
/// flight, so that a check that was replaced lives until its run has ended.
struct Entry : std::enable_shared_from_this<Entry> {
  std::function<void()> nudge{};  ///< Before the check: it may hold a reference.
  ScheduledCheck scheduled{};
  Duration phase{};         ///< Of its turns while it ends without waiting.
  Duration spread_phase{};  ///< Of its turns otherwise.
  bool moved{false};        ///< Which of them holds, or what it is, changed since its last run.

  Agenda::Place turn{};                     ///< When to run next; not entered while queued or busy.
  Agenda::Place cut_off{};                  ///< When to end the run in flight.
  std::optional<SteadyTime> appointment{};  ///< Look no later than this.

  Activity activity{Activity::idle};
  Manner manner{Manner::unknown};
  Manner started_as{Manner::unknown};  ///< The class whose places the run in flight was counted in.
  bool counted{false};                 ///< The run in flight takes a place.
  bool retired{false};                 ///< Removed or replaced: results are dropped.
  bool again{false};                   ///< Nudged while busy.
  SteadyTime after_evidence{};         ///< The turn that was put off while evidence is collected.

  SteadyTime due{};  ///< When the run in flight or in the queue should have started.
  SteadyTime started{};
  SteadyTime last_start{SteadyTime::min()};
  Duration suspended_before{-1};  ///< Clock::suspended() at the previous run; negative: never ran.
  bool gap{false};
  SteadyTime nudge_window{SteadyTime::min()};  ///< Nudged runs are counted since then.
  int nudges_in_window{0};

  std::optional<CheckContext> context{};
  std::optional<Result<Samples>> outcome{};
  asio::cancellation_signal cancel{};
  std::vector<Wakeup*> evidence_waits{};  ///< Raised when the entry becomes idle.
};

}  // namespace tocsin::schedule
