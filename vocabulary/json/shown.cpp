#include <chrono>
#include <utility>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include "tocsin/json/json.hpp"

namespace tocsin::json {
namespace {

using boost::json::array;
using boost::json::object;
using boost::json::value;

// Parentheses around what becomes a value: in braces Boost.JSON would make it an array of one.
boost::json::string_view text(std::string_view from) { return {from.data(), from.size()}; }

value time_or_null(const std::optional<WallTime>& at) {
  if (!at) return nullptr;
  return value(text(to_rfc3339(*at)));
}
value time_or_null(WallTime at) {
  return at == WallTime{} ? value(nullptr) : time_or_null(std::optional{at});
}
value text_or_null(const std::string& from) {
  return from.empty() ? value(nullptr) : value(text(from));
}

object channel_object(const Channel& channel) {
  return {{"name", text(channel.name)},
          {"id", text(channel.id)},
          {"url", text_or_null(channel.url)},
          {"receiver", text_or_null(channel.receiver)},
          {"thread", text_or_null(channel.thread)},
          {"ready", channel.ready}};
}

object page_object(const Page& page) {
  return {{"service", text_or_null(page.service)},
          {"key", text_or_null(page.key)},
          {"state", text(to_string(page.state))}};
}

object member_object(const Member& member) {
  return {{"check", text(member.check)},
          {"type", text(member.type)},
          {"severity", text(to_string(member.severity))},
          {"firing", member.firing},
          {"why", text(member.why)},
          {"since", time_or_null(member.since)},
          {"host", text(member.host)}};
}

object evidence_object(const Evidence& evidence) {
  array lines;
  for (const auto& line : evidence.lines) lines.emplace_back(text(line));
  return {{"lines", std::move(lines)},
          {"probable_cause", text_or_null(evidence.probable_cause)},
          {"recovery_estimate", text_or_null(evidence.recovery_estimate)}};
}

object escalation_object(const EscalationStep& step, bool taken) {
  array invited;
  for (const auto& who : step.invite) invited.emplace_back(text(who));
  return {{"after", text(to_config(step.after))},
          {"page", text_or_null(step.page)},
          {"invite", std::move(invited)},
          {"taken", taken}};
}

void add_people_and_times(object& map, const Incident& incident) {
  map["owners"] = object{{"sre", text_or_null(incident.owners.sre)},
                         {"developer", text_or_null(incident.owners.developer)}};
  map["acknowledged_at"] = time_or_null(incident.acknowledged_at);
  map["acknowledged_by"] = text_or_null(incident.acknowledged_by);
  map["mitigated_at"] = time_or_null(incident.mitigated_at);
  map["resolved_at"] = time_or_null(incident.resolved_at);
  map["closed_at"] = time_or_null(incident.closed_at);
  map["archived_at"] = time_or_null(incident.archived_at);
}

}  // namespace

object summary_object(const Summary& summary) {
  object map;
  for (const auto& name : summary_field_names()) {
    const auto& known = summary[name.field].value;
    map[text(name.key)] = known.empty() ? text("UNKNOWN") : text(known);
  }
  return map;
}

object incident_object(const Incident& incident) {
  array alerts;
  for (const auto& member : incident.members) alerts.push_back(member_object(member));
  object map{{"id", text(incident.id.value)},
             {"state", text(to_string(incident.state))},
             {"severity", text(to_string(incident.severity))},
             {"topic", text(incident.topic)},
             {"title", text(incident.title)},
             {"host", text(incident.host)},
             {"environment", text(incident.environment)},
             {"key", text(incident.key)},
             {"generation", incident.generation},
             {"drill", incident.drill},
             {"opened_at", time_or_null(incident.opened_at)},
             {"channel", channel_object(incident.channel)},
             {"page", page_object(incident.pages.empty() ? Page{} : incident.pages.front())},
             {"alerts", std::move(alerts)},
             {"summary", summary_object(incident.summary)}};
  add_people_and_times(map, incident);
  return map;
}

object incident_detail_object(const Incident& incident, std::span<const TimelineLine> timeline) {
  auto map = incident_object(incident);
  auto& alerts = map["alerts"].as_array();
  for (std::size_t i = 0; i < alerts.size(); ++i) {
    alerts[i].as_object()["evidence"] = evidence_object(incident.members[i].evidence);
  }
  array pages;
  for (const auto& page : incident.pages) pages.push_back(page_object(page));
  map["pages"] = std::move(pages);
  array steps;
  for (std::size_t i = 0; i < incident.escalation.size(); ++i) {
    steps.push_back(escalation_object(incident.escalation[i], i < incident.escalation_next));
  }
  map["escalation"] = std::move(steps);
  object set_by;
  for (const auto& name : summary_field_names()) {
    const auto& by = incident.summary[name.field].by;
    if (!by.empty()) set_by[text(name.key)] = text(by);
  }
  map["summary_set_by"] = std::move(set_by);
  map["runbook"] = text_or_null(incident.runbook);
  map["dashboard"] = text_or_null(incident.dashboard);
  map["previous"] = incident.previous_id.empty()
                        ? value(nullptr)
                        : value(object{{"id", text(incident.previous_id)},
                                       {"channel", text_or_null(incident.previous_channel)}});
  map["recent_count"] = incident.recent_count;
  map["resolved_why"] = text_or_null(incident.resolved_why);
  map["root_cause"] = text_or_null(incident.root_cause);
  map["fix"] = text_or_null(incident.fix);
  map["waived_why"] = text_or_null(incident.waived_why);
  map["closed_by"] = text_or_null(incident.closed_by);
  array lines;
  lines.reserve(timeline.size());
  for (const auto& line : timeline) lines.push_back(timeline_object(line));
  map["timeline"] = std::move(lines);
  return map;
}

object timeline_object(const TimelineLine& line) {
  return {{"sequence", line.sequence},
          {"at", text(to_rfc3339(line.at))},
          {"kind", text(to_string(line.kind))},
          {"by", text_or_null(line.by)},
          {"text", text(line.text)},
          {"incident", text(line.incident.value)}};
}

object outbox_object(const OutboxEntry& entry, SteadyTime now) {
  // The effect's own members come first, so that ours win should a name ever clash.
  object map;
  boost::system::error_code problem;
  auto effect = boost::json::parse(encode(entry.effect), problem);
  if (!problem && effect.is_object()) map = std::move(effect.as_object());
  map.erase("name");
  map["id"] = entry.id.value;
  map["incident"] = text(entry.incident.value);
  map["receiver"] = text(entry.receiver.value);
  map["effect"] = text(effect_name(entry.effect));
  map["state"] = text(to_string(entry.state));
  map["attempts"] = entry.attempts;
  map["ambiguous"] = entry.ambiguous;
  map["created"] = text(to_rfc3339(entry.created));
  map["first_attempt"] = time_or_null(entry.first_attempt);
  map["retry_in"] = nullptr;
  if (entry.not_before && *entry.not_before > now) {
    map["retry_in"] = std::chrono::duration<double>(*entry.not_before - now).count();
  }
  map["last_error"] = text_or_null(entry.last_error);
  return map;
}

object alert_object(const Alert& alert) {
  return {{"check", text(alert.check)},
          {"phase", text(to_string(alert.phase))},
          {"severity", text(to_string(alert.severity))},
          {"why", text(alert.why)},
          {"since", time_or_null(alert.since)},
          {"flapping", alert.flapping}};
}

}  // namespace tocsin::json
