#include <algorithm>

#include "agent/policy/incident_turn.hpp"
#include "agent/policy/phrases.hpp"
#include "agent/policy/wording.hpp"
#include "tocsin/base/text.hpp"

namespace tocsin::policy {
namespace {

// An incident that pages again every quarter of an hour has been worse than anybody can read.
constexpr int pages_again_most = 40;

/// Whether Slack can make a person or a group of it: an e-mail, "@name", or an id such as
/// U012ABCDEF.
bool can_be_invited(std::string_view who) {
  if (who.find('@') != std::string_view::npos) return true;
  return who.size() >= 9 && (who[0] == 'U' || who[0] == 'W' || who[0] == 'S') &&
         std::all_of(who.begin(), who.end(),
                     [](char c) { return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); });
}

std::vector<std::string> whom_to_invite(const Turn& turn, const Owners& owners) {
  auto who = turn.policy.invite;
  for (const auto& owner : {owners.sre, owners.developer}) {
    const bool known = std::find(who.begin(), who.end(), owner) != who.end();
    if (!known && can_be_invited(owner)) who.push_back(owner);
  }
  return who;
}

void page_first(Turn& turn) {
  auto& incident = turn.incident();
  incident.severity_paged = incident.severity;
  incident.members_paged = firing_members(incident);
  incident.page_again_not_before = turn.now.steady + turn.policy.page_again_every;
  if (turn.policy.page_service.empty()) {
    turn.tell(TimelineKind::paged,
              "Nobody is paged: no PagerDuty service is configured (pagerduty.page).");
    return;
  }
  trigger(turn, turn.policy.page_service, dedup_key(incident), false);
}

void start_timers(Turn& turn) {
  auto& incident = turn.incident();
  incident.escalate_from = turn.now.steady;
  incident.escalation_next = 0;
  schedule_reminder(turn);
}

void convene_slack(Turn& turn) {
  turn.want(CreateChannel{});
  turn.want(SetPurpose{});
  turn.want(SetTopic{});
  turn.want(PutSummary{});
  turn.want(PinSummary{});
  add_bookmarks(turn);
  auto who = whom_to_invite(turn, turn.incident().owners);
  if (!who.empty()) turn.want(Invite{std::move(who)});
}

Incident first_state(const IncidentPolicy& policy, const IncidentId& id, const AlertNews& news,
                     const History& history) {
  Incident incident;
  incident.id = id;
  incident.key = group_key(policy.environment, news);
  incident.environment = policy.environment;
  incident.host = news.fleet ? "fleet" : news.host;
  incident.topic = news.topic;
  incident.severity = news.severity;
  incident.drill = news.drill;
  incident.owners = news.owners;
  incident.runbook = news.runbook;
  incident.dashboard = news.dashboard;
  incident.previous_id = history.previous_id;
  incident.previous_channel = history.previous_channel;
  incident.recent_count = history.recent_count + 1;
  incident.escalation = policy.escalation;
  std::stable_sort(incident.escalation.begin(), incident.escalation.end(),
                   [](const auto& a, const auto& b) { return a.after < b.after; });
  return incident;
}

}  // namespace

void add_bookmarks(Turn& turn) {
  const auto& incident = turn.incident();
  const auto add = [&](const char* title, const std::string& link) {
    if (!link.empty()) turn.want(AddBookmark{title, link});
  };
  add("Runbook", incident.runbook);
  add("Dashboard", incident.dashboard);
  if (!turn.policy.page_service.empty()) add("PagerDuty", turn.policy.pages_link);
}

void trigger(Turn& turn, const std::string& service, const std::string& key, bool escalation) {
  turn.incident().pages.push_back({service, key, PageState::queued});
  turn.want(TriggerPage{service, key, escalation});
}

void convene(Turn& turn) {
  auto& incident = turn.incident();
  incident.state = IncidentState::open;
  incident.pending_until.reset();
  start_timers(turn);
  turn.recompute();
  auto opened = incident.title;
  if (const auto history = history_phrase(incident); !history.empty())
    opened += " (" + history + ")";
  turn.line(TimelineKind::opened, opened);
  if (turn.in_slack()) {
    convene_slack(turn);
  } else {
    incident.channel.id = incident.id.value;
    incident.channel.ready = true;
    turn.line(TimelineKind::channel, "The issue channel is the local room #" +
                                         incident.channel.name + ": " + command(incident, "show"));
  }
  page_first(turn);
}

void reopen(Turn& turn, const std::string& why) {
  auto& incident = turn.incident();
  const bool relapse = incident.reopen_until && turn.now.steady <= *incident.reopen_until;
  if (!relapse) ++incident.recent_count;
  ++incident.generation;
  incident.state = IncidentState::open;
  incident.before_mitigated = IncidentState::open;
  incident.acknowledged_at.reset();
  incident.acknowledged_by.clear();
  incident.ack_expires_at.reset();
  incident.mitigated_at.reset();
  incident.resolved_at.reset();
  incident.resolved_why.clear();
  incident.resolve_at.reset();
  incident.reopen_until.reset();
  incident.pages.clear();
  incident.pages_again = 0;
  start_timers(turn);
  turn.recompute();
  turn.tell(TimelineKind::reopened,
            std::string{relapse ? "Reopened, it fires again: "
                                : "Reopened, it fires again while root cause and fix are owed: "} +
                why);
  turn.refresh();
  page_first(turn);
}

void page_again(Turn& turn, const std::string& why) {
  auto& incident = turn.incident();
  if (turn.policy.page_service.empty() || turn.quiet()) return;
  const bool too_soon =
      incident.page_again_not_before && turn.now.steady < *incident.page_again_not_before;
  if (too_soon || incident.pages_again >= pages_again_most) {
    turn.line(TimelineKind::paged,
              "Not paged again (" + why + "): " +
                  (too_soon ? "the last page is less than " +
                                  describe(turn.policy.page_again_every) + " old."
                            : "that happened often enough."));
    return;
  }
  ++incident.pages_again;
  incident.severity_paged = worse(incident.severity_paged, incident.severity);
  incident.members_paged = firing_members(incident);
  incident.page_again_not_before = turn.now.steady + turn.policy.page_again_every;
  turn.tell(TimelineKind::paged, "Paging " + turn.policy.page_service + " again: " + why + ".");
  trigger(turn, turn.policy.page_service,
          dedup_key(incident, "/r" + std::to_string(incident.pages_again)), false);
}

Step open(const IncidentPolicy& policy, const IncidentId& id, const AlertNews& news,
          const History& history, Now now) {
  Turn turn{policy, first_state(policy, id, news, history), now};
  auto& incident = turn.incident();
  incident.opened_at = now.wall;
  incident.channel.receiver = policy.slack ? slack_receiver().value : "local";
  // In Slack the receiver finds the free name; it knows other hosts' channels, and we do not.
  incident.channel.name =
      channel_name(news.topic, now.wall, policy.timezone,
                   policy.slack ? std::vector<std::string>{} : history.channel_names_taken);
  incident.members.push_back({news.check, news.type, news.severity, true, news.why, news.since,
                              news.host, news.evidence, news.flapping && !news.drill});
  incident.summary[SummaryField::component].value = one_line(news.component, 200);
  turn.recompute();
  if (policy.group_wait > Duration::zero()) {
    incident.state = IncidentState::pending;
    incident.pending_until = now.steady + policy.group_wait;
    turn.line(TimelineKind::note, incident.title + ". Opens in " + describe(policy.group_wait) +
                                      " unless it clears first.");
  } else {
    convene(turn);
  }
  if (news.flapping && !news.drill) {
    turn.tell(
        TimelineKind::flapping,
        one_line(news.check, 80) + " is flapping: its further changes are in the timeline only.");
  }
  return std::move(turn).take();
}

}  // namespace tocsin::policy
