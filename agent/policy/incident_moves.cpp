#include <algorithm>

#include "agent/policy/incident_turn.hpp"
#include "agent/policy/phrases.hpp"
#include "tocsin/base/text.hpp"

namespace tocsin::policy {
namespace {

void stop_timers(Incident& incident) {
  incident.pending_until.reset();
  incident.escalate_from.reset();
  incident.remind_at.reset();
  incident.ack_expires_at.reset();
  incident.resolve_at.reset();
}

/// Every page of this generation that may ring: refused ones never rang, suppressed ones were never
/// sent.
void resolve_pages(Turn& turn) {
  for (const auto& page : turn.incident().pages) {
    switch (page.state) {
      case PageState::queued:
      case PageState::triggered:
      case PageState::acknowledged:
        turn.want(ResolvePage{page.service, page.key});
        break;
      case PageState::none:
      case PageState::resolved:
      case PageState::suppressed:
      case PageState::rejected:
        break;
    }
  }
}

}  // namespace

Duration reminder_interval(const Turn& turn, IncidentState state) {
  // Whoever is on it needs to work: a third as often as before anybody was.
  constexpr int rarer = 3;
  return state == IncidentState::acknowledged ? turn.policy.remind_every * rarer
                                              : turn.policy.remind_every;
}

void schedule_reminder(Turn& turn) {
  auto& incident = turn.incident();
  incident.remind_at.reset();
  const auto interval = reminder_interval(turn, incident.state);
  if (interval > Duration::zero()) incident.remind_at = turn.now.steady + interval;
}

void mitigate(Turn& turn) {
  auto& incident = turn.incident();
  incident.before_mitigated = incident.state;
  incident.state = IncidentState::mitigated;
  incident.mitigated_at = turn.now.wall;
  const auto hold = recover_hold(turn);
  incident.resolve_at = turn.now.steady + hold;
  turn.recompute();
  turn.tell(TimelineKind::mitigated,
            "Everything recovered after " + elapsed(incident.opened_at, turn.now.wall) +
                ". Resolves in " + describe(hold) + " if it stays that way.");
  turn.refresh();
}

void resolve(Turn& turn, const std::string& why, const std::string& by) {
  auto& incident = turn.incident();
  if (!incident.mitigated_at) incident.mitigated_at = turn.now.wall;
  incident.state = IncidentState::resolved;
  incident.resolved_at = turn.now.wall;
  incident.resolved_why = why;
  stop_timers(incident);
  incident.reopen_until = turn.now.steady + turn.policy.reopen_window;
  turn.recompute();
  turn.line(TimelineKind::resolved, "Resolved: " + why, by);
  resolve_pages(turn);
  // A resolution is told even while alerts flap: it is the end, not a swing.
  turn.post("Resolved after " + elapsed(incident.opened_at, turn.now.wall) +
            (by.empty() ? "" : " by " + by) + ": " + why +
            ". Root cause and fix are owed; this channel stays open until they are recorded: " +
            command(incident, "close", "--root-cause \"…\" --fix \"…\"") +
            " (or --waive \"REASON\" --by WHO).");
  if (turn.in_slack()) {
    turn.want(SetTopic{});
    turn.want(PutSummary{});
  }
}

void cancel(Turn& turn, const std::string& why) {
  turn.incident().state = IncidentState::cancelled;
  stop_timers(turn.incident());
  turn.line(TimelineKind::cancelled, "Cancelled before anybody was told: " + why);
}

}  // namespace tocsin::policy
