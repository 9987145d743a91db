#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "agent/policy/incident_machine.hpp"
#include "agent/policy/lanes.hpp"
#include "agent/store/journal.hpp"
#include "tocsin/async/clock.hpp"
#include "tocsin/async/wakeup.hpp"
#include "tocsin/model/commit.hpp"
#include "tocsin/notify/outbox.hpp"

namespace tocsin::app {

/// What the engine tells those who count. Called on the loop; must not call back.
struct EngineObserver {
  /// An incident opened: people are told from here on. Not told of reopenings.
  std::function<void(const Incident&)> opened{};
  std::function<void(const Claim&, const Delivery&, Duration took)> delivered{};
  /// From the breach being decided to the page being accepted.
  std::function<void(Duration)> paged{};
  /// Loud facts for the log: a receiver halted, an entry refused.
  std::function<void(std::string_view)> complained{};
};

/// How decisions behave under the configuration in force.
struct EngineSettings {
  policy::IncidentPolicy incidents{};
  Duration page_wait{std::chrono::seconds{2}};
  std::string host{};
};

/// The incident engine: the one place where decisions become state. It holds every live incident
/// and the outbox in memory, asks policy what follows from each input, and commits state, timeline
/// and outbox entries together through the journal. Nothing is handed to the dispatcher before its
/// commit is durable (or known not to become so for now). One loop.
class Engine final : public Outbox {
 public:
  Engine(asio::any_io_executor executor, Clock& clock, store::Journal& journal, Snapshot snapshot,
         std::vector<std::string> channel_names, std::uint64_t seed, EngineSettings settings,
         EngineObserver observer);

  /// Applies from the next decision on.
  void configure(EngineSettings settings);
  /// Forgets that receivers were halted (credentials may have changed).
  void revive_receivers();

  // What checks bring.
  void alert_fired(const Alert& alert, policy::AlertNews news);
  void alert_severity_changed(const Alert& alert, policy::AlertNews news);
  void alert_recovered(const Alert& alert);
  /// The same for a member that is not a configured check (a drill).
  void member_recovered(const std::string& check);
  void flapping_changed(const Alert& alert, bool flapping);
  void check_removed(const std::string& check);
  /// Keeps an alert's phase without any incident being concerned.
  void alert_kept(const Alert& alert);

  // What people want. The error is the sentence to show.
  Result<Incident> command(const IncidentId& id, const policy::Input& input);
  /// Several at once, in one commit: all, or none if any is refused.
  Result<Incident> command(const IncidentId& id, const std::vector<policy::Input>& inputs);
  Result<Incident> open_by_hand(policy::AlertNews news);

  // What is known.
  const std::map<IncidentId, Incident>& incidents() const { return incidents_; }
  const std::map<std::string, Alert>& alerts() const { return alerts_; }
  const std::map<EntryId, OutboxEntry>& entries() const { return entries_; }
  /// The check's part in the live incident that it fires in, if any.
  const Member* firing_member(const std::string& check) const;
  /// Whether any incident, a closed one too, has this check as one that fires.
  bool known_to_fire(const std::string& check) const;
  /// An id in full or any unambiguous part of it, or a channel's name.
  Result<IncidentId> find(std::string_view text) const;
  std::optional<std::string> halted(const ReceiverId& receiver) const;

  // The outbox, for people.
  Result<void> retry_entry(EntryId id);
  Result<void> drop_entry(EntryId id);

  // The outbox, for the dispatcher.
  asio::awaitable<Claim> next() override;
  void settle(const Claim& claim, const Delivery& delivery, Duration took) override;

  /// Gives incidents their ticks when timers are due, until cancelled. Spawn once.
  asio::awaitable<void> run_timers();
  /// Drops closed incidents that left the window of history from memory.
  void forget_old();

 private:
  using LaneKey = std::pair<IncidentId, ReceiverId>;
  struct Lane {
    std::vector<EntryId> entries{};
    bool dirty{true};
    std::optional<SteadyTime> wake_at{};
    std::optional<EntryId> attempt{};
  };
  struct HaltedReceiver {
    int in_a_row{0};
    std::optional<SteadyTime> until{};
    std::string why{};
  };

  const policy::IncidentPolicy& policy_for(const Incident& incident);
  policy::History history_of(const std::string& key, WallTime now) const;
  Incident* unclosed(const std::string& key);
  Incident* firing_in(const std::string& check);
  void open(policy::AlertNews news, Commit commit, Now now);
  void apply(Incident& incident, policy::Step step, Commit commit, Now now);
  void input_for_check(const Alert& alert, const std::string& check, const policy::Input& input);
  void enqueue(const Incident& incident, std::vector<Effect> effects, Commit& commit, Now now);
  void append(Commit commit);
  asio::awaitable<void> append_and_wait(Commit commit);

  std::vector<const OutboxEntry*> lane_entries(const Lane& lane) const;
  std::optional<EntryId> plan(Now now, std::optional<SteadyTime>& wake_at);
  void plan_lane(const LaneKey& key, Lane& lane, Now now);
  void drop(const policy::LanePlan::Drop& drop, Commit& commit, Now now);
  void forget_entry(EntryId id, Commit& commit);
  void mark_lanes_dirty(const IncidentId& id);
  void retry_later(OutboxEntry& entry, const Retry& retry, Commit& commit, Now now);
  void halt(OutboxEntry& entry, const Halt& halt, Now now);
  void settled(OutboxEntry& entry, const Draft& draft, const Delivered& delivered, Now now);
  void settled(OutboxEntry& entry, const Draft& draft, const Retry& retry, Now now);
  void settled(OutboxEntry& entry, const Draft& draft, const Rejected& rejected, Now now);
  void settled(OutboxEntry& entry, const Draft& draft, const Halt& stop, Now now);
  void settle_step(const IncidentId& id, policy::Settled settled, Commit commit, Now now);
  double chance();

  asio::any_io_executor executor_;
  Clock& clock_;
  store::Journal& journal_;
  EngineSettings settings_;
  policy::IncidentPolicy drill_policy_;
  EngineObserver observer_;
  std::mt19937_64 random_;

  std::map<IncidentId, Incident> incidents_;
  std::map<std::string, Alert> alerts_;
  std::map<EntryId, OutboxEntry> entries_;  ///< Committed ones only.
  std::map<LaneKey, Lane> lanes_;
  /// Incidents with new entries on their way to the disk: how many commits.
  std::map<IncidentId, int> unwritten_;
  std::map<ReceiverId, HaltedReceiver> halted_;
  std::map<EntryId, SteadyTime>
      decided_;  ///< When a first trigger's breach was decided; until it is accepted.
  std::vector<std::string> channel_names_;
  std::uint64_t last_entry_id_{0};
  Wakeup outbox_changed_;
  Wakeup timers_changed_;
};

}  // namespace tocsin::app
