#include <algorithm>
#include <cmath>

#include "agent/policy/lanes.hpp"
#include "tocsin/base/limits.hpp"

namespace tocsin::policy {
namespace {

constexpr Duration halt_first = std::chrono::seconds{30};
constexpr Duration halt_most = std::chrono::minutes{10};

/// first · 2^(n-1), at most `most`.
Duration doubled(Duration first, int n, Duration most) {
  auto pause = first;
  for (int i = 1; i < n && pause < most; ++i) pause *= 2;
  return std::min(pause, most);
}

}  // namespace

Duration backoff(int attempts, double chance, std::optional<Duration> no_sooner) {
  const auto ceiling = doubled(limits::backoff_first, attempts, limits::backoff_most);
  const auto share = std::isfinite(chance) ? std::clamp(chance, 0.0, 1.0) : 1.0;
  const Duration pause{static_cast<Duration::rep>(static_cast<double>(ceiling.count()) * share)};
  return std::max(pause, no_sooner.value_or(Duration::zero()));
}

Duration halt_pause(int halts_in_a_row) { return doubled(halt_first, halts_in_a_row, halt_most); }

}  // namespace tocsin::policy
