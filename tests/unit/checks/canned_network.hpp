#pragma once

#include <string>
#include <vector>

#include "tocsin/net/network.hpp"

namespace tocsin::checks_test {

/// Answers as told and keeps what it was asked.
class CannedNetwork final : public Network {
 public:
  asio::awaitable<HttpOutcome> http(HttpRequest request) override {
    asked.push_back(std::move(request));
    co_return http_outcome;
  }
  asio::awaitable<ConnectOutcome> connect(ConnectRequest request) override {
    connected.push_back(std::move(request));
    co_return connect_outcome;
  }
  void answer(int status, std::string body) {
    http_outcome = {};
    http_outcome.response.emplace();
    http_outcome.response->status = status;
    http_outcome.response->body = std::move(body);
  }
  void fail(NetPhase phase, Errc code, std::string detail) {
    http_outcome = {};
    http_outcome.failure.emplace();
    http_outcome.failure->phase = phase;
    http_outcome.failure->error = {code, std::move(detail)};
    connect_outcome.failure = http_outcome.failure;
  }

  HttpOutcome http_outcome{};
  ConnectOutcome connect_outcome{};
  std::vector<HttpRequest> asked{};
  std::vector<ConnectRequest> connected{};
};

}  // namespace tocsin::checks_test
