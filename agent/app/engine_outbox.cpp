// The engine's side of the outbox: which entry's turn it is, and what follows from the outcome of
// an attempt.
#include <algorithm>

#include "agent/app/drafting.hpp"
#include "agent/app/engine.hpp"
#include "tocsin/base/limits.hpp"

namespace tocsin::app {

std::vector<const OutboxEntry*> Engine::lane_entries(const Lane& lane) const {
  std::vector<const OutboxEntry*> out;
  out.reserve(lane.entries.size());
  for (const auto id : lane.entries) out.push_back(&entries_.at(id));
  return out;
}

void Engine::mark_lanes_dirty(const IncidentId& id) {
  for (auto at = lanes_.lower_bound({id, ReceiverId{}});
       at != lanes_.end() && at->first.first == id; ++at)
    at->second.dirty = true;
  outbox_changed_.raise();
}

void Engine::plan_lane(const LaneKey& key, Lane& lane, Now now) {
  if (unwritten_.contains(key.first)) {
    // The incident is ahead of its lanes: a page would be dropped as pointless before the resolve
    // that makes sense of it is there. Looked at again once it is.
    lane.dirty = false;
    lane.attempt.reset();
    lane.wake_at.reset();
    return;
  }
  const auto& incident = incidents_.at(key.first);
  const auto entries = lane_entries(lane);
  const auto halted = halted_.find(key.second);
  auto plan = policy::plan_lane(
      {.incident = incident,
       .entries = entries,
       .receiver_halted = halted != halted_.end(),
       .halted_until = halted == halted_.end() ? std::nullopt : halted->second.until,
       .page_wait = settings_.page_wait,
       .channel_expected = settings_.incidents.slack},
      now);
  lane.dirty = false;
  lane.attempt = plan.attempt;
  lane.wake_at = plan.wake_at;
  if (plan.drops.empty()) return;
  Commit commit{};
  for (const auto& each : plan.drops) drop(each, commit, now);
  append(std::move(commit));
}

std::optional<EntryId> Engine::plan(Now now, std::optional<SteadyTime>& wake_at) {
  std::vector<LaneKey> due;
  for (const auto& [key, lane] : lanes_)
    if (lane.dirty || (lane.wake_at && *lane.wake_at <= now.steady)) due.push_back(key);
  for (const auto& key : due)
    if (const auto at = lanes_.find(key); at != lanes_.end()) plan_lane(key, at->second, now);
  std::erase_if(lanes_, [](const auto& item) { return item.second.entries.empty(); });

  std::optional<EntryId> best;
  int best_priority{};
  for (const auto& [key, lane] : lanes_) {
    if (lane.wake_at && (!wake_at || *lane.wake_at < *wake_at)) wake_at = lane.wake_at;
    if (!lane.attempt) continue;
    const auto rank = policy::priority(entries_.at(*lane.attempt));
    if (best && rank >= best_priority) continue;
    best = lane.attempt;
    best_priority = rank;
  }
  return best;
}

asio::awaitable<Claim> Engine::next() {
  for (;;) {
    const auto now = clock_.now();
    std::optional<SteadyTime> wake_at;
    const auto id = plan(now, wake_at);
    if (!id) {
      // A drop may have made the next entry of its lane eligible: plan again rather than wait.
      const auto again = std::any_of(lanes_.begin(), lanes_.end(),
                                     [](const auto& item) { return item.second.dirty; });
      if (again) continue;
      if (wake_at)
        co_await outbox_changed_.wait_until(clock_, *wake_at);
      else
        co_await outbox_changed_.wait();
      continue;
    }
    auto& entry = entries_.at(*id);
    auto& lane = lanes_.at({entry.incident, entry.receiver});
    lane.attempt.reset();
    entry.state = EntryState::in_flight;
    ++entry.attempts;
    if (!entry.first_attempt) entry.first_attempt = now.wall;
    entry.not_before.reset();
    const auto receiver = entry.receiver;
    const auto incident_id = entry.incident;
    Commit commit{.entries = {entry}};
    co_await append_and_wait(std::move(commit));
    // The text is made after the claim is durable: it says what is true at the moment of sending.
    const auto still = entries_.find(*id);
    if (still == entries_.end()) continue;  // Dropped by a person meanwhile.
    const auto& incident = incidents_.at(incident_id);
    const auto& claimed = still->second;
    co_return Claim{receiver, Draft{.incident = incident_id,
                                    .entry = *id,
                                    .body = draft(claimed.effect, incident, clock_.wall()),
                                    .channel = incident.channel,
                                    .ambiguous = claimed.ambiguous,
                                    .first_attempt = *claimed.first_attempt}};
  }
}

void Engine::forget_entry(EntryId id, Commit& commit) {
  const auto at = entries_.find(id);
  if (at == entries_.end()) return;
  if (const auto lane = lanes_.find({at->second.incident, at->second.receiver});
      lane != lanes_.end()) {
    std::erase(lane->second.entries, id);
    lane->second.dirty = true;
    if (lane->second.attempt == id) lane->second.attempt.reset();
  }
  decided_.erase(id);
  entries_.erase(at);
  commit.entries_removed.push_back(id);
}

void Engine::drop(const policy::LanePlan::Drop& drop, Commit& commit, Now now) {
  const auto at = entries_.find(drop.id);
  if (at == entries_.end()) return;
  const auto effect = at->second.effect;
  const auto incident_id = at->second.incident;
  forget_entry(drop.id, commit);
  using Why = policy::LanePlan::Drop::Why;
  if (drop.why == Why::superseded) return;
  auto& incident = incidents_.at(incident_id);
  policy::Settled settled{.effect = effect,
                          .outcome = drop.why == Why::annihilated
                                         ? policy::Settled::Outcome::suppressed
                                         : policy::Settled::Outcome::skipped};
  auto step = policy::step(policy_for(incident), incident, settled, now);
  if (step.refusal) return;
  if (!(step.next == incident)) {
    incident = std::move(step.next);
    commit.incidents.push_back(incident);
  }
  for (auto& line : step.timeline) commit.timeline.push_back(std::move(line));
  enqueue(incident, std::move(step.effects), commit, now);
}

void Engine::settle_step(const IncidentId& id, policy::Settled settled, Commit commit, Now now) {
  auto& incident = incidents_.at(id);
  apply(incident, policy::step(policy_for(incident), incident, settled, now), std::move(commit),
        now);
}

void Engine::retry_later(OutboxEntry& entry, const Retry& retry, Commit& commit, Now now) {
  entry.state = EntryState::queued;
  entry.ambiguous = entry.ambiguous || retry.ambiguous;
  entry.last_error = retry.why.detail;
  if (retry.attempted) {
    entry.not_before = now.steady + policy::backoff(entry.attempts, chance(), retry.no_sooner);
  } else {
    --entry.attempts;
    entry.not_before = now.steady + retry.no_sooner.value_or(limits::backoff_first);
  }
  commit.entries.push_back(entry);
}

void Engine::halt(OutboxEntry& entry, const Halt& halt, Now now) {
  auto& receiver = halted_[entry.receiver];
  // Attempts that were under way together are one refusal, not several in a row.
  if (!receiver.until || *receiver.until <= now.steady)
    receiver.until = now.steady + policy::halt_pause(++receiver.in_a_row);
  receiver.why = halt.why.detail;
  for (auto& [key, lane] : lanes_)
    if (key.second == entry.receiver) lane.dirty = true;
  if (observer_.complained)
    observer_.complained(entry.receiver.value +
                         " refuses our credentials, its queue is kept: " + halt.why.detail);
}

void Engine::settle(const Claim& claim, const Delivery& delivery, Duration took) {
  if (observer_.delivered) observer_.delivered(claim, delivery, took);
  const auto at = entries_.find(claim.draft.entry);
  if (at == entries_.end()) return;  // Dropped by a person while it was in flight.
  const auto now = clock_.now();
  auto& entry = at->second;
  lanes_.at({entry.incident, entry.receiver}).dirty = true;
  std::visit([&](const auto& outcome) { settled(entry, claim.draft, outcome, now); }, delivery);
}

void Engine::settled(OutboxEntry& entry, const Draft& draft, const Delivered& delivered, Now now) {
  halted_.erase(entry.receiver);
  const auto decided = decided_.find(entry.id);
  if (decided != decided_.end() && observer_.paged) observer_.paged(now.steady - decided->second);
  const auto effect = entry.effect;
  const auto incident = entry.incident;
  Commit commit{};
  forget_entry(entry.id, commit);  // From here on there is no entry.
  if (!delivered.channel_name.empty()) channel_names_.push_back(delivered.channel_name);
  settle_step(incident,
              {.effect = effect,
               .outcome = policy::Settled::Outcome::delivered,
               .channel_id = delivered.channel_id,
               .channel_name = delivered.channel_name,
               .channel_url = delivered.channel_url,
               .thread = delivered.thread,
               .message = delivered.message,
               .routing_key_digest = delivered.routing_key_digest,
               .had_channel = draft.channel.ready,
               .notes = delivered.notes},
              std::move(commit), now);
}

void Engine::settled(OutboxEntry& entry, const Draft&, const Retry& retry, Now now) {
  if (retry.attempted) halted_.erase(entry.receiver);
  Commit commit{};
  retry_later(entry, retry, commit, now);
  append(std::move(commit));
}

void Engine::settled(OutboxEntry& entry, const Draft&, const Rejected& rejected, Now now) {
  halted_.erase(entry.receiver);
  entry.state = EntryState::dead;
  entry.last_error = rejected.why.detail;
  if (observer_.complained)
    observer_.complained(entry.receiver.value + " refused " +
                         std::string{effect_name(entry.effect)} + ": " + rejected.why.detail);
  settle_step(entry.incident,
              {.effect = entry.effect,
               .outcome = policy::Settled::Outcome::rejected,
               .detail = rejected.why.detail},
              {.entries = {entry}}, now);
}

void Engine::settled(OutboxEntry& entry, const Draft&, const Halt& stop, Now now) {
  // Each incident is told once why its entry waits; that it still does is no news.
  const auto news = entry.last_error != stop.why.detail;
  halt(entry, stop, now);
  entry.state = EntryState::queued;
  entry.last_error = stop.why.detail;
  Commit commit{.entries = {entry}};
  if (!news) {
    append(std::move(commit));
    return;
  }
  settle_step(entry.incident,
              {.effect = entry.effect,
               .outcome = policy::Settled::Outcome::halted,
               .detail = stop.why.detail},
              std::move(commit), now);
}

std::optional<std::string> Engine::halted(const ReceiverId& receiver) const {
  const auto at = halted_.find(receiver);
  if (at == halted_.end()) return std::nullopt;
  return at->second.why;
}

Result<void> Engine::retry_entry(EntryId id) {
  const auto at = entries_.find(id);
  if (at == entries_.end())
    return Error{Errc::missing, "no entry " + std::to_string(id.value) +
                                    " in the outbox; see `tocsin queue list`"};
  auto& entry = at->second;
  if (entry.state == EntryState::in_flight)
    return Error{Errc::refused,
                 "entry " + std::to_string(id.value) + " is being delivered right now"};
  entry.state = EntryState::queued;
  entry.not_before.reset();
  halted_.erase(entry.receiver);
  append({.entries = {entry}});
  mark_lanes_dirty(entry.incident);
  return {};
}

Result<void> Engine::drop_entry(EntryId id) {
  const auto at = entries_.find(id);
  if (at == entries_.end())
    return Error{Errc::missing, "no entry " + std::to_string(id.value) +
                                    " in the outbox; see `tocsin queue list`"};
  const auto dropped = at->second;
  if (dropped.state == EntryState::in_flight)
    return Error{Errc::refused,
                 "entry " + std::to_string(id.value) + " is being delivered right now"};
  const auto now = clock_.now();
  Commit commit{};
  commit.timeline.push_back(
      {.incident = dropped.incident,
       .at = now.wall,
       .kind = TimelineKind::delivery,
       .text = "dropped by hand: " + std::string{effect_name(dropped.effect)} + " for " +
               dropped.receiver.value});
  forget_entry(id, commit);
  const auto never_sent =
      dropped.state == EntryState::queued && dropped.attempts == 0 && !dropped.ambiguous;
  using Outcome = policy::Settled::Outcome;
  if (std::holds_alternative<TriggerPage>(dropped.effect) && never_sent) {
    // Nobody was paged, so there will be nothing to acknowledge or to resolve.
    settle_step(dropped.incident, {.effect = dropped.effect, .outcome = Outcome::skipped},
                std::move(commit), now);
  } else if (std::holds_alternative<CreateChannel>(dropped.effect) &&
             dropped.state != EntryState::dead) {
    settle_step(dropped.incident,
                {.effect = dropped.effect,
                 .outcome = Outcome::rejected,
                 .detail = "its creation was dropped by hand"},
                std::move(commit), now);
  } else {
    append(std::move(commit));
    mark_lanes_dirty(dropped.incident);
  }
  return {};
}

}  // namespace tocsin::app
