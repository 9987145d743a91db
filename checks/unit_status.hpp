#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tocsin/base/time.hpp"

namespace tocsin::checks {

/// systemd's ActiveState; the numbers are ours, for a sample.
enum class ActiveState {
  inactive = 0,      ///< Not started, or ended without a fault.
  active = 1,        ///< Started: it runs, listens, waits, is mounted.
  reloading = 2,     ///< Active, and rereading its settings.
  activating = 3,    ///< Being started, or waiting to be started again.
  deactivating = 4,  ///< Being stopped.
  failed = 5,        ///< Ended with a fault, or could not be started.
  maintenance = 6,   ///< Inactive, and being cleaned.
  unknown = 7,       ///< A state that this version of ours does not know.
};
ActiveState active_state_of(std::string_view word);

/// What systemd says of one unit. Everything beside its states may be missing: not each kind of
/// unit has it, nor each systemd.
struct UnitStatus {
  std::string name{};  ///< As it was asked for.
  std::string load{"loaded"};
  std::string active{"active"};
  std::string sub{};
  std::string path{};

  std::string type{};                           ///< Of a service: "simple", "oneshot", …
  bool remains{false};                          ///< RemainAfterExit= of a service.
  std::string result{};                         ///< How it ended last: "success", "exit-code", …
  std::optional<std::uint64_t> restarts{};      ///< By systemd itself, since somebody started it.
  std::optional<std::uint64_t> memory_bytes{};  ///< Where systemd accounts for it.
  std::optional<std::uint64_t> tasks{};
  std::optional<SteadyTime> active_since{};

  // Known of those that are down.
  std::optional<SteadyTime> changed_at{};  ///< Its state, the last time.
  std::uint64_t main_pid{0};               ///< Of its last main process, which may be gone.
  std::int64_t exit_code{0};    ///< CLD_EXITED, CLD_KILLED, CLD_DUMPED; 0: it has not ended.
  std::int64_t exit_status{0};  ///< Its exit status, or the signal that ended it.
  bool condition_met{true};     ///< Of its Condition…= when it was to be started last.
  std::string load_error{};
  std::string status_text{};  ///< What the service says of itself (sd_notify).
  std::string restart{};      ///< Restart=
  std::uint64_t start_limit_burst{0};
  std::optional<Duration> start_limit_interval{};
  std::vector<std::string> needs{};         ///< Units that it cannot do without.
  std::vector<std::string> failed_needs{};  ///< "db.service, which failed", of those.

  ActiveState state() const { return active_state_of(active); }
};

/// Whether it does what it is there for. Active units are up; so is a oneshot service that has run,
/// runs or is yet to run, unless it failed. What is starting, stopping, stopped, failed, masked or
/// not there is down.
bool is_up(const UnitStatus& unit);

/// How often systemd started a unit again by itself, as its counter tells.
class UnitRestarts {
 public:
  /// Takes in what systemd counts now of each unit. Units that are not there are forgotten.
  void look(const std::vector<UnitStatus>& units, SteadyTime now);
  /// Within limits::restart_window, at most limits::restarts_counted.
  std::size_t of(const std::string& name) const;

 private:
  struct Seen {
    std::uint64_t counter{0};
    bool present{false};
    std::vector<SteadyTime> at{};  ///< Oldest first.
  };
  std::map<std::string, Seen, std::less<>> seen_{};
};

}  // namespace tocsin::checks
