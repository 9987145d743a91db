#include "agent/notify/pagerduty_notifier.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include "agent/notify/pagerduty_event.hpp"
#include "agent/notify/wire.hpp"
#include "tocsin/base/overloaded.hpp"
#include "tocsin/net/digest.hpp"

namespace tocsin::notify {
namespace json = boost::json;
namespace {

constexpr std::size_t said_characters = 300;
/// A page is not put off for longer than our own longest backoff, whatever something on the way
/// asks for.
constexpr Duration pause_most = limits::backoff_most;

/// What a body says is wrong: its message, and the first of its errors.
std::string complaint_in(const std::string& body) {
  boost::system::error_code problem;
  const auto parsed = json::parse(body, problem);
  const auto* object = problem ? nullptr : parsed.if_object();
  if (!object) return {};
  std::string said;
  if (const auto* message = object->if_contains("message"); message && message->is_string()) {
    said = std::string{message->as_string()};
  }
  const auto* errors = object->if_contains("errors");
  const auto* list = errors ? errors->if_array() : nullptr;
  for (std::size_t i = 0; list && i < list->size(); ++i) {
    if ((*list)[i].is_string())
      said += (said.empty() ? "" : ", ") + std::string{(*list)[i].as_string()};
  }
  return said;
}

/// PagerDuty says 400 for an integration key it does not know, too: "Length of 'routing_key' is
/// incorrect", "Invalid routing key".
bool is_about_routing_key(std::string_view said) {
  return said.find("routing_key") != std::string_view::npos ||
         said.find("outing key") != std::string_view::npos;
}

/// What an event about a page needs to know, whichever event it is.
struct Addressee {
  std::string service, routing_key_digest;
};

std::optional<Addressee> addressee_of(const DraftBody& body) {
  return std::visit(
      [](const auto& draft) -> std::optional<Addressee> {
        if constexpr (requires { draft.routing_key_digest; })
          return Addressee{draft.service, draft.routing_key_digest};
        else
          return std::nullopt;
      },
      body);
}

asio::awaitable<Delivery> not_for_pagerduty() {
  co_return Rejected{
      {Errc::unsupported, "a channel's step was addressed to PagerDuty; it belongs to Slack"}};
}

}  // namespace

Url pagerduty_us_events_url() { return {"https", "events.pagerduty.com", 443, "/v2/enqueue"}; }
Url pagerduty_eu_events_url() { return {"https", "events.eu.pagerduty.com", 443, "/v2/enqueue"}; }

PagerDutyClass classify_pagerduty_status(int status) {
  if (status == 202) return PagerDutyClass::accepted;
  // Success that is not PagerDuty's, and redirects, come from something in between: the event did
  // not arrive.
  if (status < 400 || status >= 500) return PagerDutyClass::retry;
  switch (status) {
    case 408:
    case 421:
    case 423:
    case 425:
    case 429:
      return PagerDutyClass::retry;
    case 401:
    case 402:
    case 403:
    case 404:
    case 405:
    case 407:
    case 410:
      return PagerDutyClass::ours;
    default:
      return PagerDutyClass::refused;
  }
}

PagerDutyNotifier::PagerDutyNotifier(Network& network, Clock& clock, PagerDutyOptions options)
    : network_{network}, clock_{clock}, options_{std::move(options)} {
  for (auto& [service, key] : options_.routing_keys) {
    key = trimmed(key);
    secrets_.push_back(key);
  }
  for (auto& key : options_.retired_keys) {
    key = trimmed(key);
    secrets_.push_back(key);
  }
}

Result<const Secret*> PagerDutyNotifier::key_for(const std::string& service,
                                                 const std::string& digest) const {
  const auto found = options_.routing_keys.find(service);
  if (found == options_.routing_keys.end())
    return Error{Errc::missing,
                 fmt::format("the PagerDuty service \"{}\" is no longer configured: add it to "
                             "pagerduty.services and retry, or drop the entry",
                             service)};
  if (digest.empty() || sha256_hex(found->second.reveal()) == digest) return &found->second;
  for (const auto& key : options_.retired_keys)
    if (sha256_hex(key.reveal()) == digest) return &key;
  return Error{Errc::missing,
               fmt::format("the page was sent with another routing key than "
                           "pagerduty.services.{}.routing_key is now, and PagerDuty ignores what "
                           "follows under a new one",
                           service)};
}

asio::awaitable<PagerDutyNotifier::Answer> PagerDutyNotifier::send(std::string service,
                                                                   std::string event,
                                                                   SteadyTime deadline) {
  HttpRequest request;
  request.method = "POST";
  request.url = options_.events_url;
  request.headers = {{"Content-Type", "application/json"}, {"User-Agent", "tocsin"}};
  request.body = std::move(event);
  request.deadline = deadline;
  request.reuse = Reuse::keep_alive;
  request.through_proxy = true;
  request.last_good_address = true;
  auto pending = network_.http(std::move(request));
  const auto outcome = co_await std::move(pending);
  auto answer = read(service, outcome);
  if (answer.no_sooner) paused_[service] = clock_.steady() + *answer.no_sooner;
  co_return answer;
}

PagerDutyNotifier::Answer PagerDutyNotifier::read(const std::string& service,
                                                  const HttpOutcome& outcome) const {
  if (outcome.response) return read_response(service, *outcome.response);
  Answer answer;
  if (!outcome.failure) {
    answer.why = {Errc::internal, fmt::format("PagerDuty ({}): no outcome", service)};
    return answer;
  }
  const auto said = quoted(outcome.failure->error.detail, secrets_, said_characters);
  answer.why = {outcome.failure->error.code, fmt::format("PagerDuty ({}): {}", service, said)};
  switch (classify(*outcome.failure)) {
    case FailureClass::not_carried_out:
      break;
    case FailureClass::perhaps:
      answer.ambiguous = true;
      break;
    case FailureClass::ours:
      answer.kind = PagerDutyClass::ours;
      answer.why.detail += "; check TLS, the proxy and pagerduty.events_url";
      break;
  }
  return answer;
}

PagerDutyNotifier::Answer PagerDutyNotifier::read_response(const std::string& service,
                                                           const HttpResponse& response) const {
  Answer answer;
  answer.kind = classify_pagerduty_status(response.status);
  if (answer.kind == PagerDutyClass::accepted) return answer;
  const auto said = quoted(complaint_in(response.body), secrets_, said_characters);
  auto sentence = fmt::format("PagerDuty ({}): answered HTTP {}{}{}", service, response.status,
                              said.empty() ? "" : ": ", said);
  if (response.status == 400 && is_about_routing_key(said)) answer.kind = PagerDutyClass::ours;
  if (answer.kind == PagerDutyClass::ours) {
    sentence +=
        fmt::format("; check pagerduty.services.{}.routing_key, the region and the proxy", service);
  }
  if (response.status == 429 || response.status == 503) {
    answer.no_sooner = retry_after(response);
    if (answer.no_sooner) answer.no_sooner = std::min(*answer.no_sooner, pause_most);
  }
  // A success in words that are not PagerDuty's may be its own, mangled on the way.
  answer.ambiguous = response.status >= 500 || response.status < 300;
  answer.why = {Errc::refused, std::move(sentence)};
  return answer;
}

asio::awaitable<Delivery> PagerDutyNotifier::trigger(DraftTrigger page, Secret key,
                                                     SteadyTime deadline) {
  auto first = send(page.service, fitted_trigger_event(page, key, limits::pagerduty_payload_bytes),
                    deadline);
  auto answer = co_await std::move(first);
  Delivered delivered{.routing_key_digest = sha256_hex(key.reveal())};
  if (answer.kind == PagerDutyClass::refused) {
    // Something in it was not liked. A bare page wakes people just as well.
    const auto reason = answer.why.detail;
    auto second = send(page.service, trigger_event(page, key, PageSize::minimal), deadline);
    answer = co_await std::move(second);
    delivered.notes.push_back("the full page was refused, a minimal one was taken; " + reason);
  }
  switch (answer.kind) {
    case PagerDutyClass::accepted:
      co_return delivered;
    case PagerDutyClass::retry:
      co_return Retry{answer.why, answer.no_sooner, answer.ambiguous, true};
    case PagerDutyClass::refused:
      co_return Rejected{answer.why};
    case PagerDutyClass::ours:
      co_return Halt{answer.why};
  }
  check_that(false, "an answer without a class");
  co_return Rejected{answer.why};
}

asio::awaitable<Delivery> PagerDutyNotifier::follow_up(std::string service, std::string event,
                                                       SteadyTime deadline) {
  auto sending = send(std::move(service), std::move(event), deadline);
  const auto answer = co_await std::move(sending);
  switch (answer.kind) {
    case PagerDutyClass::accepted:
      co_return Delivered{};
    case PagerDutyClass::retry:
      co_return Retry{answer.why, answer.no_sooner, answer.ambiguous, true};
    case PagerDutyClass::refused:
      co_return Rejected{answer.why};
    case PagerDutyClass::ours:
      co_return Halt{answer.why};
  }
  check_that(false, "an answer without a class");
  co_return Rejected{answer.why};
}

asio::awaitable<Delivery> PagerDutyNotifier::deliver(Draft draft, SteadyTime deadline) {
  const auto addressee = addressee_of(draft.body);
  if (!addressee) co_return co_await not_for_pagerduty();
  const auto& service = addressee->service;
  const auto key = key_for(service, addressee->routing_key_digest);
  if (!key) co_return Rejected{key.error()};
  const auto now = clock_.steady();
  const auto paused = paused_.find(service);
  if (paused != paused_.end() && paused->second > now) {
    co_return Retry{
        {Errc::refused, fmt::format("PagerDuty ({}): not sent, it asked for a pause", service)},
        paused->second - now,
        false,
        false};
  }
  const auto& routing_key = **key;
  auto carrying = std::visit(
      overloaded{
          [&](const DraftTrigger& page) { return trigger(page, routing_key, deadline); },
          [&](const DraftAcknowledge& page) {
            return follow_up(service, follow_up_event("acknowledge", page.key, routing_key),
                             deadline);
          },
          [&](const DraftResolve& page) {
            return follow_up(service, follow_up_event("resolve", page.key, routing_key), deadline);
          },
          [](const DraftCreateChannel&) { return not_for_pagerduty(); },
          [](const DraftSetPurpose&) { return not_for_pagerduty(); },
          [](const DraftSetTopic&) { return not_for_pagerduty(); },
          [](const DraftPutSummary&) { return not_for_pagerduty(); },
          [](const DraftPin&) { return not_for_pagerduty(); },
          [](const DraftBookmark&) { return not_for_pagerduty(); },
          [](const DraftInvite&) { return not_for_pagerduty(); },
          [](const DraftPost&) { return not_for_pagerduty(); },
          [](const DraftArchive&) { return not_for_pagerduty(); },
      },
      draft.body);
  co_return co_await std::move(carrying);
}

Task<std::string> PagerDutyNotifier::test(SteadyTime deadline) {
  if (options_.routing_keys.empty())
    co_return Error{Errc::missing, "no PagerDuty service is configured"};
  std::string services;
  for (const auto& [service, key] : options_.routing_keys) {
    auto sending = send(service, follow_up_event("resolve", "tocsin/notify-test", key), deadline);
    const auto answer = co_await std::move(sending);
    if (answer.kind != PagerDutyClass::accepted) co_return answer.why;
    services += (services.empty() ? "" : ", ") + service;
  }
  co_return fmt::format("PagerDuty at {} takes events for: {} (nothing was opened)",
                        options_.events_url.host, services);
}

}  // namespace tocsin::notify
