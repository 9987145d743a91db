#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "tocsin/base/error.hpp"
#include "tocsin/base/time.hpp"
#include "tocsin/model/alert.hpp"
#include "tocsin/model/commit.hpp"
#include "tocsin/model/effect.hpp"
#include "tocsin/model/incident.hpp"
#include "tocsin/model/summary.hpp"

namespace tocsin::json {

// For the store: compact text that reads back to an equal value. Empty members are left
// out, unknown keys are passed over, and missing ones get their default: so a newer
// program reads what an older one wrote. Steady times and durations are nanoseconds, wall times
// microseconds. What is not of this form is Errc::malformed, with the path of the first fault.

std::string encode(const Alert& alert);
std::string encode(const Incident& incident);
std::string encode(const TimelineLine& line);
std::string encode(const OutboxEntry& entry);
std::string encode(const CheckMemory& memory);
std::string encode(const Effect& effect);
std::string encode(const Summary& summary);

Result<Alert> decode_alert(std::string_view text);
Result<Incident> decode_incident(std::string_view text);
Result<TimelineLine> decode_timeline_line(std::string_view text);
Result<OutboxEntry> decode_entry(std::string_view text);
Result<CheckMemory> decode_memory(std::string_view text);
Result<Effect> decode_effect(std::string_view text);
Result<Summary> decode_summary(std::string_view text);

// For people's programs: the objects of the API and of --json. Wall times are RFC 3339, what is not
// there is null, summary fields that nobody filled say "UNKNOWN". Keys are only ever added.

/// {id, state, severity, topic, title, host, opened_at, channel {name, id, url, receiver, ready},
/// page {service, key, state}, alerts [{check, type, severity, firing, why, since, host}],
/// summary {FIELD: text}, …}: one element of `incident list --json`.
boost::json::object incident_object(const Incident& incident);
/// The same plus evidence, all pages, escalation, post-mortem and, in order, the timeline:
/// `incident show ID --json`.
boost::json::object incident_detail_object(const Incident& incident,
                                           std::span<const TimelineLine> timeline);
/// {sequence, at, kind, by, text, incident}.
boost::json::object timeline_object(const TimelineLine& line);
/// {id, incident, receiver, effect, state, attempts, ambiguous, created, first_attempt, retry_in,
/// last_error, …the effect's own members}. `retry_in` is in seconds, null when its turn has come.
boost::json::object outbox_object(const OutboxEntry& entry, SteadyTime now);
/// {check, phase, severity, why, since, flapping}.
boost::json::object alert_object(const Alert& alert);
/// {FIELD: text}, "UNKNOWN" where it is not known.
boost::json::object summary_object(const Summary& summary);

}  // namespace tocsin::json
