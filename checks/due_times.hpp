#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "checks/recurrence.hpp"
#include "tocsin/base/time.hpp"

namespace tocsin::checks {

/// When a job is to report, and how late it may be.
struct Timetable {
  Duration period{};        ///< This long after it last did; 0: by the recurrence.
  Recurrence recurrence{};  ///< At these times,
  std::string zone{};       ///< on the clocks of this zone.
  Duration grace{};
  std::string text{};  ///< As it is configured, to tell one timetable from another.
};

/// Counts the due times that passed without an answer. How long something takes is measured by the
/// steady clock; due times on the wall clock count only as far as that clock got there by itself:
/// those that a jump skips, or shows again, are nobody's fault. One loop.
class DueTimes {
 public:
  /// What is to be kept across a restart.
  struct Kept {
    WallTime counted{};       ///< Due times up to here are dealt with.
    std::uint64_t missed{};   ///< Since the last answer.
    std::uint64_t carried{};  ///< Due before a jump or a restart, and still within grace.
    WallTime first_missed{};  ///< When the first of them was due.
    friend bool operator==(const Kept&, const Kept&) = default;
  };

  explicit DueTimes(Timetable timetable) : timetable_{std::move(timetable)} {}

  /// Nothing is known: due times count from here.
  void begin(Now now);
  /// Goes on after a restart. What became due meanwhile has its whole grace from here.
  void resume(const Kept& kept, Now now);
  /// The job reported, then. It answers for every due time before, and for one up to half a minute
  /// away.
  void answer(Now at);
  /// Counts what became due. Call it regularly.
  void look(Now now);

  const Kept& kept() const { return kept_; }
  std::uint64_t missed() const { return kept_.missed; }
  /// When it is due next, after the last look.
  std::optional<WallTime> next() const;
  /// How long a run that started then may take, unless configured otherwise: until its next due
  /// time and the grace after it.
  Duration time_for_run(WallTime started) const;
  const Timetable& timetable() const { return timetable_; }

 private:
  bool periodic() const { return timetable_.period > Duration{0}; }
  void look_by_period(Now now);
  void look_by_clock(Now now);
  void jumped(WallTime expected, WallTime now_wall, SteadyTime now_steady);
  void miss(std::uint64_t count, WallTime first);
  /// What is due until then is counted, and missed only after its grace.
  bool carry(WallTime until);
  std::uint64_t count_until(WallTime until);
  void move_to(WallTime counted);

  Timetable timetable_;
  Kept kept_{};
  std::optional<WallTime> next_{};            ///< The first due time after what is counted.
  SteadyTime answered_{};                     ///< Of a period.
  SteadyTime hold_until_{SteadyTime::min()};  ///< What was due before has its grace until then.
  std::uint64_t missed_before_{};             ///< A restart, of a period.
  std::optional<Now> last_look_{};
  std::optional<WallTime> resumed_{};  ///< When it went on after a restart.
};

}  // namespace tocsin::checks
