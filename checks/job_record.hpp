#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "checks/due_times.hpp"
#include "tocsin/check/beat.hpp"
#include "tocsin/model/sample.hpp"

namespace tocsin::checks {

inline constexpr std::size_t job_runs_kept = 32;  ///< In progress; the oldest are forgotten.
inline constexpr std::size_t job_beats_kept = 6;  ///< The last ones, for people.

/// How a job stands.
struct JobStanding {
  bool up{};
  Duration age{};                      ///< Since it last ended well, or since it is watched.
  std::optional<Duration> run_time{};  ///< Of the run in progress, else of the last.
  std::uint64_t missed{};
  std::size_t running{};
  std::size_t unfinished{};  ///< Of those, how many had their time.
  std::optional<int> exit_code{};
};

/// What is known of a job from its beats and its timetable. One loop.
class JobRecord {
 public:
  /// `max_run` 0: a run may take until the job is due again, and the grace.
  JobRecord(Timetable timetable, Duration max_run);

  /// Goes on from what save() gave; from nothing when that is empty, foreign or of another
  /// timetable.
  void load(std::string_view kept, Now now);
  std::string save() const;

  /// A beat that is older than one noted before is passed over.
  void note(const Beat& beat);
  JobStanding look(Now now);
  /// Whether the last look changed what is to be kept.
  bool changed() const { return changed_; }
  /// What the last look means, for people.
  void describe(Now now, Evidence& into) const;

 private:
  struct Run {
    std::string id{};
    WallTime started{};
    SteadyTime since{};
    Duration allowed{};
  };
  struct Seen {
    Beat::Kind kind{};
    int exit_code{};
    std::string run{};
    WallTime at{};
    std::optional<Duration> took{};
  };
  /// How the last run that ended did.
  struct End {
    bool well{};
    std::optional<int> exit_code{};
    WallTime at{};
    std::optional<Duration> took{};
  };

  void start(const Beat& beat);
  void end(const Beat& beat, bool well);
  bool restore(std::string_view kept, Now now);
  void put_run(std::string id, WallTime started, SteadyTime since);
  std::string what_is_wrong(Now now) const;
  std::string in_words(const Seen& seen) const;
  std::string local(WallTime at) const;

  DueTimes due_;
  Duration max_run_;
  WallTime watched_since_{};
  SteadyTime well_since_{};  ///< When it last ended well, else when it was first watched.
  std::optional<WallTime> last_ok_{};
  std::optional<End> last_end_{};
  std::vector<Run> runs_{};  ///< In progress, oldest first.
  std::vector<Seen> seen_{};
  SteadyTime newest_{SteadyTime::min()};  ///< Of the beats that were noted.
  std::string note_{};
  bool began_{false};
  bool changed_{false};
};

}  // namespace tocsin::checks
