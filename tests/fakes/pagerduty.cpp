#include "tests/fakes/pagerduty.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <boost/json.hpp>

#include "tocsin/base/limits.hpp"

namespace tocsin::fakes {
namespace {

namespace json = boost::json;
using Became = PagerDutyEvent::Became;
using State = PagerDutyAlert::State;

constexpr std::size_t routing_key_characters = 32;

HttpReply reply(int status, const json::object& body) {
  return {status, {{"content-type", "application/json; charset=utf-8"}}, json::serialize(body)};
}

HttpReply invalid(std::string_view status, std::string_view message,
                  const std::vector<std::string>& errors) {
  return reply(400,
               {{"status", status}, {"message", message}, {"errors", json::value_from(errors)}});
}

HttpReply invalid_event(const std::vector<std::string>& errors) {
  return invalid("invalid event", "Event object is invalid", errors);
}

std::string text_of(const json::object& from, std::string_view key) {
  const auto* value = from.if_contains(key);
  return value != nullptr && value->is_string() ? std::string{std::string_view{value->get_string()}}
                                                : "";
}

std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
  }));
}

template <std::size_t N>
bool one_of(std::string_view text, const std::array<std::string_view, N>& known) {
  return std::find(known.begin(), known.end(), text) != known.end();
}

void require(const json::object& from, std::string_view key, std::vector<std::string>& errors) {
  if (text_of(from, key).empty())
    errors.push_back("'" + std::string{key} + "' is missing or blank");
}

// A trigger must say what is wrong, where, and how bad it is.
void check_payload(const json::object& event, std::vector<std::string>& errors) {
  constexpr std::array<std::string_view, 4> severities{"critical", "error", "warning", "info"};
  const auto* payload = event.if_contains("payload");
  if (payload == nullptr || !payload->is_object()) {
    errors.emplace_back("'payload' is missing or blank");
    return;
  }
  const auto& object = payload->get_object();
  require(object, "summary", errors);
  require(object, "source", errors);
  if (characters(text_of(object, "summary")) > limits::pagerduty_summary_characters) {
    errors.emplace_back("'payload.summary' is longer than 1024 characters");
  }
  if (!one_of(text_of(object, "severity"), severities)) {
    errors.emplace_back(
        "'payload.severity' is invalid (must be one of critical, error, warning, info)");
  }
  const auto* details = object.if_contains("custom_details");
  if (details != nullptr && !details->is_object() && !details->is_null()) {
    errors.emplace_back("'payload.custom_details' is not an object");
  }
}

void check_links(const json::object& event, std::vector<std::string>& errors) {
  const auto* links = event.if_contains("links");
  if (links == nullptr) return;
  if (!links->is_array()) {
    errors.emplace_back("'links' is not an array");
    return;
  }
  for (const auto& link : links->get_array()) {
    if (!link.is_object() || text_of(link.get_object(), "href").empty()) {
      errors.emplace_back("'links' holds an entry without 'href'");
    }
  }
}

std::vector<std::string> faults_of(const json::object& event,
                                   const FakePagerDuty::Options& options) {
  constexpr std::array<std::string_view, 3> actions{"trigger", "acknowledge", "resolve"};
  std::vector<std::string> errors;
  const auto routing_key = text_of(event, "routing_key");
  const auto action = text_of(event, "event_action");
  const auto dedup_key = text_of(event, "dedup_key");
  require(event, "routing_key", errors);
  if (!routing_key.empty() && routing_key.size() != routing_key_characters) {
    errors.emplace_back("length of 'routing_key' is incorrect (should be 32 characters)");
  } else if (!options.routing_keys.empty() && !options.routing_keys.contains(routing_key)) {
    errors.emplace_back("'routing_key' is not a known integration key");
  }
  if (!one_of(action, actions)) {
    errors.emplace_back("'event_action' is invalid (must be one of trigger, acknowledge, resolve)");
  }
  if (characters(dedup_key) > limits::pagerduty_dedup_key_characters) {
    errors.emplace_back("'dedup_key' is longer than 255 characters");
  }
  if (action == "trigger") {
    check_payload(event, errors);
    check_links(event, errors);
  } else {
    require(event, "dedup_key", errors);
  }
  return errors;
}

}  // namespace

std::string_view to_string(Became became) {
  switch (became) {
    case Became::opened:
      return "opened";
    case Became::appended:
      return "appended";
    case Became::acknowledged:
      return "acknowledged";
    case Became::resolved:
      return "resolved";
    case Became::dropped:
      return "dropped";
  }
  return "";
}

std::string_view to_string(State state) {
  switch (state) {
    case State::triggered:
      return "triggered";
    case State::acknowledged:
      return "acknowledged";
    case State::resolved:
      return "resolved";
  }
  return "";
}

FakePagerDuty::FakePagerDuty(TimeSource now, Options options)
    : now_{std::move(now)}, options_{std::move(options)} {}

std::string FakePagerDuty::operation(const HttpCall& call) const {
  const auto path = call.path();
  return std::string{path.empty() ? path : path.substr(1)};
}

HttpReply FakePagerDuty::failing(const Fault& fault) const {
  const bool logical = !fault.error.empty();
  const int status = fault.kind == Fault::Kind::error ? 400 : fault.status;
  json::object body{{"status", logical ? fault.error : "error"},
                    {"message", "the service is in trouble"}};
  if (logical) body["errors"] = json::array{json::string{fault.error}};
  auto answer = reply(status, body);
  if (fault.retry_after) answer.headers.push_back(retry_after_header(*fault.retry_after));
  return answer;
}

HttpReply FakePagerDuty::handle(const HttpCall& call) {
  const auto where = operation(call);
  if (where != "v2/enqueue" && where != "v2/change/enqueue")
    return reply(404, {{"status", "not found"}});
  if (call.method != "POST") return reply(405, {{"status", "method not allowed"}});
  if (call.body.size() > limits::pagerduty_payload_bytes) {
    return reply(413, {{"status", "payload too large"}, {"message", "an event is at most 512 KB"}});
  }
  boost::system::error_code problem;
  const auto parsed = json::parse(call.body, problem);
  if (problem || !parsed.is_object()) {
    return invalid("Unrecognized object", "Event object format is unrecognized",
                   {"JSON parse error"});
  }
  const auto& event = parsed.get_object();
  if (where == "v2/change/enqueue") {
    return reply(202, {{"status", "success"}, {"message", "Change event processed"}});
  }
  const auto errors = faults_of(event, options_);
  if (!errors.empty()) return invalid_event(errors);
  PagerDutyEvent taken{};
  taken.at = now_();
  taken.routing_key = text_of(event, "routing_key");
  if (throttled(taken.routing_key)) {
    return reply(429,
                 {{"status", "throttle exceeded"},
                  {"message", "Events for this key are arriving too quickly; try again later."}});
  }
  taken.number = ++taken_;
  taken.dedup_key = text_of(event, "dedup_key");
  if (taken.dedup_key.empty()) taken.dedup_key = "made-up-key-" + std::to_string(++keys_made_);
  taken.action = text_of(event, "event_action");
  if (const auto* payload = event.if_contains("payload");
      payload != nullptr && payload->is_object()) {
    taken.summary = text_of(payload->get_object(), "summary");
    taken.severity = text_of(payload->get_object(), "severity");
  }
  taken.body = call.body;
  taken.became = apply(taken);
  const auto key = taken.dedup_key;
  if (journal_.size() == journal_max) journal_.pop_front();
  journal_.push_back(std::move(taken));
  return reply(202, {{"status", "success"}, {"message", "Event processed"}, {"dedup_key", key}});
}

PagerDutyAlert* FakePagerDuty::find_open(std::string_view routing_key, std::string_view dedup_key) {
  const auto found = std::find_if(alerts_.begin(), alerts_.end(), [&](const PagerDutyAlert& alert) {
    return alert.state != State::resolved && alert.dedup_key == dedup_key &&
           (routing_key.empty() || alert.routing_key == routing_key);
  });
  return found == alerts_.end() ? nullptr : &*found;
}

Became FakePagerDuty::apply(const PagerDutyEvent& event) {
  auto* open = find_open(event.routing_key, event.dedup_key);
  if (event.action == "trigger") {
    if (open != nullptr) {
      ++open->triggers;
      return Became::appended;
    }
    alerts_.push_back({.routing_key = event.routing_key,
                       .dedup_key = event.dedup_key,
                       .summary = event.summary,
                       .severity = event.severity,
                       .state = State::triggered,
                       .opened = event.at,
                       .triggers = 1});
    return Became::opened;
  }
  if (open == nullptr) return Became::dropped;
  const bool resolves = event.action == "resolve";
  open->state = resolves ? State::resolved : State::acknowledged;
  return resolves ? Became::resolved : Became::acknowledged;
}

bool FakePagerDuty::throttled(const std::string& routing_key) {
  if (options_.events_per_minute == 0) return false;
  auto& arrivals = arrivals_[routing_key];
  const auto now = now_().steady;
  while (!arrivals.empty() && now - arrivals.front() >= std::chrono::minutes{1})
    arrivals.pop_front();
  if (arrivals.size() >= options_.events_per_minute) return true;
  arrivals.push_back(now);
  return false;
}

std::size_t FakePagerDuty::open_alerts() const {
  return static_cast<std::size_t>(
      std::count_if(alerts_.begin(), alerts_.end(),
                    [](const PagerDutyAlert& alert) { return alert.state != State::resolved; }));
}

std::size_t FakePagerDuty::opened(std::string_view dedup_key) const {
  return static_cast<std::size_t>(
      std::count_if(alerts_.begin(), alerts_.end(),
                    [&](const PagerDutyAlert& alert) { return alert.dedup_key == dedup_key; }));
}

std::size_t FakePagerDuty::triggers(std::string_view dedup_key) const {
  std::size_t count = 0;
  for (const auto& alert : alerts_) {
    if (alert.dedup_key == dedup_key) count += alert.triggers;
  }
  return count;
}

const PagerDutyAlert* FakePagerDuty::open_alert(std::string_view dedup_key) const {
  return const_cast<FakePagerDuty*>(this)->find_open("", dedup_key);
}

bool FakePagerDuty::acknowledge_by_hand(std::string_view dedup_key) {
  auto* open = find_open("", dedup_key);
  if (open != nullptr) open->state = State::acknowledged;
  return open != nullptr;
}

bool FakePagerDuty::resolve_by_hand(std::string_view dedup_key) {
  auto* open = find_open("", dedup_key);
  if (open != nullptr) open->state = State::resolved;
  return open != nullptr;
}

}  // namespace tocsin::fakes
