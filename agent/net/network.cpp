#include "agent/net/network.hpp"

#include <utility>

#include "agent/net/exchange.hpp"

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

 private:
  NetworkCore core_;
};

}  // namespace

std::unique_ptr<Network> make_network(asio::any_io_executor executor, Clock& clock,
                                      NetworkOptions options) {
  return std::make_unique<RealNetwork>(std::move(executor), clock, std::move(options));
}

}  // namespace tocsin::net
