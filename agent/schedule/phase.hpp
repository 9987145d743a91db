#pragma once

#include <string_view>

#include "tocsin/base/time.hpp"

namespace tocsin::schedule {

/// How long a new check waits for its first run at most, however rare its runs are: somebody who
/// starts an agent wants to see every check work.
inline constexpr Duration first_run_within = std::chrono::seconds{10};

/// Due times lie on this grid, or on one of `every` when that is shorter, so that checks due
/// together share a wake-up.
inline constexpr Duration shared_grid = std::chrono::seconds{1};

/// Of checks that wait for somebody, not many more than this are due at one moment: that many keep
/// a core for ten or twenty milliseconds, and all but the first start so much too late.
inline constexpr double due_together = 100;

/// The grid of those that wait, in a set that runs so many checks a second: the shared one, halved
/// as long as too many would be due together. It ends at 128 moments a second.
Duration spread_grid(double runs_per_second);

/// The first moment after `after` that lies on the phase: `phase` plus a multiple of `every` since
/// the epoch of the steady clock, so that it does not depend on when the agent was started.
SteadyTime next_turn(Duration phase, Duration every, SteadyTime after);

}  // namespace tocsin::schedule
