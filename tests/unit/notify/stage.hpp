#pragma once

#include <exception>
#include <fstream>
#include <functional>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include "tests/fakes/manual_clock.hpp"
#include "tocsin/net/network.hpp"
#include "tocsin/notify/notifier.hpp"

// What the tests of this room share: a network that answers as a test says, one draft of each kind,
// and a way to run one attempt to its end on a manual clock.
namespace tocsin::notify::testing {

/// Answers every request by one function, at once, and remembers them all.
class ScriptedNetwork final : public Network {
 public:
  using Script = std::function<HttpOutcome(const HttpRequest&)>;
  explicit ScriptedNetwork(Script answers) : script{std::move(answers)} {}
  asio::awaitable<HttpOutcome> http(HttpRequest request) override {
    seen.push_back(request);
    co_return script(request);
  }
  asio::awaitable<ConnectOutcome> connect(ConnectRequest) override { co_return ConnectOutcome{}; }

  Script script;
  std::vector<HttpRequest> seen{};
};

inline HttpOutcome answered(int status, std::string body,
                            std::vector<std::pair<std::string, std::string>> headers = {}) {
  HttpResponse response;
  response.status = status;
  response.body = std::move(body);
  response.headers = std::move(headers);
  HttpOutcome outcome;
  outcome.response = std::move(response);
  return outcome;
}

inline HttpOutcome failed(NetPhase phase, Errc code, bool sent, std::string detail) {
  HttpFailure failure;
  failure.phase = phase;
  failure.error = {code, std::move(detail)};
  failure.sent = sent;
  HttpOutcome outcome;
  outcome.failure = std::move(failure);
  return outcome;
}

template <class T>
asio::awaitable<void> keep(asio::awaitable<T> work, std::optional<T>& into) {
  auto result = co_await std::move(work);
  into.emplace(std::move(result));
}

/// Runs work to its end, moving the clock from one sleeper's deadline to the next.
template <class T>
T run(asio::io_context& loop, fakes::ManualClock& clock, asio::awaitable<T> work) {
  std::optional<T> result;
  std::exception_ptr fault;
  bool ended = false;
  asio::co_spawn(loop, keep(std::move(work), result), [&](std::exception_ptr thrown) {
    ended = true;
    fault = thrown;
  });
  fakes::settle(loop);
  while (!ended && clock.next_deadline()) {
    clock.advance(std::max(*clock.next_deadline() - clock.steady(), Duration{0}));
    fakes::settle(loop);
  }
  if (fault) std::rethrow_exception(fault);
  return std::move(result).value();
}

inline Delivery attempt(asio::io_context& loop, fakes::ManualClock& clock, Notifier& notifier,
                        Draft draft) {
  return run(loop, clock,
             notifier.deliver(std::move(draft), clock.steady() + limits::delivery_timeout));
}

inline std::string class_of(const Delivery& delivery) {
  if (std::holds_alternative<Delivered>(delivery)) return "delivered";
  if (std::holds_alternative<Rejected>(delivery)) return "rejected";
  if (std::holds_alternative<Halt>(delivery)) return "halt";
  return std::get<Retry>(delivery).ambiguous ? "retry, perhaps done" : "retry";
}

/// Every text of an outcome, to search for what must not be there.
inline std::string texts_of(const Delivery& delivery) {
  if (const auto* retry = std::get_if<Retry>(&delivery)) return retry->why.detail;
  if (const auto* rejected = std::get_if<Rejected>(&delivery)) return rejected->why.detail;
  if (const auto* halt = std::get_if<Halt>(&delivery)) return halt->why.detail;
  const auto& delivered = std::get<Delivered>(delivery);
  auto all = delivered.channel_id + "\n" + delivered.channel_name + "\n" + delivered.channel_url +
             "\n" + delivered.thread + "\n" + delivered.message;
  for (const auto& note : delivered.notes) all += "\n" + note;
  return all;
}

inline DraftTrigger sample_page(std::string service = "sre") {
  DraftTrigger page;
  page.service = std::move(service);
  page.key = "tocsin/production/web-1/nginx/01jd3k7m-x7q2p/g1";
  page.summary = "CRITICAL: nginx on web-1: up 0 < 1";
  page.source = "web-1";
  page.severity = "critical";
  page.component = "nginx";
  page.group = "nginx";
  page.event_class = "process";
  page.at = WallTime{std::chrono::seconds{1'700'000'000}};
  page.details = {{"Environment", "production"}, {"Probable cause", "UNKNOWN"}};
  page.evidence = {"exit status 137", "killed by SIGKILL"};
  page.members = {"nginx: up 0 < 1"};
  page.links = {{"#issue-nginx-2211", "https://example.slack.com/archives/C0000001"},
                {"no link", ""}};
  return page;
}

inline DraftPutSummary sample_summary() {
  return {"CRITICAL · nginx on web-1",
          {{"Environment", "production"},
           {"Component responsible", "nginx"},
           {"Probable cause", "UNKNOWN"}},
          {"exit status 137"},
          "incident 01jd3k7m-x7q2p"};
}

inline DraftCreateChannel sample_channel() {
  return {"issue-nginx-2211", "tocsin:01jd3k7m-x7q2p",
          "Issue channel of nginx on web-1. tocsin:01jd3k7m-x7q2p"};
}

inline Draft draft_of(DraftBody body, Channel channel, WallTime now, std::uint64_t entry = 7) {
  Draft draft;
  draft.incident = IncidentId{"01jd3k7m-x7q2p"};
  draft.entry = EntryId{entry};
  draft.body = std::move(body);
  draft.channel = std::move(channel);
  draft.first_attempt = now;
  return draft;
}

inline Channel live_channel() {
  Channel channel;
  channel.receiver = "slack";
  channel.name = "issue-nginx-2211";
  channel.id = "C0000001";
  channel.summary_message = "1700000000.000100";
  channel.ready = true;
  return channel;
}

inline std::string fixture(const std::string& path) {
  std::ifstream file{std::string{TOCSIN_SOURCE_DIR} + "/tests/fixtures/" + path};
  std::ostringstream all;
  all << file.rdbuf();
  return all.str();
}

}  // namespace tocsin::notify::testing
