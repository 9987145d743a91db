#include <algorithm>
#include <array>

#include "agent/policy/incident_turn.hpp"
#include "agent/policy/phrases.hpp"
#include "tocsin/base/limits.hpp"
#include "tocsin/base/text.hpp"

namespace tocsin::policy {
namespace {

constexpr std::size_t person_characters = 80;
constexpr std::size_t field_characters = 1000;
constexpr std::size_t account_characters = 2000;  // A root cause, a fix, a reason: a paragraph.
constexpr Duration archive_after_most = std::chrono::hours{24 * 365};

std::string person(const std::string& by) {
  auto name = one_line(by, person_characters);
  return name.empty() ? "someone" : name;
}

std::string paragraph(const std::string& text, std::size_t characters) {
  return cut_characters(trim(clean_utf8(text)), characters);
}

/// Somebody works on it: the acknowledgement lives on, and the next reminder is a whole period
/// away.
void note_update(Turn& turn) {
  auto& incident = turn.incident();
  const bool acknowledged = incident.state == IncidentState::acknowledged ||
                            (incident.state == IncidentState::mitigated &&
                             incident.before_mitigated == IncidentState::acknowledged);
  if (acknowledged && incident.ack_expires_at) {
    incident.ack_expires_at = turn.now.steady + turn.policy.ack_expires;
  }
}

/// The standard operating procedure knows four types.
std::optional<std::string> incident_type(const std::string& text) {
  constexpr std::array<std::string_view, 4> types{"Self (Engineering)", "Unknown", "Scale",
                                                  "Vendor"};
  const auto wanted = upper(text);
  for (const auto type : types) {
    if (wanted == upper(type) || (wanted == "SELF" && type == types[0])) return std::string{type};
  }
  return std::nullopt;
}

std::string_view title_of(SummaryField field) {
  return summary_field_names()[static_cast<std::size_t>(field)].title;
}

/// What stands in the way of responding to it, or nothing.
std::string not_live(const Incident& incident) {
  if (incident.state == IncidentState::pending) {
    return "Incident " + incident.id.value +
           " has not opened yet: it waits for group_wait and may still clear by itself.";
  }
  if (is_live(incident.state)) return {};
  return "Incident " + incident.id.value + " is " + std::string{to_string(incident.state)} +
         " already.";
}

void acknowledge_pages(Turn& turn) {
  for (const auto& page : turn.incident().pages) {
    switch (page.state) {
      case PageState::queued:
      case PageState::triggered:
        turn.want(AcknowledgePage{page.service, page.key});
        break;
      case PageState::none:
      case PageState::acknowledged:
      case PageState::resolved:
      case PageState::suppressed:
      case PageState::rejected:
        break;
    }
  }
}

/// Names of the alerts that a resolution by hand would leave firing.
std::vector<std::string> unrecovered(const Incident& incident) {
  std::vector<std::string> names;
  for (const auto& member : incident.members) {
    if (member.firing && member.type != by_hand_type) names.push_back(one_line(member.check, 80));
  }
  return names;
}

std::string owed(const Incident& incident, const Close& input) {
  const bool cause = !trim(input.root_cause).empty();
  const bool fix = !trim(input.fix).empty();
  const auto* missing = !cause && !fix ? "its root cause and its fix"
                        : !cause       ? "its root cause"
                                       : "its fix";
  return "Incident " + incident.id.value + " cannot be closed without " + missing + ": " +
         command(incident, "close", "--root-cause \"…\" --fix \"…\"") +
         ", or waive them: " + command(incident, "close", "--waive \"REASON\" --by WHO") + ".";
}

/// Why the incident may not be closed like this, or nothing.
std::string close_refusal(const Incident& incident, const Close& input) {
  if (incident.state == IncidentState::closed || incident.state == IncidentState::archived ||
      incident.state == IncidentState::cancelled) {
    return not_live(incident);
  }
  if (incident.state != IncidentState::resolved) {
    return "Incident " + incident.id.value + " is " + std::string{to_string(incident.state)} +
           ": it has to be resolved before it is closed. It resolves by itself once its alerts "
           "recovered, or by hand: " +
           command(incident, "resolve") + ".";
  }
  if (input.archive_after &&
      (*input.archive_after < Duration::zero() || *input.archive_after > archive_after_most)) {
    return "The notice period before archiving must be between 0s and 365d.";
  }
  if (!trim(input.waive_why).empty()) {
    if (!trim(input.by).empty()) return {};
    return "A waiver needs a name: " + command(incident, "close", "--waive \"REASON\" --by WHO") +
           ".";
  }
  const bool complete = !trim(input.root_cause).empty() && !trim(input.fix).empty();
  return complete ? std::string{} : owed(incident, input);
}

}  // namespace

Step on(Turn turn, const Acknowledge& input) {
  auto& incident = turn.incident();
  if (auto why = not_live(incident); !why.empty()) return std::move(turn).refuse(std::move(why));
  const bool mitigated = incident.state == IncidentState::mitigated;
  const bool already =
      (mitigated ? incident.before_mitigated : incident.state) == IncidentState::acknowledged;
  // PagerDuty reports our own acknowledgements back to us: those are no second one.
  if (already && input.source == "pagerduty") return std::move(turn).take();
  const auto by = person(input.by);
  const bool same_person = already && incident.acknowledged_by == by;
  (mitigated ? incident.before_mitigated : incident.state) = IncidentState::acknowledged;
  if (!already) incident.acknowledged_at = turn.now.wall;
  incident.acknowledged_by = by;
  incident.ack_expires_at.reset();
  if (turn.policy.ack_expires > Duration::zero()) {
    incident.ack_expires_at = turn.now.steady + turn.policy.ack_expires;
  }
  turn.recompute();
  schedule_reminder(turn);
  const std::string via = input.source.empty() ? "" : " (" + one_line(input.source, 20) + ")";
  turn.line(TimelineKind::acknowledged,
            (same_person ? "is still on it"
             : already   ? "took over"
                         : "is on it") +
                via,
            by);
  if (!already) acknowledge_pages(turn);
  if (!same_person) {
    const auto expires = turn.policy.ack_expires > Duration::zero()
                             ? "; the acknowledgement expires after " +
                                   describe(turn.policy.ack_expires) + " without an update"
                             : std::string{};
    turn.post(by + (already ? " took over" : " is on it") + via + ". Escalation is stopped" +
              expires + ".");
    turn.refresh();
  }
  return std::move(turn).take();
}

Step on(Turn turn, const SetField& input) {
  auto& incident = turn.incident();
  if (incident.state == IncidentState::archived || incident.state == IncidentState::cancelled) {
    return std::move(turn).refuse(not_live(incident));
  }
  auto value = paragraph(input.value, field_characters);
  if (upper(value) == unknown_word && input.field != SummaryField::type) value.clear();
  if (input.field == SummaryField::type && !value.empty()) {
    const auto type = incident_type(value);
    if (!type) {
      return std::move(turn).refuse(
          "The type is one of Self (Engineering), Unknown, Scale, Vendor; \"" +
          one_line(value, 60) + "\" is none of them.");
    }
    value = *type;
  }
  const auto by = person(input.by);
  auto& slot = incident.summary[input.field];
  slot.value = value;
  // An emptied field is tocsin's again to fill.
  slot.by = value.empty() ? std::string{} : by;
  note_update(turn);
  if (incident.state == IncidentState::open || incident.state == IncidentState::acknowledged) {
    schedule_reminder(turn);
  }
  turn.recompute();
  turn.line(TimelineKind::field_set, std::string{title_of(input.field)} + ": " + or_unknown(value),
            by);
  if (turn.in_slack() && incident.state != IncidentState::pending) turn.want(PutSummary{});
  return std::move(turn).take();
}

Step on(Turn turn, const Say& input) {
  auto& incident = turn.incident();
  const auto text = paragraph(input.text, limits::timeline_text_characters - person_characters - 2);
  if (text.empty()) {
    return std::move(turn).refuse(
        "There is nothing to say: " + command(incident, "say", "\"what you did or found\"") + ".");
  }
  if (incident.state == IncidentState::archived || incident.state == IncidentState::cancelled) {
    return std::move(turn).refuse(not_live(incident));
  }
  const auto by = person(input.by);
  note_update(turn);
  turn.line(TimelineKind::message, text, by);
  turn.post(by + ": " + text);
  return std::move(turn).take();
}

Step on(Turn turn, const ResolveByHand& input) {
  auto& incident = turn.incident();
  if (!is_live(incident.state)) return std::move(turn).refuse(not_live(incident));
  const auto firing = unrecovered(incident);
  auto why = paragraph(input.why, account_characters);
  if (!firing.empty() && why.empty()) {
    return std::move(turn).refuse(
        "Incident " + incident.id.value + " still has " + std::to_string(firing.size()) +
        (firing.size() == 1 ? " alert firing (" : " alerts firing (") + listed(firing, 5) +
        "): restore service first, or say why it is to be resolved all the same: " +
        command(incident, "resolve", "--why \"REASON\"") + ".");
  }
  const auto by = person(input.by);
  for (auto& member : incident.members) {
    if (member.type == by_hand_type) member.firing = false;
  }
  if (why.empty()) why = "everything recovered";
  if (incident.state == IncidentState::pending) {
    cancel(turn, why + " (" + by + ")");
  } else {
    resolve(turn, why, by);
  }
  return std::move(turn).take();
}

Step on(Turn turn, const Close& input) {
  auto& incident = turn.incident();
  if (auto why = close_refusal(incident, input); !why.empty()) {
    return std::move(turn).refuse(std::move(why));
  }
  incident.state = IncidentState::closed;
  incident.closed_at = turn.now.wall;
  incident.closed_by = one_line(input.by, person_characters);
  incident.root_cause = paragraph(input.root_cause, account_characters);
  incident.fix = paragraph(input.fix, account_characters);
  incident.waived_why = paragraph(input.waive_why, account_characters);
  incident.reopen_until.reset();
  const auto notice = input.archive_after.value_or(turn.policy.archive_after);
  incident.archive_at = turn.now.steady + notice;
  const auto account = incident.waived_why.empty()
                           ? "Root cause: " + incident.root_cause + " Fix: " + incident.fix
                           : "Root cause and fix are waived: " + incident.waived_why;
  turn.recompute();
  turn.line(TimelineKind::closed, "Closed. " + account, incident.closed_by);
  turn.post("Closed" + (incident.closed_by.empty() ? "" : " by " + incident.closed_by) + ". " +
            account + " This channel is archived " +
            (notice > Duration::zero() ? "in " + describe(notice) : std::string{"now"}) + ".");
  turn.refresh();
  if (notice == Duration::zero()) return on(std::move(turn), Tick{});
  return std::move(turn).take();
}

}  // namespace tocsin::policy
