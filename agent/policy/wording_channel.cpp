#include <algorithm>

#include "agent/policy/phrases.hpp"
#include "agent/policy/wording.hpp"
#include "tocsin/base/limits.hpp"
#include "tocsin/base/text.hpp"

namespace tocsin::policy {
namespace {

constexpr std::size_t title_characters = 300;
constexpr std::size_t owner_characters = 80;
constexpr std::size_t step_characters = 500;

/// Code points of valid UTF-8.
std::size_t characters_in(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

std::string owners_phrase(const Incident& incident) {
  return "SRE: " + or_unknown(one_line(incident.owners.sre, owner_characters)) +
         " · Dev: " + or_unknown(one_line(incident.owners.developer, owner_characters));
}

std::string after_title(const Incident& incident) {
  switch (incident.state) {
    case IncidentState::pending:
    case IncidentState::open:
      return "";
    case IncidentState::acknowledged:
      return " (" + one_line(or_unknown(incident.acknowledged_by), owner_characters) + " is on it)";
    case IncidentState::mitigated:
      return " (recovered, watching)";
    case IncidentState::resolved:
      return " (root cause and fix are owed)";
    case IncidentState::closed:
    case IncidentState::archived:
    case IncidentState::cancelled:
      return "";
  }
  return "";
}

/// What is wrong, or how it ended.
std::string brief_line(const Incident& incident) {
  switch (incident.state) {
    case IncidentState::pending:
    case IncidentState::open:
    case IncidentState::acknowledged:
    case IncidentState::mitigated:
      return incident_title(incident);
    case IncidentState::resolved:
    case IncidentState::closed:
    case IncidentState::archived:
    case IncidentState::cancelled:
      return drill_prefix(incident) + upper(to_string(incident.state)) + ": " + subject(incident);
  }
  return "";
}

}  // namespace

std::string incident_title(const Incident& incident) {
  const auto members = by_concern(incident);
  std::string title =
      drill_prefix(incident) + upper(to_string(incident.severity)) + ": " + subject(incident);
  if (members.empty()) return title;
  if (!members.front()->why.empty())
    title += ": " + one_line(members.front()->why, title_characters);
  const auto firing = std::count_if(members.begin(), members.end(),
                                    [](const Member* member) { return member->firing; });
  if (firing > 1) title += " (and " + std::to_string(firing - 1) + " more)";
  return cut_characters(title, title_characters);
}

std::string channel_purpose(const Incident& incident) {
  const auto marker = " " + channel_marker(incident.id);
  const auto text = drill_prefix(incident) + "Issue channel: " + subject(incident) + " (" +
                    one_line(incident.environment, 40) +
                    "). Open until root cause and fix are recorded.";
  return cut_characters(text, limits::slack_topic_characters - marker.size()) + marker;
}

std::string channel_topic(const Incident& incident) {
  const auto owners = " · " + owners_phrase(incident);
  const auto suffix = after_title(incident) + owners;
  const auto room = limits::slack_topic_characters;
  // The least that is worth keeping of the brief line; below it, who is on it gives way first.
  constexpr std::size_t brief_least = 40;
  const auto& tail = characters_in(suffix) + brief_least <= room ? suffix : owners;
  return cut_characters(brief_line(incident), room - characters_in(tail)) + tail;
}

std::string reminder_text(const Incident& incident, WallTime now) {
  std::vector<std::string> unknown;
  std::string_view key;
  for (std::size_t i = 0; i < summary_procedure_fields; ++i) {
    const auto& name = summary_field_names()[i];
    if (!incident.summary[name.field].value.empty()) continue;
    if (key.empty()) key = name.key;
    unknown.emplace_back(name.title);
  }
  const auto field = [&](SummaryField f) {
    return or_unknown(one_line(incident.summary[f].value, step_characters));
  };
  std::string text = drill_prefix(incident) + elapsed(incident.opened_at, now) + " since " +
                     subject(incident) + " began. " + owners_phrase(incident) +
                     ". Working on it: " + field(SummaryField::working_on_it) +
                     ". Current step: " + field(SummaryField::current_step) +
                     ". Next step: " + field(SummaryField::next_step) + ".";
  if (unknown.empty()) return text;
  text += " Still UNKNOWN: " + listed(unknown, unknown.size()) +
          ". Set one: " + command(incident, "set", std::string{key} + "=\"…\"");
  return text;
}

}  // namespace tocsin::policy
