#include "checks/unit_status.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include "tocsin/base/limits.hpp"

namespace tocsin::checks {

ActiveState active_state_of(std::string_view word) {
  static constexpr std::pair<std::string_view, ActiveState> words[] = {
      {"inactive", ActiveState::inactive},     {"active", ActiveState::active},
      {"reloading", ActiveState::reloading},   {"refreshing", ActiveState::reloading},
      {"activating", ActiveState::activating}, {"deactivating", ActiveState::deactivating},
      {"failed", ActiveState::failed},         {"maintenance", ActiveState::maintenance},
  };
  for (const auto& [name, state] : words)
    if (name == word) return state;
  return ActiveState::unknown;
}

bool is_up(const UnitStatus& unit) {
  const auto state = unit.state();
  if (state == ActiveState::active || state == ActiveState::reloading) return true;
  if (state == ActiveState::failed || state == ActiveState::unknown) return false;
  // What is left is up only where being active is a passing state.
  if (unit.type != "oneshot" || unit.remains || unit.load != "loaded") return false;
  // It failed and is to be tried again.
  if (unit.sub.starts_with("auto-restart")) return false;
  return unit.result.empty() || unit.result == "success" || unit.result == "exec-condition";
}

void UnitRestarts::look(const std::vector<UnitStatus>& units, SteadyTime now) {
  for (auto& [name, seen] : seen_) seen.present = false;
  for (const auto& unit : units) {
    if (!unit.restarts) continue;
    const auto [place, is_new] = seen_.try_emplace(unit.name);
    auto& seen = place->second;
    // The counter begins anew when somebody starts the unit. What it says at first was before us.
    const auto from = *unit.restarts >= seen.counter ? seen.counter : 0;
    const auto fresh = is_new ? 0 : *unit.restarts - from;
    for (auto left = std::min<std::uint64_t>(fresh, limits::restarts_counted); left > 0; --left)
      seen.at.push_back(now);
    std::erase_if(seen.at, [&](SteadyTime at) { return now - at >= limits::restart_window; });
    if (seen.at.size() > limits::restarts_counted)
      seen.at.erase(seen.at.begin(), seen.at.end() - limits::restarts_counted);
    seen.counter = *unit.restarts;
    seen.present = true;
  }
  std::erase_if(seen_, [](const auto& entry) { return !entry.second.present; });
}

std::size_t UnitRestarts::of(const std::string& name) const {
  const auto found = seen_.find(name);
  return found == seen_.end() ? 0 : found->second.at.size();
}

}  // namespace tocsin::checks
