#include "agent/net/network.hpp"

#include <utility>

#include "agent/net/conversation.hpp"
#include "agent/net/exchange.hpp"
#include "agent/net/readiness.hpp"
#include "agent/net/web_socket.hpp"

namespace tocsin::net {
namespace {

class RealNetwork final : public Network {
 public:
  RealNetwork(asio::any_io_executor executor, Clock& clock, NetworkOptions options)
      : core_{std::move(executor), clock, std::move(options)} {}

  asio::awaitable<HttpOutcome> http(HttpRequest request) override {
    HttpExchange exchange{core_, std::move(request)};
    auto running = exchange.run();
    co_return co_await std::move(running);
  }

  asio::awaitable<ConnectOutcome> connect(ConnectRequest request) override {
    return connect_once(core_, std::move(request));
  }

  asio::awaitable<OpenOutcome> open(OpenRequest request) override {
    return open_conversation(core_, std::move(request));
  }

  asio::awaitable<WebSocketOutcome> websocket(WebSocketRequest request) override {
    return open_web_socket(core_, std::move(request));
  }

  Task<std::vector<std::string>> resolve(std::string host, SteadyTime deadline) override {
    std::vector<std::string> found;
    if (const auto known = known_addresses(host)) {
      for (const auto& address : *known) found.push_back(address.to_string());
      co_return found;
    }
    if (const auto* fresh = core_.resolver.fresh(host)) {
      for (const auto& address : *fresh) found.push_back(address.to_string());
      co_return found;
    }
    auto asking = core_.resolver.resolve(host, deadline);
    const auto answer = co_await std::move(asking);
    if (!answer)
      co_return Error{answer.error().code, "resolve " + host + " failed: " + answer.error().detail};
    for (const auto& address : *answer) found.push_back(address.to_string());
    co_return found;
  }

  Task<void> ready(int descriptor, Readiness what, SteadyTime deadline) override {
    return wait_ready(core_.executor, core_.watch, descriptor, what, deadline);
  }

 private:
  NetworkCore core_;
};

}  // namespace

std::unique_ptr<Network> make_network(asio::any_io_executor executor, Clock& clock,
                                      NetworkOptions options) {
  return std::make_unique<RealNetwork>(std::move(executor), clock, std::move(options));
}

}  // namespace tocsin::net
