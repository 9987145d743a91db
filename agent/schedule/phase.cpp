#include "agent/schedule/phase.hpp"

#include <algorithm>
#include <cstdint>

#include "agent/schedule/scheduler.hpp"

namespace tocsin::schedule {
namespace {

using namespace std::chrono_literals;

/// FNV-1a, 64 bits (draft-eastlake-fnv). Written out, since phases must not change with a library.
std::uint64_t hash(std::string_view text) {
  std::uint64_t sum = 0xcbf29ce484222325u;
  for (const char c : text) {
    sum ^= static_cast<unsigned char>(c);
    sum *= 0x100000001b3u;
  }
  return sum;
}

}  // namespace

Duration phase_of(std::string_view name, Duration every, Duration grid) {
  if (every <= 0ns) return 0ns;
  const auto within = hash(name) % static_cast<std::uint64_t>(every.count());
  const Duration phase{static_cast<Duration::rep>(within)};
  return phase - phase % std::min(grid, every);
}

Duration spread_grid(double runs_per_second) {
  int moments = 1;
  while (moments < 128 && runs_per_second > moments * due_together) moments *= 2;
  return shared_grid / moments;
}

SteadyTime next_turn(Duration phase, Duration every, SteadyTime after) {
  const Duration since = after.time_since_epoch() - phase;
  auto turns = since / every;
  if (since < 0ns && turns * every > since)
    --turns;  // Division cuts towards zero; we want the floor.
  return SteadyTime{phase + (turns + 1) * every};
}

}  // namespace tocsin::schedule
