#include "agent/policy/alert_machine.hpp"
#include "agent/policy/breach.hpp"

namespace tocsin::policy {

Verdict judge(const AlertPolicy& policy, std::span<const SampleSpec> specs,
              const Observation& observation) {
  if (!observation.outcome) return {Severity::unknown, observation.outcome.error().detail};
  for (const auto& rule : policy.critical) {
    if (auto why = breach(rule, specs, *observation.outcome)) {
      return {Severity::critical, *std::move(why)};
    }
  }
  for (const auto& rule : policy.warning) {
    if (auto why = breach(rule, specs, *observation.outcome)) {
      return {Severity::warning, *std::move(why)};
    }
  }
  return {Severity::ok, {}};
}

}  // namespace tocsin::policy
