#pragma once

#include <string>
#include <utility>

#include "agent/policy/incident_machine.hpp"

namespace tocsin::policy {

/// One turn of the incident machine: the next state, and what it says and wants, collected in
/// order.
class Turn {
 public:
  Turn(const IncidentPolicy& rules, Incident incident, Now at)
      : policy{rules}, now{at}, step_{std::move(incident), {}, {}, {}} {}

  const IncidentPolicy& policy;
  const Now now;

  Incident& incident() { return step_.next; }
  const Incident& incident() const { return step_.next; }

  /// A line of the timeline. `by` is a person; empty for tocsin itself.
  void line(TimelineKind kind, std::string text, std::string by = {});
  void want(Effect effect) { step_.effects.push_back(std::move(effect)); }
  /// The same sentence in the timeline and, unless the turn is quiet, in the channel.
  void tell(TimelineKind kind, const std::string& text);
  /// In the Slack channel, if there is one.
  void post(const std::string& text);
  /// Worst severity, title and the fields that tocsin fills, from the members as they are now.
  void recompute();
  /// Topic and summary follow, unless the turn is quiet.
  void refresh();
  /// From here on the timeline alone is told: for the changes of an alert that flaps.
  void be_quiet() { quiet_ = true; }
  bool quiet() const { return quiet_; }

  /// Whether the issue channel is (or is to be) in Slack.
  bool in_slack() const;

  Step take() && { return std::move(step_); }
  Step refuse(std::string sentence) &&;

 private:
  Step step_;
  bool quiet_{false};
};

// The moves of the machine that several inputs share. Each keeps the state, the timeline and the
// effects in step.

/// The first opening, or the end of group_wait.
void convene(Turn& turn);
/// A resolved incident fires again: the next generation, with a page of its own.
void reopen(Turn& turn, const std::string& why);
void mitigate(Turn& turn);
/// Service is restored (or somebody says so): pages are resolved, the channel stays.
void resolve(Turn& turn, const std::string& why, const std::string& by);
void cancel(Turn& turn, const std::string& why);
/// Pages once more under a new key, unless that happened less than page_again_every ago.
void page_again(Turn& turn, const std::string& why);
/// The next reminder, counted from now: rarer once somebody is on it.
void schedule_reminder(Turn& turn);
Duration reminder_interval(const Turn& turn, IncidentState state);
/// Adds a page and asks for its trigger.
void trigger(Turn& turn, const std::string& service, const std::string& key, bool escalation);

/// Runbook, dashboard and the pages, as far as they are known.
void add_bookmarks(Turn& turn);

int firing_members(const Incident& incident);
Member* find_member(Incident& incident, const std::string& check);
Page* find_page(Incident& incident, const std::string& key);
/// Mitigated incidents with a flapping member wait longer: another swing is more likely than peace.
Duration recover_hold(const Turn& turn);

// One function an input; each ends in a Step.
Step on(Turn turn, const AlertFired& input);
Step on(Turn turn, const AlertSeverityChanged& input);
Step on(Turn turn, const AlertRecovered& input);
Step on(Turn turn, const CheckRemoved& input);
Step on(Turn turn, const FlappingChanged& input);
Step on(Turn turn, const Acknowledge& input);
Step on(Turn turn, const SetField& input);
Step on(Turn turn, const Say& input);
Step on(Turn turn, const ResolveByHand& input);
Step on(Turn turn, const Close& input);
Step on(Turn turn, const Settled& input);
Step on(Turn turn, const Tick& input);

}  // namespace tocsin::policy
