// What must be true whatever happened.
#include <algorithm>

#include "tests/simulation/world.hpp"

namespace tocsin::simulation {

void SimulatedWorld::judge_pages() {
  const auto& incidents = core().engine().incidents();
  const auto open = std::find_if(incidents.begin(), incidents.end(), [](const auto& item) {
    return item.second.topic == "web" && is_live(item.second.state) &&
           item.second.state != IncidentState::mitigated;
  });
  if (open == incidents.end()) {
    std::string found = "promise 1: a held breach has no live incident";
    for (const auto& [id, incident] : incidents)
      if (incident.topic == "web")
        found += "; " + id.value + " is " + std::string{to_string(incident.state)};
    const auto alert = core().engine().alerts().find("web");
    if (alert != core().engine().alerts().end())
      found += "; its alert is " + std::string{to_string(alert->second.phase)};
    expect(false, std::move(found));
    return;
  }
  const auto& incident = open->second;
  const auto paged =
      std::any_of(incident.pages.begin(), incident.pages.end(),
                  [&](const Page& page) { return pagerduty_.triggers(page.key) > 0; });
  expect(paged, "promise 1: the held breach of " + incident.id.value + " was never paged");
}

void SimulatedWorld::judge_channels() {
  std::map<std::string, int> live;
  for (const auto& channel : slack_.workspace().channels) {
    const auto at = channel.purpose.value.find("tocsin:");
    if (at == std::string::npos || channel.archived) continue;
    ++live[channel.purpose.value.substr(at, 21)];
    std::map<std::string, int> seen;
    for (const auto& message : channel.messages)
      if (!message.metadata.empty()) ++seen[message.metadata];
    for (const auto& [metadata, count] : seen)
      expect(count == 1, "promise 1: a message was posted " + std::to_string(count) +
                             " times in #" + channel.name + ": " + metadata);
  }
  for (const auto& [marker, count] : live)
    expect(count == 1, "promise 2: " + std::to_string(count) + " live channels for " + marker);
}

void SimulatedWorld::judge_end() {
  std::set<std::string> triggered;
  for (const auto& event : pagerduty_.journal()) {
    if (event.action == "trigger")
      triggered.insert(event.dedup_key);
    else if (event.action == "resolve")
      expect(triggered.contains(event.dedup_key),
             "promise 2: a resolve of " + event.dedup_key + " came before its trigger");
  }
  for (const auto& alert : pagerduty_.alerts()) {
    expect(pagerduty_.opened(alert.dedup_key) == 1,
           "promise 1: " + alert.dedup_key + " was opened more than once");
    expect(alert.state == fakes::PagerDutyAlert::State::resolved,
           "page " + alert.dedup_key + " was never resolved");
  }
  const auto& engine = core().engine();
  for (const auto& [id, entry] : engine.entries())
    expect(entry.state == EntryState::dead, "entry " + std::to_string(id.value) + " (" +
                                                std::string{effect_name(entry.effect)} + ", " +
                                                std::string{to_string(entry.state)} +
                                                ") was never settled: " + entry.last_error);
  for (const auto& [id, incident] : engine.incidents())
    expect(!is_live(incident.state),
           "incident " + id.value + " is still " + std::string{to_string(incident.state)});
  expect(core().journal().durable(), "the store is healthy and the journal says it is not");
}

std::vector<std::string> SimulatedWorld::broken_promises() {
  judge_channels();
  judge_end();
  return {broken_.begin(), broken_.end()};
}

}  // namespace tocsin::simulation
