#include "agent/app/engine.hpp"

#include <algorithm>
#include <iterator>
#include <set>

#include "tocsin/base/limits.hpp"
#include "tocsin/base/overloaded.hpp"

namespace tocsin::app {

namespace {

using namespace std::chrono_literals;

/// A drill must clear by itself while its audience still watches.
policy::IncidentPolicy for_drills(policy::IncidentPolicy policy) {
  policy.group_wait = Duration{0};
  policy.recover_hold = std::min<Duration>(policy.recover_hold, 5s);
  policy.archive_after = std::min<Duration>(policy.archive_after, 1min);
  return policy;
}

}  // namespace

Engine::Engine(asio::any_io_executor executor, Clock& clock, store::Journal& journal,
               Snapshot snapshot, std::vector<std::string> channel_names, std::uint64_t seed,
               EngineSettings settings, EngineObserver observer)
    : executor_{executor},
      clock_{clock},
      journal_{journal},
      settings_{std::move(settings)},
      drill_policy_{for_drills(settings_.incidents)},
      observer_{std::move(observer)},
      random_{seed},
      channel_names_{std::move(channel_names)},
      last_entry_id_{snapshot.last_entry_id},
      outbox_changed_{executor},
      timers_changed_{executor} {
  for (auto& incident : snapshot.incidents) incidents_.emplace(incident.id, std::move(incident));
  for (auto& alert : snapshot.alerts) alerts_.emplace(alert.check, std::move(alert));
  for (auto& entry : snapshot.entries) {
    last_entry_id_ = std::max(last_entry_id_, entry.id.value);
    if (!incidents_.contains(entry.incident)) {
      // Left over from a store that was damaged: nothing is known that it could be drafted from.
      append({.entries_removed = {entry.id}});
      continue;
    }
    lanes_[{entry.incident, entry.receiver}].entries.push_back(entry.id);
    entries_.emplace(entry.id, std::move(entry));
  }
}

void Engine::configure(EngineSettings settings) {
  settings_ = std::move(settings);
  drill_policy_ = for_drills(settings_.incidents);
  revive_receivers();
}

void Engine::revive_receivers() {
  halted_.clear();
  for (auto& [key, lane] : lanes_) lane.dirty = true;
  outbox_changed_.raise();
}

const policy::IncidentPolicy& Engine::policy_for(const Incident& incident) {
  return incident.drill ? drill_policy_ : settings_.incidents;
}

double Engine::chance() { return std::uniform_real_distribution<double>{0.0, 1.0}(random_); }

Incident* Engine::unclosed(const std::string& key) {
  for (auto& [id, incident] : incidents_)
    if (incident.key == key && is_unclosed(incident.state)) return &incident;
  return nullptr;
}

Incident* Engine::firing_in(const std::string& check) {
  const auto fires = [&](const Member& member) { return member.check == check && member.firing; };
  for (auto& [id, incident] : incidents_)
    if (is_unclosed(incident.state) &&
        std::any_of(incident.members.begin(), incident.members.end(), fires))
      return &incident;
  return nullptr;
}

const Member* Engine::firing_member(const std::string& check) const {
  for (const auto& [id, incident] : incidents_) {
    if (!is_live(incident.state)) continue;
    for (const auto& member : incident.members)
      if (member.check == check && member.firing) return &member;
  }
  return nullptr;
}

bool Engine::known_to_fire(const std::string& check) const {
  return std::any_of(incidents_.begin(), incidents_.end(), [&](const auto& item) {
    const auto& members = item.second.members;
    return std::any_of(members.begin(), members.end(), [&](const Member& member) {
      return member.check == check && member.firing;
    });
  });
}

policy::History Engine::history_of(const std::string& key, WallTime now) const {
  policy::History history{.channel_names_taken = channel_names_};
  const Incident* latest = nullptr;
  for (const auto& [id, incident] : incidents_) {
    if (incident.key != key || incident.state == IncidentState::cancelled) continue;
    if (now - incident.opened_at <= std::chrono::days{7}) ++history.recent_count;
    if (latest == nullptr || latest->opened_at < incident.opened_at) latest = &incident;
  }
  if (latest != nullptr) {
    history.previous_id = latest->id.value;
    history.previous_channel = latest->channel.name;
  }
  return history;
}

void Engine::alert_kept(const Alert& alert) {
  alerts_[alert.check] = alert;
  append({.alerts = {alert}});
}

void Engine::alert_fired(const Alert& alert, policy::AlertNews news) {
  const auto now = clock_.now();
  alerts_[alert.check] = alert;
  Commit commit{.alerts = {alert}};
  // Where it already fires it belongs, even if its topic or the environment was configured anew.
  auto* incident = firing_in(alert.check);
  if (incident == nullptr)
    incident = unclosed(policy::group_key(settings_.incidents.environment, news));
  if (incident == nullptr) {
    open(std::move(news), std::move(commit), now);
    return;
  }
  auto step =
      policy::step(policy_for(*incident), *incident, policy::AlertFired{std::move(news)}, now);
  apply(*incident, std::move(step), std::move(commit), now);
}

void Engine::open(policy::AlertNews news, Commit commit, Now now) {
  const auto id = policy::make_incident_id(now.wall, settings_.host, random_());
  const auto& policy = news.drill ? drill_policy_ : settings_.incidents;
  const auto history = history_of(policy::group_key(policy.environment, news), now.wall);
  auto step = policy::open(policy, id, news, history, now);
  auto& incident = incidents_[id];
  incident.id = id;
  channel_names_.push_back(step.next.channel.name);
  apply(incident, std::move(step), std::move(commit), now);
}

void Engine::input_for_check(const Alert& alert, const std::string& check,
                             const policy::Input& input) {
  const auto now = clock_.now();
  Commit commit{};
  if (!alert.check.empty()) {
    alerts_[alert.check] = alert;
    commit.alerts.push_back(alert);
  }
  for (auto& [id, incident] : incidents_) {
    if (!is_unclosed(incident.state)) continue;
    const auto concerned = std::any_of(incident.members.begin(), incident.members.end(),
                                       [&](const Member& member) { return member.check == check; });
    if (!concerned) continue;
    apply(incident, policy::step(policy_for(incident), incident, input, now),
          std::exchange(commit, {}), now);
  }
  if (!commit.empty()) append(std::move(commit));
}

void Engine::alert_severity_changed(const Alert& alert, policy::AlertNews news) {
  const auto known = alerts_.find(alert.check);
  const auto before = known == alerts_.end() ? Severity::ok : known->second.severity;
  // Somebody closed its incident while it fired: that it got worse is a new one.
  if (firing_in(alert.check) == nullptr && concern(alert.severity) > concern(before)) {
    alert_fired(alert, std::move(news));
    return;
  }
  input_for_check(alert, alert.check, policy::AlertSeverityChanged{std::move(news)});
}

void Engine::alert_recovered(const Alert& alert) {
  input_for_check(alert, alert.check, policy::AlertRecovered{alert.check});
}

void Engine::member_recovered(const std::string& check) {
  input_for_check({}, check, policy::AlertRecovered{check});
}

void Engine::flapping_changed(const Alert& alert, bool flapping) {
  input_for_check(alert, alert.check, policy::FlappingChanged{alert.check, flapping});
}

void Engine::check_removed(const std::string& check) {
  alerts_.erase(check);
  input_for_check({}, check, policy::CheckRemoved{check});
  append({.alerts_removed = {check}});
}

Result<Incident> Engine::command(const IncidentId& id, const policy::Input& input) {
  return command(id, std::vector<policy::Input>{input});
}

Result<Incident> Engine::command(const IncidentId& id, const std::vector<policy::Input>& inputs) {
  const auto found = incidents_.find(id);
  if (found == incidents_.end())
    return Error{Errc::missing,
                 "no incident " + id.value + " in memory; see `tocsin incident list`"};
  auto& incident = found->second;
  const auto now = clock_.now();
  policy::Step whole{.next = incident};
  for (const auto& input : inputs) {
    auto step = policy::step(policy_for(incident), whole.next, input, now);
    if (step.refusal) return Error{Errc::refused, *step.refusal};
    whole.next = std::move(step.next);
    std::move(step.timeline.begin(), step.timeline.end(), std::back_inserter(whole.timeline));
    std::move(step.effects.begin(), step.effects.end(), std::back_inserter(whole.effects));
  }
  apply(incident, std::move(whole), {}, now);
  return incident;
}

Result<Incident> Engine::open_by_hand(policy::AlertNews news) {
  const auto now = clock_.now();
  const auto key = policy::group_key(settings_.incidents.environment, news);
  if (const auto* incident = unclosed(key); incident != nullptr)
    return Error{Errc::refused, "incident " + incident->id.value + " about this topic is " +
                                    std::string{to_string(incident->state)} +
                                    " and not closed, in #" + incident->channel.name};
  open(std::move(news), {}, now);
  return *unclosed(key);
}

void Engine::apply(Incident& incident, policy::Step step, Commit commit, Now now) {
  if (step.refusal) {
    if (!commit.empty()) append(std::move(commit));
    return;
  }
  const auto changed = !(step.next == incident);
  const auto opened =
      incident.state == IncidentState::pending && step.next.state == IncidentState::open;
  incident = std::move(step.next);
  if (changed) commit.incidents.push_back(incident);
  for (auto& line : step.timeline) commit.timeline.push_back(std::move(line));
  enqueue(incident, std::move(step.effects), commit, now);
  mark_lanes_dirty(incident.id);
  if (!commit.empty()) append(std::move(commit));
  timers_changed_.raise();
  if (opened && observer_.opened) observer_.opened(incident);
}

void Engine::enqueue(const Incident& incident, std::vector<Effect> effects, Commit& commit,
                     Now now) {
  for (auto& effect : effects) {
    const auto waiting = entries_.size() + commit.entries.size();
    auto receiver = receiver_of(effect);
    if (waiting >= limits::outbox_entries && receiver == slack_receiver()) {
      commit.timeline.push_back(
          {.incident = incident.id,
           .at = now.wall,
           .kind = TimelineKind::delivery,
           .text = "the outbox is full: " + std::string{effect_name(effect)} + " was not queued"});
      if (observer_.complained)
        observer_.complained("the outbox is full; effects are being dropped");
      continue;
    }
    OutboxEntry entry{.id = EntryId{++last_entry_id_},
                      .incident = incident.id,
                      .receiver = std::move(receiver),
                      .effect = std::move(effect),
                      .created = now.wall};
    if (const auto* page = std::get_if<TriggerPage>(&entry.effect)) {
      decided_.emplace(entry.id, now.steady);
      const auto waits = settings_.incidents.slack && !incident.channel.ready && !page->escalation;
      if (waits) entry.not_before = now.steady + settings_.page_wait;
    }
    commit.entries.push_back(std::move(entry));
  }
}

void Engine::append(Commit commit) {
  // New entries become visible to the dispatcher only once they are on disk, or the disk is known
  // to be out of order. Those that are known already may be gone again by then, and must stay so.
  std::vector<OutboxEntry> entries;
  for (const auto& entry : commit.entries)
    if (!entries_.contains(entry.id)) entries.push_back(entry);
  std::set<IncidentId> awaited;
  for (const auto& entry : entries)
    if (!entries_.contains(entry.id)) awaited.insert(entry.incident);
  for (const auto& id : awaited) ++unwritten_[id];
  journal_.append(std::move(commit),
                  [this, entries = std::move(entries), awaited = std::move(awaited)]() mutable {
                    for (auto& entry : entries) {
                      const auto [at, fresh] = entries_.try_emplace(entry.id, entry);
                      if (!fresh) continue;
                      auto& lane = lanes_[{entry.incident, entry.receiver}];
                      lane.entries.push_back(entry.id);
                      lane.dirty = true;
                    }
                    for (const auto& id : awaited) {
                      if (const auto at = unwritten_.find(id); --at->second == 0)
                        unwritten_.erase(at);
                      mark_lanes_dirty(id);
                    }
                    outbox_changed_.raise();
                  });
}

asio::awaitable<void> Engine::append_and_wait(Commit commit) {
  auto bell = std::make_shared<Wakeup>(executor_);
  journal_.append(std::move(commit), [bell] { bell->raise(); });
  co_await bell->wait();
}

Result<IncidentId> Engine::find(std::string_view text) const {
  if (!text.empty() && text.front() == '#') text.remove_prefix(1);
  std::vector<const Incident*> matches;
  for (const auto& [id, incident] : incidents_) {
    if (id.value == text) return id;
    // People leave out what every channel begins with: "nginx-2211".
    const std::string_view channel = incident.channel.name;
    const auto named =
        channel == text || (channel.starts_with("issue-") &&
                            channel.substr(std::string_view{"issue-"}.size()) == text);
    if (named || id.value.find(text) != std::string::npos) matches.push_back(&incident);
  }
  if (text.empty() || matches.empty())
    return Error{Errc::missing,
                 "no incident matches \"" + std::string{text} + "\"; see `tocsin incident list`"};
  if (matches.size() > 1)
    return Error{Errc::refused, "\"" + std::string{text} + "\" matches " +
                                    std::to_string(matches.size()) +
                                    " incidents; give more of the id"};
  return matches.front()->id;
}

asio::awaitable<void> Engine::run_timers() {
  for (;;) {
    const auto now = clock_.now();
    std::optional<SteadyTime> soonest;
    std::vector<IncidentId> due;
    for (const auto& [id, incident] : incidents_) {
      const auto at = policy::next_due(incident);
      if (!at) continue;
      if (*at <= now.steady)
        due.push_back(id);
      else if (!soonest || *at < *soonest)
        soonest = at;
    }
    for (const auto& id : due) {
      auto& incident = incidents_.at(id);
      apply(incident, policy::step(policy_for(incident), incident, policy::Tick{}, now), {}, now);
    }
    if (!due.empty()) continue;
    if (soonest)
      co_await timers_changed_.wait_until(clock_, *soonest);
    else
      co_await timers_changed_.wait();
  }
}

void Engine::forget_old() {
  const auto horizon = clock_.wall() - std::chrono::days{7};
  std::erase_if(incidents_, [&](const auto& item) {
    const auto& incident = item.second;
    const auto has_lane = std::any_of(lanes_.begin(), lanes_.end(), [&](const auto& lane) {
      return lane.first.first == incident.id;
    });
    const auto over =
        incident.state == IncidentState::archived || incident.state == IncidentState::cancelled;
    // Not at the moment of archiving: what that decided may not be in a lane yet.
    const auto ended = incident.archived_at.value_or(incident.opened_at);
    return over && !has_lane && ended < horizon;
  });
}

}  // namespace tocsin::app
