#pragma once

#include <string>
#include <vector>

#include "agent/policy/alert_machine.hpp"

namespace tocsin::policy {

/// A check's looks, one after the other, on a clock that only moves when told to.
class Looks {
 public:
  Looks(std::vector<SampleSpec> specs, AlertPolicy rules)
      : policy{std::move(rules)}, specs_{std::move(specs)} {}

  AlertPolicy policy;
  Alert alert{};
  SteadyTime steady{std::chrono::hours{5}};
  WallTime wall{std::chrono::hours{24 * 365 * 50}};

  static Rule rule(const std::string& text, const std::vector<SampleSpec>& specs) {
    auto parsed = std::get<Rule>(parse_rule(text));
    if (!tocsin::bind(parsed, specs).empty()) throw std::runtime_error{"does not bind: " + text};
    return parsed;
  }

  void pass(Duration time) {
    steady += time;
    wall += std::chrono::duration_cast<WallTime::duration>(time);
  }

  AlertStep look(Samples samples, bool gap = false) { return take(std::move(samples), gap); }
  AlertStep look(double value) { return take(Samples{{0, value, {}}}, false); }
  AlertStep fail(const std::string& why) { return take(Error{Errc::unreadable, why}, false); }

 private:
  AlertStep take(Result<Samples> outcome, bool gap) {
    Observation observation;
    observation.check = "iowait";
    observation.at = {steady, wall};
    observation.gap = gap;
    observation.outcome = std::move(outcome);
    auto step = advance(policy, specs_, alert, observation);
    alert = step.next;
    return step;
  }

  std::vector<SampleSpec> specs_;
};

}  // namespace tocsin::policy
