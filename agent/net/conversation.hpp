#pragma once

#include <boost/asio/awaitable.hpp>
#include <string>
#include <vector>

#include "tocsin/net/conversation.hpp"

namespace tocsin::net {

class Dialer;
struct NetworkCore;

/// Turns over the connection of a dialer, which must outlive it.
class DialedTalk final : public Conversation {
 public:
  explicit DialedTalk(Dialer& dialer);
  Task<void> say(std::string text) override;
  Task<std::string_view> hear() override;
  const std::string& peer() const override { return peer_; }

 private:
  Dialer& dialer_;
  std::string peer_;
  std::vector<char> piece_;
};

/// A connection that is spoken over by turns. The core must outlive it.
asio::awaitable<OpenOutcome> open_conversation(NetworkCore& core, OpenRequest request);

}  // namespace tocsin::net
