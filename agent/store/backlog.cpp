#include "agent/store/backlog.hpp"

#include <algorithm>

namespace tocsin::store {
namespace {

TimelineLine note_of_loss(const std::string& incident, std::size_t count, WallTime at) {
  return {IncidentId{incident},
          at,
          TimelineKind::note,
          "",
          std::to_string(count) +
              " lines after this one could not be kept while the disk took no writes",
          0};
}

}  // namespace

void Backlog::add(const Commit& commit, std::uint64_t last_written) {
  ++commits_;
  for (const auto& alert : commit.alerts) {
    alerts_removed_.erase(alert.check);
    alerts_[alert.check] = alert;
  }
  for (const auto& name : commit.alerts_removed) {
    alerts_.erase(name);
    alerts_removed_.insert(name);
  }
  for (const auto& incident : commit.incidents) {
    incidents_[incident.id.value] = incident;
    if (incidents_.size() > incidents_most) shed_incident();
  }
  for (const auto& line : commit.timeline) add_line(line);
  for (const auto& entry : commit.entries) {
    entries_removed_.erase(entry.id.value);
    entries_[entry.id.value] = entry;
  }
  for (const auto& id : commit.entries_removed) {
    entries_.erase(id.value);
    if (id.value <= last_written) entries_removed_.insert(id.value);
  }
  for (const auto& memory : commit.memories) memories_[memory.check] = memory.text;
}

void Backlog::add_line(const TimelineLine& line) {
  if (lines_.size() < lines_most) {
    lines_.push_back(line);
    return;
  }
  auto& lost = lines_lost_[line.incident.value];
  ++lost.count;
  lost.last = line.at;
}

void Backlog::shed_incident() {
  const auto over = [](const auto& one) { return !is_unclosed(one.second.state); };
  const auto found = std::find_if(incidents_.begin(), incidents_.end(), over);
  // Ids sort by time, so the first is the oldest. Unclosed ones are never shed: policy bounds them,
  // one for each key.
  if (found == incidents_.end()) return;
  lines_lost_.erase(found->first);
  incidents_.erase(found);
}

Commit Backlog::merged() const {
  Commit all;
  for (const auto& [name, alert] : alerts_) all.alerts.push_back(alert);
  all.alerts_removed.assign(alerts_removed_.begin(), alerts_removed_.end());
  for (const auto& [id, incident] : incidents_) all.incidents.push_back(incident);
  all.timeline = lines_;
  for (const auto& [id, lost] : lines_lost_)
    all.timeline.push_back(note_of_loss(id, lost.count, lost.last));
  for (const auto& [id, entry] : entries_) all.entries.push_back(entry);
  for (const auto id : entries_removed_) all.entries_removed.push_back(EntryId{id});
  for (const auto& [check, text] : memories_) all.memories.push_back({check, text});
  return all;
}

void Backlog::add_lines_to(std::vector<TimelineLine>& lines, const IncidentId& id) const {
  for (const auto& line : lines_) {
    if (line.incident == id) lines.push_back(line);
  }
  const auto lost = lines_lost_.find(id.value);
  if (lost != lines_lost_.end())
    lines.push_back(note_of_loss(id.value, lost->second.count, lost->second.last));
}

}  // namespace tocsin::store
