#include <algorithm>

#include "agent/policy/phrases.hpp"
#include "agent/policy/wording.hpp"
#include "tocsin/base/limits.hpp"
#include "tocsin/base/text.hpp"

namespace tocsin::policy {
namespace {

constexpr std::size_t word_characters = 200;
constexpr std::size_t member_characters = 400;
constexpr std::size_t field_characters = 1000;

/// PagerDuty's words: critical, error, warning, info (Events API v2). Not being able to measure is
/// an error.
std::string_view page_severity(Severity severity) {
  switch (severity) {
    case Severity::ok:
      return "info";
    case Severity::warning:
      return "warning";
    case Severity::critical:
      return "critical";
    case Severity::unknown:
      return "error";
  }
  return "error";
}

/// What kind of page the key's last part speaks of: "/r2" is a page again, "/e1" an escalation.
std::string kind_prefix(const std::string& key) {
  const auto last = key.substr(key.rfind('/') + 1);
  if (last.starts_with('r')) return "WORSE: ";
  if (last.starts_with('e')) return "ESCALATION: ";
  return "";
}

bool is_web_link(const std::string& link) {
  return starts_with(link, "https://") || starts_with(link, "http://");
}

std::string member_line(const Member& member) {
  return one_line((member.firing ? upper(to_string(member.severity)) : std::string{"recovered"}) +
                      " " + member.check + " on " + member.host + ": " + member.why + " (since " +
                      to_rfc3339(member.since) + ")",
                  member_characters);
}

void add_links(PageText& page, const Incident& incident) {
  const auto add = [&](std::string text, const std::string& link) {
    if (is_web_link(link)) page.links.emplace_back(std::move(text), link);
  };
  add("Issue channel " + channel_phrase(incident), incident.channel.url);
  add("Runbook", incident.runbook);
  add("Dashboard", incident.dashboard);
}

void add_details(PageText& page, const Incident& incident, WallTime now) {
  Incident current = incident;
  fill_summary(current, now);
  for (std::size_t i = 0; i < summary_procedure_fields; ++i) {
    const auto& name = summary_field_names()[i];
    page.details.emplace_back(
        name.title, or_unknown(cut_characters(trim(clean_utf8(current.summary[name.field].value)),
                                              field_characters)));
  }
  const auto add = [&](const char* title, std::string_view value) {
    page.details.emplace_back(title, or_unknown(one_line(value, word_characters)));
  };
  add("Issue channel", channel_phrase(incident));
  add("Incident", incident.id.value);
  add("SRE issue owner", incident.owners.sre);
  add("Developer issue owner", incident.owners.developer);
  if (const auto history = history_phrase(incident); !history.empty()) add("History", history);
}

}  // namespace

PageText page_text(const Incident& incident, const std::string& key, WallTime now) {
  const auto members = by_concern(incident);
  PageText page;
  // The channel is what people need next: the sentence before it is cut, never the channel.
  const auto channel = channel_phrase(incident);
  const auto tail = channel.empty() ? std::string{} : " " + channel;
  auto title = incident_title(incident);
  if (incident.drill) title = title.substr(drill_prefix(incident).size());
  page.summary = cut_characters(drill_prefix(incident) + kind_prefix(key) + title,
                                limits::pagerduty_summary_characters - tail.size()) +
                 tail;
  page.source = one_line(incident.host, word_characters);
  page.severity = page_severity(incident.severity);
  page.component = one_line(incident.summary[SummaryField::component].value, word_characters);
  page.group = one_line(incident.topic, word_characters);
  if (!members.empty()) page.event_class = one_line(members.front()->type, word_characters);
  if (!members.empty() && incident.host == "fleet") {
    page.source = one_line(members.front()->host, word_characters);
  }
  add_details(page, incident, now);
  for (const auto* member : members) {
    page.members.push_back(member_line(*member));
    for (const auto& line : member->evidence.lines) {
      if (page.evidence.size() == limits::evidence_lines) break;
      page.evidence.push_back(one_line(line, limits::evidence_line_characters));
    }
  }
  add_links(page, incident);
  return page;
}

}  // namespace tocsin::policy
