#include "agent/policy/incident_turn.hpp"

#include <algorithm>

#include "agent/policy/phrases.hpp"
#include "agent/policy/wording.hpp"
#include "tocsin/base/limits.hpp"
#include "tocsin/base/text.hpp"

namespace tocsin::policy {
namespace {

constexpr Duration flapping_hold = std::chrono::minutes{30};

/// DRILL stands first, once.
std::string marked(const Incident& incident, const std::string& text) {
  const auto prefix = drill_prefix(incident);
  return starts_with(text, prefix) ? text : prefix + text;
}

}  // namespace

void Turn::line(TimelineKind kind, std::string text, std::string by) {
  TimelineLine line;
  line.incident = incident().id;
  line.at = now.wall;
  line.kind = kind;
  line.text = by.empty() ? marked(incident(), text) : std::move(text);
  line.text = cut_characters(line.text, limits::timeline_text_characters);
  line.by = std::move(by);
  step_.timeline.push_back(std::move(line));
}

void Turn::tell(TimelineKind kind, const std::string& text) {
  line(kind, text);
  if (!quiet_) post(text);
}

void Turn::post(const std::string& text) {
  // A pending or cancelled incident has no channel: nobody was told.
  const auto state = incident().state;
  if (!in_slack() || state == IncidentState::pending || state == IncidentState::cancelled) return;
  want(Post{cut_characters(marked(incident(), text), limits::timeline_text_characters)});
}

void Turn::recompute() {
  auto worst = Severity::ok;
  for (const auto& member : incident().members) {
    if (member.firing) worst = worse(worst, member.severity);
  }
  // Once all recovered, the incident stays as bad as it was.
  if (firing_members(incident()) > 0) incident().severity = worst;
  incident().title = incident_title(incident());
  fill_summary(incident(), now.wall);
}

void Turn::refresh() {
  if (quiet_ || !in_slack() || incident().state == IncidentState::pending) return;
  want(SetTopic{});
  want(PutSummary{});
}

bool Turn::in_slack() const {
  return policy.slack && incident().channel.receiver == slack_receiver().value;
}

Step Turn::refuse(std::string sentence) && {
  step_.refusal = std::move(sentence);
  step_.timeline.clear();
  step_.effects.clear();
  return std::move(step_);
}

int firing_members(const Incident& incident) {
  return static_cast<int>(std::count_if(incident.members.begin(), incident.members.end(),
                                        [](const Member& member) { return member.firing; }));
}

Member* find_member(Incident& incident, const std::string& check) {
  const auto found = std::find_if(incident.members.begin(), incident.members.end(),
                                  [&](const Member& member) { return member.check == check; });
  return found == incident.members.end() ? nullptr : &*found;
}

Page* find_page(Incident& incident, const std::string& key) {
  const auto found = std::find_if(incident.pages.begin(), incident.pages.end(),
                                  [&](const Page& page) { return page.key == key; });
  return found == incident.pages.end() ? nullptr : &*found;
}

Duration recover_hold(const Turn& turn) {
  const auto& members = turn.incident().members;
  const bool flapping = std::any_of(members.begin(), members.end(),
                                    [](const Member& member) { return member.flapping; });
  return flapping ? std::max(turn.policy.recover_hold, flapping_hold) : turn.policy.recover_hold;
}

}  // namespace tocsin::policy
