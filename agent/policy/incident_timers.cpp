#include <algorithm>

#include "agent/policy/incident_turn.hpp"
#include "agent/policy/phrases.hpp"
#include "agent/policy/wording.hpp"
#include "tocsin/base/text.hpp"

namespace tocsin::policy {
namespace {

using Due = std::optional<SteadyTime>;

bool is_due(const Due& at, const Now& now) { return at && *at <= now.steady; }

Due sooner(Due a, Due b) {
  if (!a) return b;
  if (!b) return a;
  return std::min(*a, *b);
}

Due escalation_due(const Incident& incident) {
  if (!incident.escalate_from || incident.escalation_next >= incident.escalation.size()) return {};
  return *incident.escalate_from + incident.escalation[incident.escalation_next].after;
}

void end_group_wait(Turn& turn) {
  if (firing_members(turn.incident()) > 0) {
    convene(turn);
  } else {
    cancel(turn, "everything recovered.");
  }
}

/// An acknowledgement is a promise to keep the others informed; silence takes it back. PagerDuty is
/// silent while acknowledged, so somebody has to be rung anew.
void expire_acknowledgement(Turn& turn) {
  auto& incident = turn.incident();
  const auto by = or_unknown(incident.acknowledged_by);
  incident.state = IncidentState::open;
  incident.acknowledged_at.reset();
  incident.acknowledged_by.clear();
  incident.ack_expires_at.reset();
  turn.recompute();
  schedule_reminder(turn);
  turn.tell(TimelineKind::acknowledgement_expired,
            "The acknowledgement by " + by + " expired: no update for " +
                describe(turn.policy.ack_expires) + ". Who is on it? " + command(incident, "ack"));
  turn.refresh();
  page_again(turn, "the acknowledgement expired");
}

/// Whom a step calls: itself, or the owner when it names nobody.
std::vector<std::string> whom_to_call(const Incident& incident, const EscalationStep& step) {
  if (!step.page.empty() || !step.invite.empty()) return step.invite;
  const auto& owner = incident.owners.sre.empty() ? incident.owners.developer : incident.owners.sre;
  return owner.empty() ? std::vector<std::string>{} : std::vector<std::string>{owner};
}

void escalate(Turn& turn) {
  auto& incident = turn.incident();
  const auto step = incident.escalation[incident.escalation_next];
  const auto number = std::to_string(++incident.escalation_next);
  const auto called = whom_to_call(incident, step);
  auto everyone = called;
  if (!step.page.empty()) everyone.insert(everyone.begin(), "PagerDuty service " + step.page);
  turn.tell(
      TimelineKind::escalated,
      "Escalation step " + number + ", " + describe(step.after) + " without an acknowledgement: " +
          (everyone.empty() ? "it names nobody and the incident has no owner (incidents.owners)."
                            : "calling " + listed(everyone, 10) + "."));
  if (!step.page.empty()) trigger(turn, step.page, dedup_key(incident, "/e" + number), true);
  if (!called.empty() && turn.in_slack()) turn.want(Invite{called});
}

/// Keeps to the rhythm it began with, and says it once however many periods have passed.
void remind(Turn& turn) {
  auto& incident = turn.incident();
  const auto interval = reminder_interval(turn, incident.state);
  if (interval <= Duration::zero()) {
    incident.remind_at.reset();
    return;
  }
  const auto missed = (turn.now.steady - *incident.remind_at) / interval;
  incident.remind_at = *incident.remind_at + (missed + 1) * interval;
  turn.recompute();
  turn.line(TimelineKind::reminder, reminder_text(incident, turn.now.wall));
  if (turn.in_slack()) turn.want(PostReminder{});
}

/// Somebody resolved it although an alert fires. Their word holds for the reopen window; a breach
/// that outlasts it must not go unheard for ever.
bool outlasts_its_resolution(const Incident& incident) {
  return std::any_of(incident.members.begin(), incident.members.end(), [](const Member& member) {
    return member.firing && member.type != by_hand_type;
  });
}

void reopen_if_it_still_fires(Turn& turn) {
  auto& incident = turn.incident();
  if (!outlasts_its_resolution(incident)) {
    incident.reopen_until.reset();
    return;
  }
  reopen(turn, "it still does " + describe(turn.policy.reopen_window) +
                   " after it was resolved by hand.");
}

void archive(Turn& turn) {
  auto& incident = turn.incident();
  incident.state = IncidentState::archived;
  incident.archived_at = turn.now.wall;
  incident.archive_at.reset();
  turn.line(TimelineKind::archived, "Archived.");
  // A thread lives in a channel that others use.
  if (turn.in_slack() && incident.channel.thread.empty()) turn.want(ArchiveChannel{});
}

}  // namespace

Step on(Turn turn, const Tick&) {
  auto& incident = turn.incident();
  const auto& now = turn.now;
  if (incident.state == IncidentState::pending && is_due(incident.pending_until, now)) {
    end_group_wait(turn);
  }
  if (incident.state == IncidentState::acknowledged && is_due(incident.ack_expires_at, now)) {
    expire_acknowledgement(turn);
  }
  while (incident.state == IncidentState::open && is_due(escalation_due(incident), now)) {
    escalate(turn);
  }
  const bool attended =
      incident.state == IncidentState::open || incident.state == IncidentState::acknowledged;
  if (attended && is_due(incident.remind_at, now)) remind(turn);
  if (incident.state == IncidentState::mitigated && is_due(incident.resolve_at, now)) {
    resolve(turn, "everything stayed recovered for " + describe(recover_hold(turn)), {});
  }
  if (incident.state == IncidentState::resolved && is_due(incident.reopen_until, now)) {
    reopen_if_it_still_fires(turn);
  }
  if (incident.state == IncidentState::closed && is_due(incident.archive_at, now)) archive(turn);
  return std::move(turn).take();
}

std::optional<SteadyTime> next_due(const Incident& incident) {
  switch (incident.state) {
    case IncidentState::pending:
      return incident.pending_until;
    case IncidentState::open:
      return sooner(incident.remind_at, escalation_due(incident));
    case IncidentState::acknowledged:
      return sooner(incident.remind_at, incident.ack_expires_at);
    case IncidentState::mitigated:
      return incident.resolve_at;
    case IncidentState::closed:
      return incident.archive_at;
    case IncidentState::resolved:
      return outlasts_its_resolution(incident) ? incident.reopen_until : std::nullopt;
    case IncidentState::archived:
    case IncidentState::cancelled:
      return std::nullopt;
  }
  return std::nullopt;
}

std::optional<std::string> overdue(const Incident& incident, Now now) {
  if (incident.state != IncidentState::open) return std::nullopt;
  const auto due = escalation_due(incident);
  if (!due || now.steady - *due < overdue_after) return std::nullopt;
  return "Escalation step " + std::to_string(incident.escalation_next + 1) + " of incident " +
         incident.id.value + " is overdue by " + describe(now.steady - *due) + ".";
}

}  // namespace tocsin::policy
