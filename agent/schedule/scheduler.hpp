#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tocsin/async/clock.hpp"
#include "tocsin/async/task_group.hpp"
#include "tocsin/async/wakeup.hpp"
#include "tocsin/check/check.hpp"
#include "tocsin/model/sample.hpp"

namespace tocsin::schedule {

/// One check as the scheduler runs it.
struct ScheduledCheck {
  std::string name;
  std::shared_ptr<Check> check;
  Duration every{};
  Duration timeout{};
};

/// What checks reach; see CheckContext.
struct Surroundings {
  const HostFiles& files;
  Network& network;
  Processes& processes;
  HelperProcess& helper;
  PressureTriggers& pressure;
  const KernelClock& kernel_clock;
};

/// Runs every check on its phase: due times lie on a grid of one second (of `every`, when shorter),
/// at hash(name) mod every, so that reloads and restarts cause no bursts and checks due together
/// share a wake-up. Where hundreds are due in a second, those that wait for somebody are spread
/// over it. A new check runs first within ten seconds, however rare its turns are. Never two runs
/// of one check at once; a run that overruns skips the turns it missed. Each run is cut off at its
/// timeout; one that does not return even then is told as stuck at each further turn. At most
/// limits::checks_in_flight runs that wait for something are in flight together, and those that
/// hang hold half of that at most; runs that end without waiting, and up to Places::first_runs_most
/// first runs, do not count. The rest wait their turn, and their lag says so.
class Scheduler {
 public:
  using Sink = std::function<void(const ScheduledCheck&, Observation)>;
  /// What is handed in must outlive it.
  Scheduler(asio::any_io_executor executor, Clock& clock, Surroundings surroundings,
            Memories& memories, Sink sink);
  ~Scheduler();

  /// Replaces the set: a check whose pointer is unchanged keeps its phase, run in flight and
  /// earlier appointment.
  void replace(std::vector<ScheduledCheck> checks);
  /// Look at the check no later than this (confirm_every, the end of a hold). Ignored for unknown
  /// names.
  void look_no_later_than(const std::string& name, SteadyTime at);
  /// Run the check now, or as soon as the run in flight has ended.
  void nudge(const std::string& name);
  /// Collects evidence between runs, ended by the deadline; empty for an unknown name or when a run
  /// is stuck.
  asio::awaitable<Evidence> evidence(std::string name, SteadyTime deadline);

  /// Until cancelled; then cancels the runs in flight and waits a second for them.
  asio::awaitable<void> run();

  std::size_t in_flight() const noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// The phase of a check on a grid: hash(name) mod every, rounded down to the grid, or to 0 when
/// `every` is shorter. FNV-1a, stable across versions.
Duration phase_of(std::string_view name, Duration every, Duration grid = std::chrono::seconds{1});

}  // namespace tocsin::schedule
