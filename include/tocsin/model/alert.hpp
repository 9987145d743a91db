#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tocsin/base/time.hpp"
#include "tocsin/model/severity.hpp"

namespace tocsin {

/// Where one check's condition stands over time.
enum class AlertPhase {
  inactive,    ///< Not in breach.
  pending,     ///< In breach, hold not reached.
  firing,      ///< A rule held.
  recovering,  ///< No longer in breach, clear rule not yet held.
};
std::string_view to_string(AlertPhase phase);
std::optional<AlertPhase> parse_alert_phase(std::string_view text);

/// The judgement on one observation.
struct Verdict {
  Severity severity{Severity::ok};
  std::string why{};  ///< One sentence: "iowait_ratio 43.2% > 40% for 2m".
  friend bool operator==(const Verdict&, const Verdict&) = default;
};

/// How far one rule is towards holding.
struct RuleProgress {
  std::optional<SteadyTime> since{};  ///< First look of the unbroken run of breaches.
  std::uint64_t ring{};               ///< The last looks, newest in bit 0, for N of M.
  friend bool operator==(const RuleProgress&, const RuleProgress&) = default;
};

/// The state of one check's alert. Pure data: policy advances it, the store keeps it.
struct Alert {
  std::string check;
  AlertPhase phase{AlertPhase::inactive};
  Severity severity{Severity::ok};       ///< While firing or recovering: what it fires at.
  std::string why{};                     ///< The sentence of the latest verdict that mattered.
  std::optional<WallTime> since{};       ///< When the current breach was first seen.
  std::vector<RuleProgress> critical{};  ///< One a rule, in the order of the configuration.
  std::vector<RuleProgress> warning{};
  std::optional<SteadyTime> unknown_since{};
  std::optional<SteadyTime> recovering_since{};
  RuleProgress clear{};       ///< Of the clear rule, when it counts looks.
  std::uint32_t flap_ring{};  ///< The last 20 looks: did the severity change? Newest in bit 0.
  bool flapping{false};
  Severity last_seen{Severity::ok};  ///< The severity of the last look, for the flap ring.
  friend bool operator==(const Alert&, const Alert&) = default;
};

}  // namespace tocsin
