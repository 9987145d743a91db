#pragma once

#include <functional>
#include <memory>
#include <string>

#include "tests/fakes/pagerduty.hpp"
#include "tests/fakes/slack.hpp"

namespace tocsin::fakes {

/// Both vendors of the program, and what people do to them.
struct Vendors {
  explicit Vendors(TimeSource time) : now{std::move(time)} { reset(); }
  void reset();

  TimeSource now;
  std::unique_ptr<FakeSlack> slack{};
  std::unique_ptr<FakePagerDuty> pagerduty{};
};

/// The control endpoints:
///   GET  /control/state    everything, as JSON
///   POST /control/fault    {"receiver": "slack" | "pagerduty" (default: both), "kind": …,
///   "operation", "status", "error",
///                          "retry_after" (s), "delay" (s), "bytes", "times", "chance"}; kind also
///                          takes "down"
///   POST /control/clear    no faults any more, nobody is down
///   POST /control/reset    as freshly started
///   POST /control/options  {"slack": {"rate_limits", "may_create", "page_most"}, "pagerduty":
///   {"events_per_minute"}} POST /control/say      {"channel": NAME, "user": ID, "text"}: a person
///   writes in Slack
class Control {
 public:
  /// `changed` is called after anything that may have taken a receiver down or brought it back.
  Control(Vendors& vendors, std::function<void()> changed)
      : vendors_{vendors}, changed_{std::move(changed)} {}
  HttpReply handle(const HttpCall& call);

 private:
  HttpReply post(std::string_view path, const std::string& body);

  Vendors& vendors_;
  std::function<void()> changed_;
};

/// What GET /control/state answers.
std::string state_of(const Vendors& vendors);

}  // namespace tocsin::fakes
