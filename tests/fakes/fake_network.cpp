#include "tests/fakes/fake_network.hpp"

#include <algorithm>
#include <cctype>
#include <utility>

namespace tocsin::fakes {
namespace {

std::string address_of(const std::string& host, std::uint16_t port) {
  return host + ":" + std::to_string(port);
}

// Digits, dots and colons only: an address, which no resolver is asked for.
bool is_address(const std::string& host) {
  return std::all_of(host.begin(), host.end(),
                     [](unsigned char c) { return std::isxdigit(c) != 0 || c == '.' || c == ':'; });
}

HttpCall call_of(const HttpRequest& request) {
  return {request.method, request.url.target, request.headers, request.body};
}

}  // namespace

struct FakeNetwork::Exchange {
  HttpRequest request{};
  SteadyTime began{};
  Duration latency{0};
  std::string operation{};
  bool sent{false};
  bool carried_out{false};
  PhaseTimes times{};
};

void FakeNetwork::route(const std::string& host, std::uint16_t port, Receiver& receiver) {
  routes_[address_of(host, port)] = &receiver;
}

void FakeNetwork::listen(const std::string& host, std::uint16_t port, std::string answer) {
  listeners_[address_of(host, port)] = std::move(answer);
}

std::optional<HttpFailure> FakeNetwork::reach(const std::string& host, std::uint16_t port,
                                              bool last_good) {
  const bool unresolved =
      names_down_ && !is_address(host) && !(last_good && reached_.contains(host));
  if (unresolved) {
    HttpFailure failure{};
    failure.phase = NetPhase::resolve;
    failure.error = {Errc::unresolved, "resolve " + host + " failed: no name server answered"};
    return failure;
  }
  const auto address = address_of(host, port);
  const auto route = routes_.find(address);
  const bool open =
      route != routes_.end() ? !route->second->faults().down() : listeners_.contains(address);
  if (open) {
    reached_.insert(host);
    return std::nullopt;
  }
  HttpFailure failure{};
  failure.phase = NetPhase::connect;
  failure.error = {Errc::unreachable, "connect to " + address + " failed: Connection refused"};
  return failure;
}

HttpOutcome FakeNetwork::failure(Exchange& exchange, NetPhase phase, Errc code,
                                 const std::string& what) const {
  HttpFailure failure{};
  failure.phase = phase;
  failure.error = {code, what};
  failure.sent = exchange.sent;
  failure.times = exchange.times;
  failure.times.total = clock_.steady() - exchange.began;
  HttpOutcome outcome{};
  outcome.failure = std::move(failure);
  return outcome;
}

void FakeNetwork::remember(Exchange& exchange, int status) {
  ++requests_;
  if (seen_.size() == seen_max) seen_.pop_front();
  seen_.push_back({exchange.began, std::move(exchange.request), exchange.operation, status,
                   exchange.carried_out});
}

asio::awaitable<HttpOutcome> FakeNetwork::http(HttpRequest request) {
  Exchange exchange{};
  exchange.request = std::move(request);
  exchange.began = clock_.steady();
  exchange.latency = latency_();
  const Url url = exchange.request.url;
  auto unreached = reach(url.host, url.port, exchange.request.last_good_address);
  if (unreached) {
    remember(exchange, 0);
    HttpOutcome outcome{};
    outcome.failure = std::move(unreached);
    co_return outcome;
  }
  auto exchanged = answer(exchange);
  auto outcome = co_await std::move(exchanged);
  remember(exchange, outcome.response ? outcome.response->status : 0);
  co_return outcome;
}

asio::awaitable<HttpOutcome> FakeNetwork::answer(Exchange& exchange) {
  const SteadyTime deadline = exchange.request.deadline;
  const Url& url = exchange.request.url;
  const auto peer = address_of(url.host, url.port);
  const SteadyTime arrival = exchange.began + exchange.latency / 2;
  const SteadyTime answered = exchange.began + exchange.latency;
  co_await clock_.sleep_until(std::min(arrival, deadline));
  if (arrival > deadline) {
    co_return failure(exchange, NetPhase::connect, Errc::timed_out,
                      "connect to " + peer + " failed: no answer in time");
  }
  const auto call = call_of(exchange.request);
  const auto route = routes_.find(peer);
  if (route == routes_.end()) {
    exchange.sent = true;
    co_return failure(exchange, NetPhase::first_byte, Errc::protocol,
                      peer + " does not speak HTTP");
  }
  exchange.operation = route->second->operation(call);
  const auto played = play(*route->second, call);
  exchange.sent = played.end != Played::End::not_accepted;
  exchange.carried_out = played.carried_out;
  const bool silent = played.end == Played::End::silent || answered > deadline;
  const SteadyTime looked_at = silent ? deadline : answered;
  co_await clock_.sleep_until(looked_at);
  if (silent) {
    co_return failure(exchange, NetPhase::first_byte, Errc::timed_out,
                      peer + " took the request and did not answer in time");
  }
  exchange.times.first_byte = clock_.steady() - exchange.began;
  const SteadyTime whole = std::min(answered + played.body_delay, deadline);
  co_await clock_.sleep_until(whole);
  co_return conclude(exchange, played, answered + played.body_delay <= deadline);
}

HttpOutcome FakeNetwork::conclude(Exchange& exchange, const Played& played, bool in_time) const {
  const Url& url = exchange.request.url;
  const auto peer = address_of(url.host, url.port);
  if (played.end == Played::End::not_accepted) {
    return failure(exchange, NetPhase::connect, Errc::unreachable,
                   "connect to " + peer + " failed: Connection refused");
  }
  if (played.end == Played::End::cut) {
    return failure(exchange, NetPhase::first_byte, Errc::disconnected,
                   peer + " closed the connection before answering");
  }
  if (!in_time) {
    return failure(exchange, NetPhase::body, Errc::timed_out,
                   peer + " did not finish its answer in time");
  }
  if (played.reply.body.size() > exchange.request.response_bytes_max) {
    return failure(exchange, NetPhase::body, Errc::too_large,
                   "the answer of " + peer + " is larger than " +
                       std::to_string(exchange.request.response_bytes_max) + " bytes");
  }
  HttpResponse response{};
  response.status = played.reply.status;
  response.headers = played.reply.headers;
  response.body = played.reply.body;
  response.times = exchange.times;
  response.times.total = clock_.steady() - exchange.began;
  HttpOutcome outcome{};
  outcome.response = std::move(response);
  return outcome;
}

asio::awaitable<ConnectOutcome> FakeNetwork::connect(ConnectRequest request) {
  ConnectOutcome outcome{};
  const SteadyTime began = clock_.steady();
  outcome.failure = reach(request.address.host, request.address.port, false);
  if (outcome.failure) co_return outcome;
  const SteadyTime done = began + latency_();
  co_await clock_.sleep_until(std::min(done, request.deadline));
  outcome.times.connect = clock_.steady() - began;
  outcome.times.total = outcome.times.connect;
  const auto address = address_of(request.address.host, request.address.port);
  if (done > request.deadline) {
    HttpFailure failure{};
    failure.phase = NetPhase::connect;
    failure.error = {Errc::timed_out, "connect to " + address + " failed: no answer in time"};
    failure.times = outcome.times;
    outcome.failure = std::move(failure);
    co_return outcome;
  }
  const auto listener = listeners_.find(address);
  if (listener != listeners_.end()) outcome.answer = listener->second.substr(0, request.read_max);
  co_return outcome;
}

}  // namespace tocsin::fakes
