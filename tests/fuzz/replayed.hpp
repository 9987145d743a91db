#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <cstddef>
#include <exception>
#include <string>
#include <string_view>
#include <utility>

#include "tocsin/base/error.hpp"
#include "tocsin/net/conversation.hpp"

namespace tocsin::fuzz {

/// Says these bytes whatever it is told, in pieces, and closes.
class Replayed final : public Conversation {
 public:
  Replayed(std::string_view text, std::size_t piece) : rest_{text}, piece_{piece} {}
  Task<void> say(std::string) override { co_return Result<void>{}; }
  Task<std::string_view> hear() override {
    const auto said = rest_.substr(0, piece_);
    if (said.empty()) co_return Error{Errc::disconnected, "fuzz:1 closed the connection"};
    rest_.remove_prefix(said.size());
    heard += said.size();
    co_return said;
  }
  const std::string& peer() const override { return peer_; }

  std::size_t heard{0};

 private:
  std::string_view rest_;
  std::size_t piece_;
  std::string peer_{"fuzz:1"};
};

/// Runs a talk that waits for nothing.
inline void run_to_end(asio::awaitable<void> talk) {
  asio::io_context loop{1};
  bool over = false;
  asio::co_spawn(loop, std::move(talk), [&](std::exception_ptr fault) {
    if (fault) std::terminate();
    over = true;
  });
  loop.run();
  check_that(over, "every talk ends");
}

}  // namespace tocsin::fuzz
