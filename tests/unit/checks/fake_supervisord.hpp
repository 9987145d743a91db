#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tests/unit/checks/supervisord_xml.hpp"
#include "tocsin/net/network.hpp"

namespace tocsin::checks_test {

inline constexpr const char* list_method = "getAllProcessInfo";
inline constexpr const char* error_log_method = "readProcessStderrLog";
inline constexpr const char* output_log_method = "readProcessStdoutLog";

/// A supervisord that answers each method as told, and refuses the others.
class FakeSupervisord final : public Network {
 public:
  asio::awaitable<HttpOutcome> http(HttpRequest request) override {
    asked.push_back(request);
    HttpOutcome outcome;
    if (failure) {
      outcome.failure = *failure;
      co_return outcome;
    }
    outcome.response.emplace();
    outcome.response->status = status;
    outcome.response->times.total = std::chrono::milliseconds{3};
    outcome.response->body = fault_answer(1, "UNKNOWN_METHOD");
    for (const auto& [method, answer] : answers)
      if (request.body.find("supervisor." + method + "<") != std::string::npos)
        outcome.response->body = answer;
    co_return outcome;
  }
  asio::awaitable<ConnectOutcome> connect(ConnectRequest) override { co_return ConnectOutcome{}; }

  void fail(Errc code, std::string detail) {
    failure.emplace();
    failure->error = {code, std::move(detail)};
    failure->times.total = std::chrono::milliseconds{2};
  }

  std::map<std::string, std::string> answers{};
  int status{200};
  std::optional<HttpFailure> failure{};
  std::vector<HttpRequest> asked{};
};

}  // namespace tocsin::checks_test
