#include "agent/net/conversation.hpp"

#include <utility>

#include "agent/net/dialer.hpp"
#include "tocsin/base/limits.hpp"

namespace tocsin::net {

DialedTalk::DialedTalk(Dialer& dialer)
    : dialer_{dialer}, peer_{dialer.name()}, piece_(limits::conversation_piece_bytes) {}

Task<void> DialedTalk::say(std::string text) {
  auto writing = dialer_.connection->write(text, {});
  const auto written = co_await std::move(writing);
  if (!written.fault) co_return Result<void>{};
  if (dialer_.connection->expired())
    co_return Error{Errc::timed_out, peer_ + " did not take what was sent " + dialer_.after()};
  co_return Error{Errc::disconnected,
                  "sending to " + peer_ + " failed: " + written.fault.message()};
}

Task<std::string_view> DialedTalk::hear() {
  auto reading = dialer_.connection->read_some(asio::buffer(piece_));
  const auto read = co_await std::move(reading);
  if (read.bytes > 0) co_return std::string_view{piece_.data(), read.bytes};
  if (dialer_.connection->expired())
    co_return Error{Errc::timed_out, "no answer from " + peer_ + " " + dialer_.after()};
  if (read.fault == asio::error::operation_aborted)
    co_return Error{Errc::cancelled, "the conversation with " + peer_ + " was cancelled"};
  co_return Error{Errc::disconnected, peer_ + " closed the connection"};
}

namespace {

/// Keeps what a conversation needs as long as it lasts.
class OpenConversation final : public Conversation {
 public:
  OpenConversation(NetworkCore& core, OpenRequest request)
      : request_{std::move(request)}, to_{destination()}, dialer_{core, to_}, talk_{dialer_} {}

  asio::awaitable<std::optional<HttpFailure>> dial() {
    auto dialing = dialer_.dial();
    auto failure = co_await std::move(dialing);
    if (!failure) dialer_.connection->send_at_once();
    co_return failure;
  }
  const Dialer& dialer() const { return dialer_; }

  Task<void> say(std::string text) override { return talk_.say(std::move(text)); }
  Task<std::string_view> hear() override { return talk_.hear(); }
  const std::string& peer() const override { return talk_.peer(); }

 private:
  Destination destination() const {
    Destination to;
    to.peer = request_.address;
    to.unix_socket = request_.unix_socket;
    to.tls = request_.tls ? &*request_.tls : nullptr;
    to.deadline = request_.deadline;
    return to;
  }

  OpenRequest request_;
  Destination to_;
  Dialer dialer_;
  DialedTalk talk_;
};

}  // namespace

asio::awaitable<OpenOutcome> open_conversation(NetworkCore& core, OpenRequest request) {
  auto conversation = std::make_unique<OpenConversation>(core, std::move(request));
  auto dialing = conversation->dial();
  auto failure = co_await std::move(dialing);
  OpenOutcome outcome;
  outcome.times = conversation->dialer().times;
  outcome.certificate = conversation->dialer().certificate;
  outcome.failure = std::move(failure);
  if (!outcome.failure) outcome.conversation = std::move(conversation);
  co_return outcome;
}

}  // namespace tocsin::net
