#include "agent/policy/alert_machine.hpp"

#include <algorithm>
#include <bit>

#include "agent/policy/breach.hpp"
#include "tocsin/base/overloaded.hpp"

namespace tocsin::policy {
namespace {

/// What one list of rules (all critical, or all warning) says about one look.
struct Weighed {
  bool breach{false};                ///< Some rule's conditions are met right now.
  bool held{false};                  ///< Some rule held.
  std::string why{};                 ///< Of the rule that held, else of the first in breach.
  std::string held_for{};            ///< " for 2m" of the rule that held.
  std::optional<SteadyTime> edge{};  ///< When the first hold that is running would be reached.
};

bool reached(const Hold& hold, const RuleProgress& progress, SteadyTime now) {
  return std::visit(overloaded{
                        [](const HoldNone&) { return true; },
                        [&](const HoldFor& held) {
                          return progress.since.has_value() &&
                                 now - *progress.since >= held.duration;
                        },
                        [&](const HoldCount& count) {
                          const auto mask = count.of >= 64 ? ~std::uint64_t{0}
                                                           : (std::uint64_t{1} << count.of) - 1;
                          return std::popcount(progress.ring & mask) >= count.need;
                        },
                    },
                    hold);
}

void note_look(RuleProgress& progress, bool seen, SteadyTime now) {
  progress.ring = (progress.ring << 1) | (seen ? 1u : 0u);
  if (!seen) {
    progress.since.reset();
  } else if (!progress.since) {
    progress.since = now;
  }
}

std::optional<SteadyTime> sooner(std::optional<SteadyTime> a, std::optional<SteadyTime> b) {
  if (!a) return b;
  if (!b) return a;
  return std::min(*a, *b);
}

Weighed weigh(const std::vector<Rule>& rules, std::vector<RuleProgress>& progress,
              std::span<const SampleSpec> specs, const Observation& observation) {
  Weighed weighed;
  const auto now = observation.at.steady;
  for (std::size_t i = 0; i < rules.size(); ++i) {
    auto why = observation.outcome ? breach(rules[i], specs, *observation.outcome) : std::nullopt;
    note_look(progress[i], why.has_value(), now);
    if (!why) continue;
    const bool held = reached(rules[i].hold, progress[i], now);
    if (!weighed.breach || (held && !weighed.held)) {
      weighed.why = *std::move(why);
      weighed.held_for = held ? hold_text(rules[i].hold) : std::string{};
    }
    weighed.breach = true;
    weighed.held = weighed.held || held;
    const auto* timed = std::get_if<HoldFor>(&rules[i].hold);
    if (timed != nullptr && !held) {
      weighed.edge = sooner(weighed.edge, *progress[i].since + timed->duration);
    }
  }
  return weighed;
}

/// One look at one alert; collects the step.
class Look {
 public:
  Look(const AlertPolicy& policy, std::span<const SampleSpec> specs, const Alert& alert,
       const Observation& observation)
      : policy_{policy}, specs_{specs}, observation_{observation}, now_{observation.at} {
    step_.next = alert;
    next().check = observation.check;
    fit(next().critical, policy.critical.size());
    fit(next().warning, policy.warning.size());
  }

  AlertStep take() && {
    if (observation_.gap) restart_holds();
    const bool blind = !observation_.outcome;
    if (blind && policy_.unknown != UnknownPolicy::ok) {
      step_.verdict = {Severity::unknown, observation_.outcome.error().detail};
      unmeasured();
    } else {
      measured();
    }
    note_flapping();
    return std::move(step_);
  }

 private:
  Alert& next() { return step_.next; }
  bool is_firing() const {
    return step_.next.phase == AlertPhase::firing || step_.next.phase == AlertPhase::recovering;
  }

  /// Rules were added or removed since: their holds begin anew rather than with another rule's
  /// progress.
  static void fit(std::vector<RuleProgress>& progress, std::size_t rules) {
    if (progress.size() != rules) progress.assign(rules, {});
  }

  void restart_holds() {
    fit(next().critical, 0);
    fit(next().warning, 0);
    fit(next().critical, policy_.critical.size());
    fit(next().warning, policy_.warning.size());
    next().unknown_since.reset();
    restart_recovery();
  }
  void restart_recovery() {
    next().recovering_since.reset();
    next().clear = {};
  }

  void look_again(std::optional<SteadyTime> edge) {
    auto at = edge;
    if (policy_.confirm_every > Duration::zero()) {
      at = sooner(at, now_.steady + policy_.confirm_every);
    }
    step_.look_again_at = sooner(step_.look_again_at, at);
  }

  void fire(Severity severity, std::string why) {
    next().phase = AlertPhase::firing;
    next().severity = severity;
    next().why = std::move(why);
    if (!next().since) next().since = now_.wall;
    step_.changes.push_back(AlertChange::fired);
  }
  void pend(std::string why) {
    next().phase = AlertPhase::pending;
    next().why = std::move(why);
    if (!next().since) next().since = now_.wall;
  }
  void settle_down() {
    next().phase = AlertPhase::inactive;
    next().severity = Severity::ok;
    next().why.clear();
    next().since.reset();
    next().recovering_since.reset();
  }

  void measured() {
    const auto critical = weigh(policy_.critical, next().critical, specs_, observation_);
    const auto warning = weigh(policy_.warning, next().warning, specs_, observation_);
    next().unknown_since.reset();
    if (!observation_.outcome) {
      step_.verdict = {Severity::unknown, observation_.outcome.error().detail};
    } else if (critical.breach) {
      step_.verdict = {Severity::critical, critical.why};
    } else if (warning.breach) {
      step_.verdict = {Severity::warning, warning.why};
    }
    if (!is_firing()) {
      not_yet_firing(critical, warning);
    } else if (critical.breach || warning.breach) {
      still_in_breach(critical, warning);
    } else {
      no_longer_in_breach();
    }
    if (next().phase == AlertPhase::firing && step_.verdict.severity == next().severity &&
        (critical.held || warning.held)) {
      step_.verdict.why = next().why;
    }
  }

  void not_yet_firing(const Weighed& critical, const Weighed& warning) {
    if (critical.held) {
      fire(Severity::critical, critical.why + critical.held_for);
    } else if (warning.held) {
      fire(Severity::warning, warning.why + warning.held_for);
    } else if (critical.breach || warning.breach) {
      pend(critical.breach ? critical.why : warning.why);
    } else {
      settle_down();
      return;
    }
    wait_for_more(critical, warning);
  }

  /// While a hold is running that would fire, or raise the severity, the next look should not wait
  /// for the schedule.
  void wait_for_more(const Weighed& critical, const Weighed& warning) {
    const bool pending = next().phase == AlertPhase::pending;
    if (critical.breach && !critical.held && (pending || next().severity != Severity::critical)) {
      look_again(critical.edge);
    }
    if (warning.breach && !warning.held && (pending || next().severity == Severity::unknown)) {
      look_again(warning.edge);
    }
  }

  /// The severity of an alert that fires already and is in breach: up needs the critical rule's own
  /// hold, down does not wait, and a breach whose hold is not reached says nothing new.
  Severity severity_in_breach(const Weighed& critical, const Weighed& warning) {
    const auto had = next().severity;
    if (critical.held || (critical.breach && had == Severity::critical)) return Severity::critical;
    if (warning.held || (warning.breach && had != Severity::unknown)) return Severity::warning;
    return had;
  }

  void still_in_breach(const Weighed& critical, const Weighed& warning) {
    const auto severity = severity_in_breach(critical, warning);
    if (next().phase == AlertPhase::recovering) step_.changes.push_back(AlertChange::refired);
    next().phase = AlertPhase::firing;
    restart_recovery();
    if (severity != next().severity) step_.changes.push_back(AlertChange::severity_changed);
    next().severity = severity;
    if (severity == Severity::critical && critical.breach) {
      next().why = critical.why + critical.held_for;
    } else if (severity == Severity::warning && warning.breach) {
      next().why = warning.why + warning.held_for;
    }
    wait_for_more(critical, warning);
  }

  bool clear_now() const {
    // Without a measurement we are here only because errors are to count as "not in breach".
    if (!policy_.clear || !observation_.outcome) return true;
    return all_clear(*policy_.clear, specs_, *observation_.outcome);
  }

  void no_longer_in_breach() {
    next().phase = AlertPhase::recovering;
    const bool clear = clear_now();
    note_look(next().clear, clear, now_.steady);
    next().recovering_since = next().clear.since;
    if (!clear) return;
    const Hold hold = policy_.clear ? policy_.clear->hold : Hold{HoldFor{policy_.clear_hold}};
    if (reached(hold, next().clear, now_.steady)) {
      restart_recovery();
      next().critical.assign(policy_.critical.size(), {});
      next().warning.assign(policy_.warning.size(), {});
      settle_down();
      step_.changes.push_back(AlertChange::recovered);
    } else if (const auto* timed = std::get_if<HoldFor>(&hold)) {
      step_.look_again_at = *next().recovering_since + timed->duration;
    }
  }

  void unmeasured() {
    restart_recovery();
    if (policy_.unknown == UnknownPolicy::hold) {
      if (next().phase == AlertPhase::pending) look_again(std::nullopt);
      return;
    }
    if (!next().unknown_since) next().unknown_since = now_.steady;
    const auto edge = *next().unknown_since + policy_.unknown_hold;
    if (now_.steady < edge) {
      if (!is_firing()) pend(step_.verdict.why);
      if (next().phase != AlertPhase::firing || next().severity == Severity::warning)
        look_again(edge);
      return;
    }
    auto why = "no measurement" +
               (policy_.unknown_hold > Duration::zero() ? hold_text(HoldFor{policy_.unknown_hold})
                                                        : std::string{}) +
               ": " + step_.verdict.why;
    if (!is_firing()) {
      fire(Severity::unknown, std::move(why));
      return;
    }
    const auto severity = worse(next().severity, Severity::unknown);
    if (next().phase == AlertPhase::recovering) step_.changes.push_back(AlertChange::refired);
    if (severity != next().severity) step_.changes.push_back(AlertChange::severity_changed);
    next().phase = AlertPhase::firing;
    next().severity = severity;
    if (severity == Severity::unknown) next().why = std::move(why);
  }

  /// Every look counts, those below the hold too: a condition that swings is flapping whether or
  /// not it fires.
  void note_flapping() {
    constexpr std::uint32_t looks = (1u << 20) - 1;
    auto seen = step_.verdict.severity;
    if (seen == Severity::unknown && policy_.unknown == UnknownPolicy::ok) seen = Severity::ok;
    if (seen == Severity::unknown && policy_.unknown == UnknownPolicy::hold)
      seen = next().last_seen;
    next().flap_ring = ((next().flap_ring << 1) | (seen != next().last_seen ? 1u : 0u)) & looks;
    next().last_seen = seen;
    const auto percent = flap_percent(next().flap_ring);
    if (!next().flapping && percent > flap_start_percent) {
      next().flapping = true;
      step_.changes.push_back(AlertChange::flapping_started);
    } else if (next().flapping && percent <= flap_stop_percent) {
      next().flapping = false;
      step_.changes.push_back(AlertChange::flapping_stopped);
    }
  }

  const AlertPolicy& policy_;
  std::span<const SampleSpec> specs_;
  const Observation& observation_;
  const Now now_;
  AlertStep step_{};
};

}  // namespace

AlertStep advance(const AlertPolicy& policy, std::span<const SampleSpec> specs, const Alert& alert,
                  const Observation& observation) {
  return Look{policy, specs, alert, observation}.take();
}

}  // namespace tocsin::policy
