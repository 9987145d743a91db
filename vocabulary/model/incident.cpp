#include "tocsin/model/incident.hpp"

#include "vocabulary/model/words.hpp"

namespace tocsin {
namespace {

constexpr Words<IncidentState, 8> states{{{
    {IncidentState::pending, "pending"},
    {IncidentState::open, "open"},
    {IncidentState::acknowledged, "acknowledged"},
    {IncidentState::mitigated, "mitigated"},
    {IncidentState::resolved, "resolved"},
    {IncidentState::closed, "closed"},
    {IncidentState::archived, "archived"},
    {IncidentState::cancelled, "cancelled"},
}}};

constexpr Words<PageState, 7> pages{{{
    {PageState::none, "none"},
    {PageState::queued, "queued"},
    {PageState::triggered, "triggered"},
    {PageState::acknowledged, "acknowledged"},
    {PageState::resolved, "resolved"},
    {PageState::suppressed, "suppressed"},
    {PageState::rejected, "rejected"},
}}};

constexpr Words<TimelineKind, 22> kinds{{{
    {TimelineKind::opened, "opened"},
    {TimelineKind::joined, "joined"},
    {TimelineKind::severity, "severity"},
    {TimelineKind::recovered, "recovered"},
    {TimelineKind::refired, "refired"},
    {TimelineKind::acknowledged, "acknowledged"},
    {TimelineKind::acknowledgement_expired, "acknowledgement_expired"},
    {TimelineKind::mitigated, "mitigated"},
    {TimelineKind::resolved, "resolved"},
    {TimelineKind::reopened, "reopened"},
    {TimelineKind::closed, "closed"},
    {TimelineKind::archived, "archived"},
    {TimelineKind::cancelled, "cancelled"},
    {TimelineKind::field_set, "field_set"},
    {TimelineKind::message, "message"},
    {TimelineKind::reminder, "reminder"},
    {TimelineKind::escalated, "escalated"},
    {TimelineKind::paged, "paged"},
    {TimelineKind::channel, "channel"},
    {TimelineKind::delivery, "delivery"},
    {TimelineKind::flapping, "flapping"},
    {TimelineKind::note, "note"},
}}};

}  // namespace

std::string_view to_string(IncidentState state) { return states.name(state); }
std::optional<IncidentState> parse_incident_state(std::string_view text) {
  return states.value(text);
}
std::string_view to_string(PageState state) { return pages.name(state); }
std::optional<PageState> parse_page_state(std::string_view text) { return pages.value(text); }
std::string_view to_string(TimelineKind kind) { return kinds.name(kind); }
std::optional<TimelineKind> parse_timeline_kind(std::string_view text) { return kinds.value(text); }

bool is_live(IncidentState state) {
  switch (state) {
    case IncidentState::pending:
    case IncidentState::open:
    case IncidentState::acknowledged:
    case IncidentState::mitigated:
      return true;
    case IncidentState::resolved:
    case IncidentState::closed:
    case IncidentState::archived:
    case IncidentState::cancelled:
      return false;
  }
  return false;
}

bool is_unclosed(IncidentState state) { return is_live(state) || state == IncidentState::resolved; }

}  // namespace tocsin
