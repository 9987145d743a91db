#pragma once

#include <string_view>

#include "tocsin/base/time.hpp"

namespace tocsin::schedule {

/// How long a new check waits for its first run at most, however rare its runs are: somebody who
/// starts an agent wants to see every check work.
inline constexpr Duration first_run_within = std::chrono::seconds{10};

/// The first moment after `after` that lies on the phase: `phase` plus a multiple of `every` since
/// the epoch of the steady clock, so that it does not depend on when the agent was started.
SteadyTime next_turn(Duration phase, Duration every, SteadyTime after);

}  // namespace tocsin::schedule
