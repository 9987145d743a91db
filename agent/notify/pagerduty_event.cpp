#include "agent/notify/pagerduty_event.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

#include <fmt/format.h>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "tocsin/base/limits.hpp"
#include "tocsin/base/text.hpp"

namespace tocsin::notify {
namespace json = boost::json;
namespace {

constexpr std::size_t full_members = limits::members_per_incident;
constexpr std::size_t full_evidence = 200;
constexpr std::size_t top_members = 20;
constexpr std::size_t top_evidence = 5;
constexpr std::size_t line_characters =
    1000;  // Of a member or a line of evidence, on the upper rungs.
constexpr std::size_t detail_characters = 20'000;     // Of one detail's value, on the upper rungs.
constexpr std::size_t short_detail_characters = 300;  // The same, once size matters.
constexpr std::size_t short_details_most = 40;
constexpr std::size_t links_most = 20;
constexpr std::size_t link_bytes_most = 2048;
constexpr std::size_t field_characters = 255;

/// Clean text of at most so many characters.
std::string fitted(std::string_view text, std::size_t characters) {
  return cut_characters(clean_utf8(text), characters);
}

std::uint64_t digest(std::string_view text) {
  std::uint64_t hash = 14695981039346656037u;  // FNV-1a: stable across versions and hosts.
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211u;
  return hash;
}

std::string severity_of(const std::string& severity) {
  constexpr std::array<std::string_view, 4> known{"critical", "error", "warning", "info"};
  const bool is_known = std::find(known.begin(), known.end(), severity) != known.end();
  return is_known ? severity : "critical";  // Better too loud than refused.
}

void add_if(json::object& to, std::string_view name, const std::string& value) {
  if (!value.empty()) to[name] = fitted(value, field_characters);
}

json::array lines_of(const std::vector<std::string>& lines, std::size_t most) {
  json::array all;
  for (std::size_t i = 0; i < std::min(lines.size(), most); ++i) {
    all.push_back(json::string{fitted(lines[i], line_characters)});
  }
  return all;
}

json::object details_of(const DraftTrigger& page, PageSize size) {
  json::object details;
  const bool is_short = size == PageSize::counts;
  const auto most =
      is_short ? std::min(page.details.size(), short_details_most) : page.details.size();
  for (std::size_t i = 0; i < most; ++i) {
    const auto& [name, value] = page.details[i];
    details[fitted(name, field_characters)] =
        fitted(value, is_short ? short_detail_characters : detail_characters);
  }
  if (is_short) {
    if (!page.members.empty()) details["alerts_total"] = page.members.size();
    if (!page.evidence.empty()) details["evidence_lines_left_out"] = page.evidence.size();
    return details;
  }
  const bool all = size == PageSize::full;
  const auto members = all ? full_members : top_members;
  if (!page.evidence.empty()) {
    details["evidence"] = lines_of(page.evidence, all ? full_evidence : top_evidence);
  }
  if (!page.members.empty()) details["alerts"] = lines_of(page.members, members);
  if (page.members.size() > members) details["alerts_total"] = page.members.size();
  return details;
}

json::array links_of(const DraftTrigger& page) {
  json::array links;
  for (const auto& [text, url] : page.links) {
    const bool web = url.starts_with("https://") || url.starts_with("http://");
    if (!web || url.size() > link_bytes_most || links.size() >= links_most) continue;
    links.push_back(json::object{{"href", clean_utf8(url)},
                                 {"text", fitted(text.empty() ? url : text, field_characters)}});
  }
  return links;
}

bool has_details(PageSize size) {
  switch (size) {
    case PageSize::full:
    case PageSize::top:
    case PageSize::counts:
      return true;
    case PageSize::link_only:
    case PageSize::minimal:
      return false;
  }
  check_that(false, "a page without a size");
  return false;
}

}  // namespace

std::string event_key(std::string_view key) {
  const auto cut = cut_characters(key, limits::pagerduty_dedup_key_characters);
  if (cut == key) return cut;
  constexpr std::size_t digest_characters = 17;
  auto front = cut_characters(key, limits::pagerduty_dedup_key_characters - digest_characters);
  return fmt::format("{}/{:016x}", front, digest(key));
}

std::string trigger_event(const DraftTrigger& page, const Secret& routing_key, PageSize size) {
  json::object payload{
      {"summary", fitted(page.summary.empty() ? "tocsin incident" : page.summary,
                         limits::pagerduty_summary_characters)},
      {"source", fitted(page.source.empty() ? "unknown host" : page.source, field_characters)},
      {"severity", severity_of(page.severity)}};
  json::object event{{"routing_key", routing_key.reveal()},
                     {"event_action", "trigger"},
                     {"dedup_key", event_key(page.key)}};
  if (size != PageSize::minimal) {
    if (page.at != WallTime{}) payload["timestamp"] = to_rfc3339(page.at);
    add_if(payload, "component", page.component);
    add_if(payload, "group", page.group);
    add_if(payload, "class", page.event_class);
    if (has_details(size)) payload["custom_details"] = details_of(page, size);
    event["client"] = "tocsin";
    auto links = links_of(page);
    if (!links.empty()) {
      event["client_url"] = links.front().as_object()["href"];
      event["links"] = std::move(links);
    }
  }
  event["payload"] = std::move(payload);
  return json::serialize(event);
}

std::string fitted_trigger_event(const DraftTrigger& page, const Secret& routing_key,
                                 std::size_t bytes) {
  for (const auto size : {PageSize::full, PageSize::top, PageSize::counts, PageSize::link_only}) {
    auto event = trigger_event(page, routing_key, size);
    if (event.size() <= bytes) return event;
  }
  return trigger_event(page, routing_key, PageSize::minimal);
}

std::string follow_up_event(std::string_view action, std::string_view key,
                            const Secret& routing_key) {
  return json::serialize(json::object{{"routing_key", routing_key.reveal()},
                                      {"event_action", action},
                                      {"dedup_key", event_key(key)}});
}

}  // namespace tocsin::notify
