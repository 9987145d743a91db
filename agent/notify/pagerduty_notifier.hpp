#pragma once

#include <map>
#include <string>

#include "tocsin/async/clock.hpp"
#include "tocsin/base/secret.hpp"
#include "tocsin/net/network.hpp"
#include "tocsin/net/url.hpp"
#include "tocsin/notify/notifier.hpp"

namespace tocsin::notify {

/// Where the Events API v2 takes events, by the region an account lives in (developer docs,
/// "Service regions").
Url pagerduty_us_events_url();
Url pagerduty_eu_events_url();

struct PagerDutyOptions {
  Url events_url{pagerduty_us_events_url()};
  std::map<std::string, Secret> routing_keys{};  ///< By the service's name in the configuration.
  /// What they were before, since the agent started: pages that were accepted under one are
  /// updated, acknowledged and resolved under it.
  std::vector<Secret> retired_keys{};
};

/// What an HTTP status of the Events API means.
enum class PagerDutyClass {
  accepted,  ///< 202, and nothing else.
  retry,     ///< Theirs, temporary.
  refused,   ///< The event, as it is, will never be taken.
  ours,      ///< Our key or address is wrong: every event will be refused.
};
PagerDutyClass classify_pagerduty_status(int status);

/// PagerDuty's Events API v2 as a receiver. Every event carries the incident's own dedup key, so
/// that sending one twice changes nothing: there is nothing to reconcile.
class PagerDutyNotifier final : public Notifier {
 public:
  PagerDutyNotifier(Network& network, Clock& clock, PagerDutyOptions options);
  asio::awaitable<Delivery> deliver(Draft draft, SteadyTime deadline) override;
  /// Sends every service the resolve of a key that was never triggered: PagerDuty takes it (202)
  /// and drops it.
  Task<std::string> test(SteadyTime deadline) override;

 private:
  /// One answer, judged.
  struct Answer {
    PagerDutyClass kind{PagerDutyClass::retry};
    Error why{};
    std::optional<Duration> no_sooner{};
    bool ambiguous{false};
  };
  /// The key that an event about this page must go out with; what is wrong if there is none.
  Result<const Secret*> key_for(const std::string& service, const std::string& digest) const;
  asio::awaitable<Answer> send(std::string service, std::string event, SteadyTime deadline);
  Answer read(const std::string& service, const HttpOutcome& outcome) const;
  Answer read_response(const std::string& service, const HttpResponse& response) const;
  asio::awaitable<Delivery> trigger(DraftTrigger page, Secret routing_key, SteadyTime deadline);
  asio::awaitable<Delivery> follow_up(std::string service, std::string event, SteadyTime deadline);

  Network& network_;
  Clock& clock_;
  PagerDutyOptions options_;
  std::vector<Secret> secrets_{};  ///< Every routing key: none may appear in a text.
  std::map<std::string, SteadyTime>
      paused_{};  ///< By service: PagerDuty's Retry-After. Only configured services.
};

}  // namespace tocsin::notify
