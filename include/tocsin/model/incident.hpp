#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tocsin/base/strong.hpp"
#include "tocsin/base/time.hpp"
#include "tocsin/model/sample.hpp"
#include "tocsin/model/severity.hpp"
#include "tocsin/model/summary.hpp"

namespace tocsin {

/// Short, sortable by time and unique across hosts: 8 characters of time and 5 of host and chance,
/// Crockford base 32, lower case ("01jd3k7m-x7q2p"). Made by policy::make_incident_id.
using IncidentId = Strong<struct IncidentIdTag, std::string>;

enum class IncidentState {
  pending,       ///< First alert fired; group_wait not over.
  open,          ///< Someone must respond.
  acknowledged,  ///< Someone said they are on it.
  mitigated,     ///< Every alert recovered; recover_hold not over.
  resolved,      ///< Service is restored; root cause and fix are still owed.
  closed,        ///< Root cause and fix recorded, or waived.
  archived,      ///< Closed, and the notice period is over: the channel is archived.
  cancelled,     ///< Cleared before group_wait was over; nobody was told.
};
std::string_view to_string(IncidentState state);
std::optional<IncidentState> parse_incident_state(std::string_view text);
/// open, acknowledged, mitigated, pending: still somebody's business right now.
bool is_live(IncidentState state);
/// Not closed, archived or cancelled: at most one of these per group key.
bool is_unclosed(IncidentState state);

/// One alert's part in an incident.
struct Member {
  std::string check;
  std::string type;  ///< The check's type: a new kind joining is "materially worse".
  Severity severity{Severity::critical};
  bool firing{true};  ///< False once its alert recovered.
  std::string why{};
  WallTime since{};
  std::string host{};
  Evidence evidence{};
  bool flapping{false};  ///< Its changes are kept in the timeline, but nobody is told of each.
  friend bool operator==(const Member&, const Member&) = default;
};

/// Where people talk. `receiver` is "slack", or "local" when the local room is the issue channel.
struct Channel {
  std::string receiver{};
  std::string name{};  ///< Without '#': "issue-nginx-2211".
  std::string id{};  ///< The receiver's id (Slack "C…"; the incident's own id for the local room).
  std::string url{};  ///< Permanent link, when the receiver has one.
  std::string
      thread{};  ///< Set when channels may not be created: the thread in the fallback channel.
  std::string summary_message{};  ///< The pinned summary's message id, once posted.
  bool ready{false};              ///< The receiver said that it exists.
  friend bool operator==(const Channel&, const Channel&) = default;
};

enum class PageState {
  none,          ///< Nobody was asked to be paged (no PagerDuty configured).
  queued,        ///< Committed, not yet accepted.
  triggered,     ///< PagerDuty accepted the trigger.
  acknowledged,  ///< PagerDuty accepted our acknowledgement.
  resolved,      ///< PagerDuty accepted our resolve.
  suppressed,    ///< Cleared before the trigger was ever attempted: both were dropped.
  rejected,      ///< PagerDuty refused the trigger for good; see the outbox.
};
std::string_view to_string(PageState state);
std::optional<PageState> parse_page_state(std::string_view text);

/// One page: a dedup key at one PagerDuty service.
struct Page {
  std::string service{};  ///< Name in pagerduty.services.
  std::string key{};      ///< The dedup key, kept as it was sent.
  PageState state{PageState::none};
  bool has_channel{false};  ///< What PagerDuty accepted speaks of a channel that is there.
  /// SHA-256 of the routing key that PagerDuty accepted it under; empty before. What follows must
  /// go out under the same one: PagerDuty drops it otherwise.
  std::string routing_key_digest{};
  friend bool operator==(const Page&, const Page&) = default;
};

/// One step of the escalation matrix, copied into the incident at opening.
struct EscalationStep {
  Duration after{};    ///< Since opening (of this generation).
  std::string page{};  ///< PagerDuty service to page; empty: nobody.
  std::vector<std::string> invite{};
  friend bool operator==(const EscalationStep&, const EscalationStep&) = default;
};

struct Owners {
  std::string sre{};
  std::string developer{};
  friend bool operator==(const Owners&, const Owners&) = default;
};

/// What people respond to. Pure data: policy advances it, the store keeps it.
struct Incident {
  IncidentId id{};
  std::string key{};  ///< environment/host-or-fleet/topic.
  std::string environment{};
  std::string host{};  ///< "fleet" when the scope is fleet.
  std::string topic{};
  IncidentState state{IncidentState::pending};
  IncidentState before_mitigated{IncidentState::open};  ///< Where a refire returns to.
  Severity severity{
      Severity::critical};  ///< The worst of the firing members; kept when all recovered.
  Severity severity_paged{Severity::ok};  ///< The worst that was paged for in this generation.
  std::string title{};                    ///< One line: what is wrong, where.
  int generation{1};                      ///< Rises with each reopening; part of the dedup key.
  int pages_again{0};    ///< How often it was paged again as materially worse, in this generation.
  int members_paged{0};  ///< How many members fired when it was last paged for.
  bool drill{false};
  std::vector<Member> members{};
  Owners owners{};
  std::string runbook{};
  std::string dashboard{};
  Summary summary{};
  Channel channel{};
  std::vector<Page>
      pages{};  ///< The first is the incident's own; others come from escalation and re-pages.
  std::vector<EscalationStep> escalation{};
  std::size_t escalation_next{0};  ///< Index of the step that is due next.
  std::string previous_id{};       ///< The incident of the same key before this one.
  std::string previous_channel{};
  int recent_count{1};  ///< How many times this key opened in the last 7 days, this one included.

  WallTime opened_at{};
  std::optional<WallTime> acknowledged_at{};
  std::string acknowledged_by{};
  std::optional<WallTime> mitigated_at{};
  std::optional<WallTime> resolved_at{};
  std::string resolved_why{};
  std::optional<WallTime> closed_at{};
  std::string root_cause{};
  std::string fix{};
  std::string waived_why{};
  std::string closed_by{};
  std::optional<WallTime> archived_at{};

  // Timers: what is due next, by steady time. The store moves them across a reboot.
  std::optional<SteadyTime> pending_until{};
  std::optional<SteadyTime>
      escalate_from{};  ///< Opening of this generation; escalation steps count from here.
  std::optional<SteadyTime> remind_at{};
  std::optional<SteadyTime> ack_expires_at{};
  std::optional<SteadyTime> resolve_at{};  ///< End of recover_hold.
  std::optional<SteadyTime> reopen_until{};
  std::optional<SteadyTime> archive_at{};
  std::optional<SteadyTime> page_again_not_before{};
  friend bool operator==(const Incident&, const Incident&) = default;
};

/// What kind of line the timeline holds.
enum class TimelineKind {
  opened,
  joined,
  severity,
  recovered,
  refired,
  acknowledged,
  acknowledgement_expired,
  mitigated,
  resolved,
  reopened,
  closed,
  archived,
  cancelled,
  field_set,  ///< A summary field was set.
  message,    ///< Somebody said something (the text is theirs).
  reminder,
  escalated,
  paged,     ///< A page was accepted, or is known not to go out.
  channel,   ///< The issue channel came to be, or could not.
  delivery,  ///< Something about a delivery that people should know (rejected, halted, ambiguous,
             ///< suppressed).
  flapping,
  note,  ///< Anything else tocsin has to say.
};
std::string_view to_string(TimelineKind kind);
std::optional<TimelineKind> parse_timeline_kind(std::string_view text);

/// One line of an incident's account. Append-only; the store numbers lines and never reorders them.
struct TimelineLine {
  IncidentId incident{};
  WallTime at{};
  TimelineKind kind{TimelineKind::note};
  std::string by{};  ///< A person, or empty for tocsin itself.
  std::string text{};
  std::uint64_t sequence{0};  ///< Given by the store.
  friend bool operator==(const TimelineLine&, const TimelineLine&) = default;
};

}  // namespace tocsin
