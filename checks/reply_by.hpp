#pragma once

#include <algorithm>

#include "tocsin/check/check.hpp"

namespace tocsin::checks {

/// A little before the run is cut off (a tenth of what is left, at most 50 ms), so that a check can
/// still say what it was waiting for.
inline SteadyTime reply_by(const CheckContext& context) {
  const auto left = context.deadline - context.clock.steady();
  return context.deadline - std::min<Duration>(left / 10, std::chrono::milliseconds{50});
}

}  // namespace tocsin::checks
