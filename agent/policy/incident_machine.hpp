#pragma once

#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "tocsin/model/effect.hpp"
#include "tocsin/model/incident.hpp"

namespace tocsin::policy {

/// How incidents behave here. From `incidents:`, and from which receivers are configured.
struct IncidentPolicy {
  Duration group_wait{0};
  Duration recover_hold{std::chrono::minutes{2}};
  Duration reopen_window{std::chrono::hours{1}};
  Duration ack_expires{std::chrono::hours{1}};
  Duration remind_every{std::chrono::minutes{10}};
  Duration archive_after{std::chrono::hours{24}};
  Duration page_again_every{std::chrono::minutes{15}};
  std::string environment{"production"};
  std::string timezone{"UTC"};
  bool slack{false};           ///< A Slack channel is wanted; else the local room is the channel.
  std::string page_service{};  ///< PagerDuty service to page; empty: nobody is paged, and every
                               ///< incident says so.
  std::string pages_link{};  ///< Where people find their pages in the browser; empty: no bookmark.
  std::vector<std::string> invite{};
  std::vector<EscalationStep> escalation{};
};

/// The type of an incident's member that a person opened by hand: no alert will ever recover it, a
/// person does.
inline constexpr std::string_view by_hand_type = "manual";

/// What an alert brings to its incident: the check's settings as they were when it fired.
struct AlertNews {
  std::string check;
  std::string type;
  std::string topic;
  std::string component{};
  std::string host{};  ///< This host's name; the incident's host is "fleet" when `fleet`.
  bool fleet{false};
  Severity severity{Severity::critical};
  std::string why{};
  WallTime since{};
  Owners owners{};
  std::string runbook{};
  std::string dashboard{};
  Evidence evidence{};
  bool flapping{false};  ///< Damps notifications, never state.
  bool drill{false};
};

/// What the store knows of this group key's past, for names, links and "third time in 7 days".
struct History {
  std::vector<std::string>
      channel_names_taken{};  ///< Local room names in use, archived ones included.
  std::string previous_id{}, previous_channel{};
  int recent_count{0};  ///< Openings in the last 7 days before this one.
};

// Inputs.
struct AlertFired {
  AlertNews news;
};  ///< Also for a refire and for joining.
struct AlertSeverityChanged {
  AlertNews news;
};
struct AlertRecovered {
  std::string check;
};
struct CheckRemoved {
  std::string check;
};  ///< The check left the configuration.
struct FlappingChanged {
  std::string check;
  bool flapping;
};
struct Acknowledge {
  std::string by;
  std::string source;
};  ///< source: "cli", "slack", "pagerduty"…
struct SetField {
  SummaryField field;
  std::string value;
  std::string by;
};
struct Say {
  std::string text;
  std::string by;
};
struct ResolveByHand {
  std::string by;
  std::string why;
};
struct Close {
  std::string by;
  std::string root_cause{}, fix{};
  std::string waive_why{};
  std::optional<Duration> archive_after{};
};
/// A delivery was settled: channel made, page accepted, refused…
struct Settled {
  Effect effect;
  enum class Outcome {
    delivered,
    rejected,
    halted,
    suppressed,
    skipped
  } outcome{Outcome::delivered};
  std::string detail{};  ///< The sentence, for the timeline.
  std::string channel_id{}, channel_name{}, channel_url{}, thread{}, message{};
  std::string routing_key_digest{};
  bool had_channel{false};  ///< The channel was there when the text was made.
  std::vector<std::string> notes{};
};
struct Tick {};  ///< A timer is due: look at all of them.
using Input =
    std::variant<AlertFired, AlertSeverityChanged, AlertRecovered, CheckRemoved, FlappingChanged,
                 Acknowledge, SetField, Say, ResolveByHand, Close, Settled, Tick>;

/// What a decision comes to. `refusal` set means: nothing changes, and this sentence says why and
/// what to do.
struct Step {
  Incident next{};
  std::vector<TimelineLine> timeline{};
  std::vector<Effect> effects{};
  std::optional<std::string> refusal{};
};

/// environment/host-or-fleet/topic.
std::string group_key(std::string_view environment, const AlertNews& news);
/// Time-sortable, host-unique. `chance` is any random number. See IncidentId.
IncidentId make_incident_id(WallTime now, std::string_view host, std::uint64_t chance);
/// "tocsin/<environment>/<host or fleet>/<topic>/<incident id>/g<generation>", plus "/r<n>" for a
/// page again and
/// "/e<n>" for an escalation step; cut to 255 characters without losing id and generation.
std::string dedup_key(const Incident& incident, std::string_view suffix = {});

/// A new incident for a first firing alert (or one opened by hand).
Step open(const IncidentPolicy& policy, const IncidentId& id, const AlertNews& news,
          const History& history, Now now);
/// One input. Pure. An incident that is closed takes no more alerts: they open() a new one. One
/// that is resolved is reopened by any new firing of its alerts, for there is at most one unclosed
/// incident a key.
Step step(const IncidentPolicy& policy, const Incident& incident, const Input& input, Now now);
/// When the incident next needs a Tick, if ever.
std::optional<SteadyTime> next_due(const Incident& incident);
/// An escalation step should have been taken this long ago and was not: a sentence that says which.
/// An auditor's look, to notice that timers are not being served.
std::optional<std::string> overdue(const Incident& incident, Now now);
inline constexpr Duration overdue_after = std::chrono::minutes{5};

}  // namespace tocsin::policy
