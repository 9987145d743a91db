#include "tests/fakes/program/control.hpp"

#include <boost/json.hpp>

namespace tocsin::fakes {
namespace {

namespace json = boost::json;

HttpReply answer(int status, json::object body) {
  return {status, {{"content-type", "application/json"}}, json::serialize(body) + "\n"};
}

HttpReply mistake(const std::string& sentence) { return answer(400, {{"error", sentence}}); }
HttpReply done() { return answer(200, {{"ok", true}}); }

template <class T>
T member(const json::object& object, std::string_view key, T otherwise) {
  const auto* value = object.if_contains(key);
  return value == nullptr ? otherwise : json::value_to<T>(*value);
}

Duration seconds(double count) {
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(count));
}

Result<Fault> fault_of(const json::object& object) {
  const auto kind = fault_kind(member<std::string>(object, "kind", ""));
  if (!kind) return kind.error();
  Fault fault{};
  fault.kind = *kind;
  fault.operation = member<std::string>(object, "operation", "*");
  fault.status = member<int>(object, "status", fault.status);
  fault.error = member<std::string>(object, "error", "");
  if (object.contains("retry_after"))
    fault.retry_after = seconds(member<double>(object, "retry_after", 0));
  if (object.contains("delay")) fault.delay = seconds(member<double>(object, "delay", 0));
  fault.bytes = member<std::size_t>(object, "bytes", fault.bytes);
  fault.times = member<std::uint64_t>(object, "times", fault.times);
  fault.chance = member<double>(object, "chance", fault.chance);
  return fault;
}

HttpReply add_fault(Vendors& vendors, const json::object& object) {
  const auto whom = member<std::string>(object, "receiver", "");
  if (!whom.empty() && whom != "slack" && whom != "pagerduty")
    return mistake("receiver is slack or pagerduty");
  const bool down = member<std::string>(object, "kind", "") == "down";
  Fault fault{};
  if (!down) {
    auto read = fault_of(object);
    if (!read) return mistake(read.error().detail);
    fault = *read;
  }
  const auto apply = [&](Receiver& receiver) {
    if (down) {
      receiver.faults().set_down(true);
    } else {
      receiver.faults().add(fault);
    }
  };
  if (whom != "pagerduty") apply(*vendors.slack);
  if (whom != "slack") apply(*vendors.pagerduty);
  return done();
}

HttpReply set_options(Vendors& vendors, const json::object& object) {
  if (const auto* slack = object.if_contains("slack")) {
    FakeSlack::Options options{};
    const auto& from = slack->as_object();
    options.rate_limits = member<bool>(from, "rate_limits", options.rate_limits);
    options.may_create = member<bool>(from, "may_create", options.may_create);
    options.page_most = member<std::size_t>(from, "page_most", options.page_most);
    vendors.slack->set_options(options);
  }
  if (const auto* pagerduty = object.if_contains("pagerduty")) {
    FakePagerDuty::Options options{};
    options.events_per_minute = member<std::size_t>(pagerduty->as_object(), "events_per_minute", 0);
    vendors.pagerduty->set_options(options);
  }
  return done();
}

HttpReply say(Vendors& vendors, const json::object& object) {
  const auto ts = vendors.slack->say(member<std::string>(object, "channel", ""),
                                     member<std::string>(object, "user", "U0JANE"),
                                     member<std::string>(object, "text", ""));
  return ts.empty() ? mistake("there is no such channel") : answer(200, {{"ok", true}, {"ts", ts}});
}

constexpr std::string_view index =
    "Fakes of Slack and PagerDuty.\n\n"
    "GET  /control/state    channels, messages, alerts and events so far\n"
    "POST /control/fault    make calls fail: {\"receiver\": \"slack\", \"kind\": \"cut_after\", "
    "\"times\": 1}\n"
    "POST /control/clear    end all faults\n"
    "POST /control/reset    forget everything\n"
    "POST /control/options  rate limits, page sizes, who may create channels\n"
    "POST /control/say      a person writes into a channel\n";

}  // namespace

void Vendors::reset() {
  slack = std::make_unique<FakeSlack>(now);
  pagerduty = std::make_unique<FakePagerDuty>(now);
}

HttpReply Control::handle(const HttpCall& call) {
  const auto path = call.path();
  if (call.method == "GET" && path == "/control/state") {
    return {200, {{"content-type", "application/json"}}, state_of(vendors_)};
  }
  if (call.method == "GET") return {200, {{"content-type", "text/plain"}}, std::string{index}};
  auto reply = post(path, call.body);
  changed_();
  return reply;
}

HttpReply Control::post(std::string_view path, const std::string& body) try {
  const auto parsed = json::parse(body.empty() ? "{}" : body);
  const auto& object = parsed.as_object();
  if (path == "/control/fault") return add_fault(vendors_, object);
  if (path == "/control/options") return set_options(vendors_, object);
  if (path == "/control/say") return say(vendors_, object);
  if (path == "/control/clear") {
    vendors_.slack->faults().clear();
    vendors_.pagerduty->faults().clear();
    return done();
  }
  if (path == "/control/reset") {
    vendors_.reset();
    return done();
  }
  return answer(404, {{"error", "there is no such control; GET /control lists them"}});
} catch (const std::exception& problem) {
  return mistake(std::string{"not what this control takes: "} + problem.what());
}

}  // namespace tocsin::fakes
