#include <algorithm>

#include "agent/policy/phrases.hpp"
#include "agent/policy/wording.hpp"
#include "tocsin/base/limits.hpp"
#include "tocsin/base/text.hpp"

namespace tocsin::policy {
namespace {

// Thirteen fields and the evidence together stay below what Slack takes in one message
// (slack_blocks_characters).
constexpr std::size_t field_characters = 500;
constexpr std::size_t evidence_characters_all = 3000;
constexpr std::size_t also_affected_most = 5;

std::string frequency_phrase(const Incident& incident, WallTime now) {
  const auto until = incident.mitigated_at.value_or(incident.resolved_at.value_or(now));
  const bool over = incident.mitigated_at || incident.resolved_at;
  std::string text = over ? "lasted " + elapsed(incident.opened_at, until)
                          : elapsed(incident.opened_at, now) + " so far";
  if (const auto history = history_phrase(incident); !history.empty()) text += "; " + history;
  return text;
}

std::string also_affected(const std::vector<const Member*>& members) {
  std::vector<std::string> others;
  for (const auto* member : members) {
    if (member == members.front() || !member->firing) continue;
    others.push_back(one_line(member->check, 60) + " (" + std::string{to_string(member->severity)} +
                     ")");
  }
  return listed(others, also_affected_most);
}

std::string source_phrase(const Member& member) {
  std::string text = one_line(member.check, 80) + " (" + one_line(member.type, 40) + ")";
  if (!member.host.empty()) text += " on " + one_line(member.host, 80);
  if (!member.why.empty()) text += ": " + one_line(member.why, 300);
  return text;
}

std::string first_of(const std::vector<const Member*>& members, std::string Evidence::*part) {
  for (const auto* member : members) {
    if (!(member->evidence.*part).empty())
      return one_line(member->evidence.*part, field_characters);
  }
  return {};
}

std::string footer(const Incident& incident) {
  std::string text =
      "Incident " + incident.id.value + " · opened " + to_local(incident.opened_at, "UTC");
  if (incident.generation > 1)
    text += " · reopened " + std::to_string(incident.generation - 1) + "×";
  if (const auto history = history_phrase(incident); !history.empty()) text += " · " + history;
  text += " · Set a field: " + command(incident, "set", "current_step=\"…\"");
  if (incident.state == IncidentState::open) text += " · Take it: " + command(incident, "ack");
  return text;
}

}  // namespace

void fill_summary(Incident& incident, WallTime now) {
  const auto members = by_concern(incident);
  const auto fill = [&](SummaryField field, std::string value) {
    auto& slot = incident.summary[field];
    if (slot.by.empty()) slot.value = std::move(value);
  };
  fill(SummaryField::environment, one_line(incident.environment, field_characters));
  if (incident.summary[SummaryField::component].value.empty()) {
    fill(SummaryField::component, one_line(incident.topic, field_characters));
  }
  fill(SummaryField::probable_cause, first_of(members, &Evidence::probable_cause));
  fill(SummaryField::frequency, frequency_phrase(incident, now));
  const bool recovered = incident.mitigated_at || incident.resolved_at;
  fill(SummaryField::recovery_estimate,
       recovered ? "recovered" : first_of(members, &Evidence::recovery_estimate));
  fill(SummaryField::working_on_it, one_line(incident.acknowledged_by, field_characters));
  if (!members.empty()) fill(SummaryField::source, source_phrase(*members.front()));
  fill(SummaryField::how_often,
       "since " + to_local(incident.opened_at, "UTC") + ", " + frequency_phrase(incident, now));
  fill(SummaryField::also_affected, also_affected(members));
  fill(SummaryField::impact,
       std::string{to_string(incident.severity)} + "; whether a customer is down: UNKNOWN");
}

SummaryText summary_text(const Incident& incident, WallTime now) {
  Incident current = incident;
  fill_summary(current, now);
  SummaryText text;
  text.headline =
      cut_characters(drill_prefix(incident) + upper(to_string(incident.severity)) + " · " +
                         subject(incident) + " · " + std::string{to_string(incident.state)},
                     limits::slack_header_characters);
  for (const auto& name : summary_field_names()) {
    const auto& value = current.summary[name.field].value;
    text.fields.emplace_back(name.title,
                             or_unknown(cut_characters(trim(clean_utf8(value)), field_characters)));
  }
  std::size_t left = evidence_characters_all;
  for (const auto* member : by_concern(incident)) {
    for (const auto& line : member->evidence.lines) {
      if (text.evidence.size() == limits::evidence_lines) break;
      auto shown = one_line(line, std::min(left, limits::evidence_line_characters));
      if (shown.empty()) continue;
      left -= std::min(left, shown.size());
      text.evidence.push_back(std::move(shown));
    }
  }
  text.footer = footer(incident);
  return text;
}

}  // namespace tocsin::policy
