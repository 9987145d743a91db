#pragma once

#include <optional>
#include <span>
#include <vector>

#include "tocsin/model/alert.hpp"
#include "tocsin/model/rule.hpp"
#include "tocsin/model/sample.hpp"

namespace tocsin::policy {

/// What an error of the check means for its alert.
enum class UnknownPolicy {
  alert,  ///< Not being able to measure is itself a reason to call someone, once it lasted.
  hold,   ///< Keep whatever state the alert was in.
  ok,     ///< Treat as not in breach.
};

/// How one check's observations become an alert. Rules are bound to the check's specs.
struct AlertPolicy {
  std::vector<Rule> critical;
  std::vector<Rule> warning;
  std::optional<Rule> clear;  ///< Absent: no rule in breach for `clear_hold`.
  Duration clear_hold{std::chrono::minutes{1}};
  UnknownPolicy unknown{UnknownPolicy::alert};
  Duration unknown_hold{std::chrono::minutes{1}};   ///< How long errors must last before they fire.
  Duration confirm_every{std::chrono::seconds{2}};  ///< How soon to look again while pending.
};

/// What one look changed, by name.
enum class AlertChange {
  none,
  fired,             ///< Inactive or pending to firing.
  refired,           ///< Recovering back to firing: the incident never heard of a recovery.
  severity_changed,  ///< Still firing, at another severity.
  recovered,         ///< The clear rule held.
  flapping_started,
  flapping_stopped,
};

struct AlertStep {
  Alert next;
  Verdict verdict;  ///< Of this look alone: what metrics and `tocsin check` show.
  std::vector<AlertChange> changes{};  ///< In order; empty when nothing of note.
  /// Look again no later than this: confirm_every while pending or recovering, or the moment a hold
  /// would be reached.
  std::optional<SteadyTime> look_again_at{};
};

/// Judges one run without memory: the worst severity any rule's conditions give, and the sentence
/// why. Rules with a hold count as in breach. For `tocsin check` and for advance().
Verdict judge(const AlertPolicy& policy, std::span<const SampleSpec> specs,
              const Observation& observation);

/// Advances the alert by one look. Pure. Holds are measured by observation.at.steady only. A look
/// over a gap (suspend) restarts holds. A look that could not measure neither extends nor breaks a
/// run of breaches: a check that is in breach and times out by turns still fires. It never counts
/// towards recovery: that hold starts anew.
AlertStep advance(const AlertPolicy& policy, std::span<const SampleSpec> specs, const Alert& alert,
                  const Observation& observation);

/// Icinga's measure of flapping: 20 bits, newest weighted most: 100/20 · Σ bit·(0.80+0.02·i), i = 0
/// oldest … 19 newest (icinga2 lib/icinga/checkable-flapping.cpp describes it). Percent.
double flap_percent(std::uint32_t ring);
inline constexpr double flap_start_percent = 30.0;
inline constexpr double flap_stop_percent = 25.0;

}  // namespace tocsin::policy
