#pragma once

#include <functional>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "tocsin/model/effect.hpp"
#include "tocsin/model/incident.hpp"

namespace tocsin::policy {

/// What to do with a lane's entries now. Entries of one (incident, receiver), in id order.
struct LanePlan {
  std::optional<EntryId>
      attempt{};  ///< The one to attempt now; none while one is in flight or held back.
  std::optional<SteadyTime> wake_at{};  ///< When to plan again, if only time is missing.
  struct Drop {
    EntryId id;
    enum class Why {
      superseded,   ///< Another of its kind waits in the lane and will be drafted from the newest
                    ///< state.
      annihilated,  ///< A trigger never attempted and its resolve: both go.
      pointless,    ///< Its predicate no longer holds (reminder after resolve, escalation after
                    ///< acknowledgement, resolve or acknowledge whose trigger was refused, channel
                    ///< steps in a fallback thread).
    } why;
  };
  std::vector<Drop> drops{};
};

/// Facts a lane needs beside its own entries.
struct LaneView {
  const Incident& incident;
  std::span<const OutboxEntry* const> entries;  ///< In id order.
  bool receiver_halted{false};  ///< Credentials refused: hold everything until `halted_until`.
  std::optional<SteadyTime> halted_until{};
  Duration page_wait{
      std::chrono::seconds{2}};  ///< A first page waits this long for the channel's link.
  bool channel_expected{false};  ///< Slack is configured: a link may still come.
};

/// Plans one lane. Strict order inside; a dead entry no longer blocks, except that a resolve or
/// acknowledge whose trigger is dead is pointless. A resolve is eligible only when no trigger of
/// its key is left before it.
LanePlan plan_lane(const LaneView& lane, Now now);

/// Which lane goes first when several may: first triggers, other pages, resolves and
/// acknowledgements, channel creation, summary, the rest. Lower is sooner.
int priority(const OutboxEntry& entry);

/// Full jitter: uniform in [0, min(most, first·2^(attempts-1))], and never sooner than `no_sooner`.
/// `chance` in [0,1).
Duration backoff(int attempts, double chance, std::optional<Duration> no_sooner);
/// How long a halted receiver waits before one entry is tried again.
Duration halt_pause(int halts_in_a_row);

}  // namespace tocsin::policy
