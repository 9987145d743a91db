#include "tocsin/net/network.hpp"

#include "tocsin/net/conversation.hpp"
#include "tocsin/net/websocket.hpp"

namespace tocsin {

namespace {

Error not_offered() { return {Errc::unsupported, "this network offers no such thing"}; }

}  // namespace

Network::~Network() = default;

asio::awaitable<OpenOutcome> Network::open(OpenRequest) {
  OpenOutcome outcome;
  outcome.failure = HttpFailure{.phase = NetPhase::connect, .error = not_offered()};
  co_return outcome;
}

asio::awaitable<WebSocketOutcome> Network::websocket(WebSocketRequest) {
  WebSocketOutcome outcome;
  outcome.failure = HttpFailure{.phase = NetPhase::connect, .error = not_offered()};
  co_return outcome;
}

Task<std::vector<std::string>> Network::resolve(std::string, SteadyTime) {
  co_return not_offered();
}

Task<void> Network::ready(int, Readiness, SteadyTime) { co_return not_offered(); }

std::string_view to_string(NetPhase phase) {
  switch (phase) {
    case NetPhase::resolve:
      return "resolve";
    case NetPhase::connect:
      return "connect";
    case NetPhase::proxy:
      return "proxy";
    case NetPhase::starttls:
      return "starttls";
    case NetPhase::tls:
      return "tls";
    case NetPhase::send:
      return "send";
    case NetPhase::first_byte:
      return "first byte";
    case NetPhase::body:
      return "body";
  }
  return "?";
}

std::string_view HttpResponse::header(std::string_view lower_case_name) const {
  for (const auto& [name, value] : headers)
    if (name == lower_case_name) return value;
  return {};
}

}  // namespace tocsin
