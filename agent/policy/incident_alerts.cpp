#include <algorithm>

#include "agent/policy/incident_turn.hpp"
#include "agent/policy/phrases.hpp"
#include "tocsin/base/limits.hpp"
#include "tocsin/base/text.hpp"

namespace tocsin::policy {
namespace {

constexpr std::size_t check_characters = 80;
constexpr std::size_t why_characters = 500;

// Twice the members, and ten more at least, since the last page: an incident that outgrew what was
// paged for.
constexpr int grown_factor = 2;
constexpr int grown_by = 10;

std::string name_of(const std::string& check) { return one_line(check, check_characters); }

enum class Arrival { joined, refired, known, no_room };

Member member_of(const AlertNews& news) {
  return {news.check, news.type, news.severity, true,         news.why,
          news.since, news.host, news.evidence, news.flapping};
}

/// A full incident gives up a member that recovered, the oldest first.
bool make_room(std::vector<Member>& members) {
  if (members.size() < limits::members_per_incident) return true;
  const auto spent = std::find_if(members.begin(), members.end(),
                                  [](const Member& member) { return !member.firing; });
  if (spent == members.end()) return false;
  members.erase(spent);
  return true;
}

Arrival admit(Incident& incident, const AlertNews& news) {
  if (auto* member = find_member(incident, news.check)) {
    const auto arrival = member->firing ? Arrival::known : Arrival::refired;
    const auto evidence = member->evidence;
    *member = member_of(news);
    if (news.evidence == Evidence{}) member->evidence = evidence;
    return arrival;
  }
  if (!make_room(incident.members)) return Arrival::no_room;
  incident.members.push_back(member_of(news));
  return Arrival::joined;
}

/// What a joining check's settings add: its component, its links, an owner where there was none.
void adopt_settings(Turn& turn, const AlertNews& news) {
  auto& incident = turn.incident();
  auto& component = incident.summary[SummaryField::component];
  const auto added = one_line(news.component, 200);
  if (component.by.empty() && !added.empty() && component.value.size() < 200 &&
      component.value.find(added) == std::string::npos) {
    component.value += (component.value.empty() ? "" : ", ") + added;
  }
  if (incident.owners.sre.empty()) incident.owners.sre = news.owners.sre;
  if (incident.owners.developer.empty()) incident.owners.developer = news.owners.developer;
  const bool told = incident.state != IncidentState::pending && turn.in_slack();
  if (incident.runbook.empty() && !news.runbook.empty()) {
    incident.runbook = news.runbook;
    if (told) turn.want(AddBookmark{"Runbook", news.runbook});
  }
  if (incident.dashboard.empty() && !news.dashboard.empty()) {
    incident.dashboard = news.dashboard;
    if (told) turn.want(AddBookmark{"Dashboard", news.dashboard});
  }
}

/// Why the incident is materially worse than what was paged for, or nothing.
std::string materially_worse(const Incident& incident, const std::string& new_type) {
  if (concern(incident.severity) > concern(incident.severity_paged)) {
    return "severity rose from " + std::string{to_string(incident.severity_paged)} + " to " +
           std::string{to_string(incident.severity)};
  }
  if (!new_type.empty()) return "another kind of check joined (" + one_line(new_type, 40) + ")";
  const auto firing = firing_members(incident);
  if (firing >= incident.members_paged * grown_factor &&
      firing >= incident.members_paged + grown_by) {
    return "it grew from " + std::to_string(incident.members_paged) + " to " +
           std::to_string(firing) + " alerts";
  }
  return {};
}

void page_if_worse(Turn& turn, const std::string& new_type) {
  const auto worse_because = materially_worse(turn.incident(), new_type);
  if (!worse_because.empty()) page_again(turn, worse_because);
}

bool knows_type(const Incident& incident, const std::string& type) {
  return std::any_of(incident.members.begin(), incident.members.end(),
                     [&](const Member& member) { return member.type == type; });
}

void tell_arrival(Turn& turn, const AlertNews& news, Arrival arrival) {
  const auto what = name_of(news.check) + " (" + std::string{to_string(news.severity)} +
                    "): " + one_line(news.why, why_characters);
  switch (arrival) {
    case Arrival::joined:
      turn.tell(TimelineKind::joined, "Joined by " + what);
      break;
    case Arrival::refired:
      turn.tell(TimelineKind::refired, "Fires again: " + what);
      break;
    case Arrival::no_room:
      turn.line(TimelineKind::joined, "Joined by " + what + " (not listed: an incident holds " +
                                          std::to_string(limits::members_per_incident) +
                                          " alerts)");
      break;
    case Arrival::known:
      break;
  }
}

/// Back where it was before everything recovered. The page still rings there, so nobody is paged
/// anew.
void return_from_mitigated(Turn& turn) {
  auto& incident = turn.incident();
  incident.state = incident.before_mitigated;
  incident.mitigated_at.reset();
  incident.resolve_at.reset();
  if (!incident.remind_at || *incident.remind_at <= turn.now.steady) schedule_reminder(turn);
}

Step arrive(Turn turn, const AlertNews& news) {
  auto& incident = turn.incident();
  if (!is_unclosed(incident.state)) {
    return std::move(turn).refuse("Incident " + incident.id.value + " is " +
                                  std::string{to_string(incident.state)} +
                                  " and takes no more alerts: a new incident has to be opened.");
  }
  const auto before = incident.state;
  const bool new_type = !knows_type(incident, news.type);
  const bool was_flapping = [&] {
    const auto* member = find_member(incident, news.check);
    return member != nullptr && member->flapping;
  }();
  const auto arrival = admit(incident, news);
  adopt_settings(turn, news);
  // Reopening is told and paged even while it flaps: it comes half an hour after the last swing at
  // the soonest.
  if (news.flapping && was_flapping && before != IncidentState::resolved) turn.be_quiet();
  if (before == IncidentState::resolved) {
    // A person may have resolved it while this alert fired: that it still does is no news.
    if (arrival == Arrival::known) {
      turn.recompute();
      return std::move(turn).take();
    }
    reopen(turn,
           one_line(news.check, check_characters) + ": " + one_line(news.why, why_characters));
    return std::move(turn).take();
  }
  if (before == IncidentState::mitigated) return_from_mitigated(turn);
  turn.recompute();
  tell_arrival(turn, news, arrival);
  if (before == IncidentState::pending) return std::move(turn).take();
  page_if_worse(turn, new_type ? news.type : std::string{});
  if (arrival != Arrival::known) turn.refresh();
  return std::move(turn).take();
}

/// The last alert is gone: what that means depends on how far the incident had come.
void after_last_recovery(Turn& turn, const std::string& removed_why) {
  switch (turn.incident().state) {
    case IncidentState::pending:
      cancel(turn, removed_why.empty() ? "everything recovered." : removed_why);
      break;
    case IncidentState::open:
    case IncidentState::acknowledged:
      if (removed_why.empty()) {
        mitigate(turn);
      } else {
        resolve(turn, removed_why, {});
      }
      break;
    case IncidentState::mitigated:
      if (!removed_why.empty()) resolve(turn, removed_why, {});
      break;
    case IncidentState::resolved:
    case IncidentState::closed:
    case IncidentState::archived:
    case IncidentState::cancelled:
      break;
  }
}

}  // namespace

Step on(Turn turn, const AlertFired& input) { return arrive(std::move(turn), input.news); }

Step on(Turn turn, const AlertSeverityChanged& input) {
  const auto& news = input.news;
  auto& incident = turn.incident();
  auto* member = find_member(incident, news.check);
  if (member == nullptr || !member->firing || !is_unclosed(incident.state)) {
    return arrive(std::move(turn), news);
  }
  const auto was = member->severity;
  const bool damped = member->flapping && news.flapping;
  admit(incident, news);
  if (was == news.severity) {
    turn.recompute();
    return std::move(turn).take();
  }
  if (damped) turn.be_quiet();
  if (incident.state == IncidentState::resolved && concern(news.severity) > concern(was)) {
    reopen(turn, name_of(news.check) + " got worse: " + one_line(news.why, why_characters));
    return std::move(turn).take();
  }
  turn.recompute();
  turn.tell(TimelineKind::severity,
            name_of(news.check) + " went from " + std::string{to_string(was)} + " to " +
                std::string{to_string(news.severity)} + ": " + one_line(news.why, why_characters));
  if (incident.state == IncidentState::open || incident.state == IncidentState::acknowledged) {
    page_if_worse(turn, {});
  }
  turn.refresh();
  return std::move(turn).take();
}

Step on(Turn turn, const AlertRecovered& input) {
  auto& incident = turn.incident();
  auto* member = find_member(incident, input.check);
  if (member == nullptr || !member->firing) return std::move(turn).take();
  member->firing = false;
  if (member->flapping) turn.be_quiet();
  const auto left = firing_members(incident);
  turn.recompute();
  turn.line(TimelineKind::recovered,
            name_of(input.check) + " recovered" +
                (left > 0 ? "; " + std::to_string(left) + " still firing." : "."));
  if (left > 0) {
    turn.refresh();
  } else {
    after_last_recovery(turn, {});
  }
  return std::move(turn).take();
}

Step on(Turn turn, const CheckRemoved& input) {
  auto& incident = turn.incident();
  auto* member = find_member(incident, input.check);
  const bool live = is_live(incident.state);
  if (member == nullptr || (!live && !member->firing)) return std::move(turn).take();
  member->firing = false;
  member->flapping = false;
  const auto why = "the check " + name_of(input.check) + " was removed from the configuration";
  turn.recompute();
  turn.line(TimelineKind::recovered, "No longer watched: " + why + ".");
  if (firing_members(incident) > 0) {
    turn.refresh();
  } else {
    after_last_recovery(turn, why);
  }
  return std::move(turn).take();
}

Step on(Turn turn, const FlappingChanged& input) {
  auto& incident = turn.incident();
  auto* member = find_member(incident, input.check);
  if (member == nullptr || member->flapping == input.flapping) return std::move(turn).take();
  member->flapping = input.flapping;
  if (!is_unclosed(incident.state)) return std::move(turn).take();
  turn.recompute();
  if (input.flapping) {
    turn.tell(TimelineKind::flapping, name_of(input.check) +
                                          " is flapping: its further changes are in the timeline "
                                          "only, until it settles.");
  } else {
    turn.tell(TimelineKind::flapping,
              name_of(input.check) + " stopped flapping and is " +
                  (member->firing ? std::string{to_string(member->severity)} : "ok") + ".");
  }
  if (incident.state == IncidentState::mitigated) {
    incident.resolve_at = turn.now.steady + recover_hold(turn);
  }
  turn.refresh();
  return std::move(turn).take();
}

}  // namespace tocsin::policy
