#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/unit/checks/canned_network.hpp"
#include "tocsin/net/conversation.hpp"

namespace tocsin::checks_test {

/// A network whose conversations are led by a function: bytes said in, bytes heard out. What is
/// there is heard in pieces; then the peer closes, or says no more until the deadline.
class ScriptedNetwork : public Network {
 public:
  /// What the peer answers to what it was told just now.
  std::function<std::string(std::string_view)> peer{[](std::string_view) { return ""; }};
  std::string greeting{};                  ///< Said by the peer at once.
  std::size_t piece{4096};                 ///< Bytes heard at a time.
  std::optional<std::size_t> cut_after{};  ///< The peer closes after so many bytes.
  bool closes{false};     ///< It closes when it has nothing more to say; else it hangs.
  bool deaf{false};       ///< It closes before it takes anything.
  std::string endless{};  ///< Said again and again once the rest is said.
  std::optional<HttpFailure> failure{};
  PhaseTimes times{};
  std::vector<OpenRequest> opened{};
  std::vector<std::string> said{};
  std::size_t heard{0};  ///< Bytes, in all.
  int open_now{0};

  asio::awaitable<HttpOutcome> http(HttpRequest) override { co_return HttpOutcome{}; }
  asio::awaitable<ConnectOutcome> connect(ConnectRequest) override { co_return ConnectOutcome{}; }

  asio::awaitable<OpenOutcome> open(OpenRequest request) override {
    opened.push_back(request);
    OpenOutcome outcome;
    outcome.times = times;
    outcome.failure = failure;
    if (!failure) outcome.conversation = std::make_unique<Talk>(*this, std::move(request));
    co_return outcome;
  }
  void fail(NetPhase phase, Errc code, std::string detail) {
    failure.emplace();
    failure->phase = phase;
    failure->error = {code, std::move(detail)};
  }

 private:
  class Talk final : public Conversation {
   public:
    Talk(ScriptedNetwork& network, OpenRequest request)
        : network_{network}, waiting_{network.greeting} {
      peer_ = request.unix_socket.empty() ? to_string(request.address) : request.unix_socket;
      ++network_.open_now;
    }
    ~Talk() override { --network_.open_now; }
    Talk(const Talk&) = delete;
    Talk& operator=(const Talk&) = delete;

    Task<void> say(std::string text) override {
      network_.said.push_back(text);
      if (network_.deaf)
        co_return Error{Errc::disconnected, "sending to " + peer_ + " failed: Broken pipe"};
      waiting_ += network_.peer(text);
      co_return Result<void>{};
    }
    Task<std::string_view> hear() override {
      if (waiting_.empty()) waiting_ = network_.endless;
      auto size = std::min(network_.piece, waiting_.size());
      if (network_.cut_after) size = std::min(size, *network_.cut_after - heard_);
      if (size == 0) {
        if (network_.closes || network_.deaf || network_.cut_after)
          co_return Error{Errc::disconnected, peer_ + " closed the connection"};
        co_return Error{Errc::timed_out, "no answer from " + peer_ + " after 4.95s"};
      }
      piece_ = waiting_.substr(0, size);
      waiting_.erase(0, size);
      heard_ += size;
      network_.heard += size;
      co_return std::string_view{piece_};
    }
    const std::string& peer() const override { return peer_; }

   private:
    ScriptedNetwork& network_;
    std::string peer_{};
    std::string waiting_;
    std::string piece_{};
    std::size_t heard_{0};
  };
};

}  // namespace tocsin::checks_test
