#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tocsin/model/effect.hpp"
#include "tocsin/model/incident.hpp"

namespace tocsin::policy {

// Every sentence people read in a channel or a page, within the vendors' limits. Pure; plain text
// (receivers escape).

/// "issue-" + the topic slugged to [a-z0-9-] + "-" + ddmm in the zone, at most 80 characters; with
/// "-2", "-3"… when the name is among `taken`.
std::string channel_name(std::string_view topic, WallTime at, std::string_view zone,
                         const std::vector<std::string>& taken);
std::string slug(std::string_view topic, std::size_t most);
/// "tocsin:INCIDENT_ID"
std::string channel_marker(const IncidentId& id);
std::string channel_purpose(const Incident& incident);  ///< ≤250 characters, the marker never cut.
/// Brief line, SRE issue owner, developer issue owner; ≤250 characters.
std::string channel_topic(const Incident& incident);
struct SummaryText {
  std::string headline;
  std::vector<std::pair<std::string, std::string>> fields;
  std::vector<std::string> evidence;
  std::string footer;
};
SummaryText summary_text(const Incident& incident, WallTime now);
std::string reminder_text(const Incident& incident, WallTime now);
/// The prefilled page: everything DraftTrigger needs, as plain values.
struct PageText {
  std::string summary, source, severity, component, group, event_class;
  std::vector<std::pair<std::string, std::string>> details;
  std::vector<std::string> evidence, members;
  std::vector<std::pair<std::string, std::string>> links;
};
PageText page_text(const Incident& incident, const std::string& key, WallTime now);
/// "CRITICAL: nginx on web-1: up 0 < 1"
std::string incident_title(const Incident& incident);
/// Fills what tocsin knows and no person has set: environment, component, probable cause,
/// frequency, estimate, source, how often, also affected, impact.
void fill_summary(Incident& incident, WallTime now);

}  // namespace tocsin::policy
