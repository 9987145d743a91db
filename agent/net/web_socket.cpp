#include "agent/net/web_socket.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket/error.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <utility>

#include "agent/net/dialer.hpp"
#include "tocsin/base/text.hpp"

namespace tocsin::net {
namespace {

namespace websocket = boost::beast::websocket;
using boost::system::error_code;

constexpr auto token = asio::as_tuple(asio::deferred);
constexpr std::string_view ping_words{"tocsin"};
constexpr std::size_t reason_characters_max = 120;

/// A connection as Beast wants its streams.
class ConnectionStream {
 public:
  using executor_type = asio::any_io_executor;

  ConnectionStream(executor_type executor, std::shared_ptr<Connection> connection)
      : executor_{std::move(executor)}, connection_{std::move(connection)} {}
  executor_type get_executor() const noexcept { return executor_; }
  Connection& connection() const { return *connection_; }

  template <class Buffers, class Token>
  auto async_read_some(const Buffers& into, Token&& done) {
    return connection_->async_read_some(into, std::forward<Token>(done));
  }
  template <class Buffers, class Token>
  auto async_write_some(const Buffers& from, Token&& done) {
    return connection_->async_write_some(from, std::forward<Token>(done));
  }

 private:
  executor_type executor_;
  std::shared_ptr<Connection> connection_;
};

// Found by Beast through the stream's namespace. The connection ends with its last owner, not
// before.
template <class Handler>
void async_teardown(boost::beast::role_type, ConnectionStream& stream, Handler&& handler) {
  asio::post(stream.get_executor(),
             [done = std::forward<Handler>(handler)]() mutable { done(error_code{}); });
}
void beast_close_socket(ConnectionStream& stream) { stream.connection().stop_hearing(); }

class DialedWebSocket final : public WebSocket {
 public:
  DialedWebSocket(NetworkCore& core, WebSocketRequest request)
      : core_{core}, request_{std::move(request)} {
    to_.peer = {request_.url.host, request_.url.port};
    to_.tls = request_.url.scheme == "https" ? &request_.tls : nullptr;
    to_.deadline = request_.deadline;
    dialer_.emplace(core_, to_);
    peer_ = dialer_->name();
  }

  asio::awaitable<std::optional<HttpFailure>> dial() {
    auto dialing = dialer_->dial();
    auto failure = co_await std::move(dialing);
    if (failure) co_return failure;
    dialer_->connection->send_at_once();
    stream_.emplace(core_.executor, dialer_->connection);
    set_options();
    auto upgrading = upgrade();
    co_return co_await std::move(upgrading);
  }
  const Dialer& dialer() const { return *dialer_; }
  int status() const { return status_; }

  Task<void> say(std::string text) override {
    stream_->text(true);
    auto writing = stream_->async_write(asio::buffer(text), token);
    const auto written = co_await std::move(writing);
    if (std::get<0>(written))
      co_return why(std::get<0>(written), "sending to " + peer_ + " failed");
    co_return Result<void>{};
  }

  Task<std::string> hear() override {
    room_.clear();
    auto reading = stream_->async_read(room_, token);
    const auto read = co_await std::move(reading);
    if (std::get<0>(read)) co_return why(std::get<0>(read), "no message from " + peer_);
    const auto data = room_.cdata();
    co_return std::string{static_cast<const char*>(data.data()), data.size()};
  }

  Task<void> ping() override {
    auto pinging =
        stream_->async_ping(websocket::ping_data{ping_words.data(), ping_words.size()}, token);
    const auto pinged = co_await std::move(pinging);
    if (std::get<0>(pinged)) co_return why(std::get<0>(pinged), "a ping to " + peer_ + " failed");
    while (!ponged_) {
      auto hearing = hear();
      const auto heard = co_await std::move(hearing);
      if (heard || ponged_) continue;
      if (heard.error().code != Errc::timed_out) co_return heard.error();
      co_return Error{Errc::timed_out, "no pong from " + peer_ + " " + dialer_->after()};
    }
    co_return Result<void>{};
  }

  const std::string& peer() const override { return peer_; }

 private:
  void set_options() {
    stream_->read_message_max(request_.message_bytes_max);
    stream_->set_option(websocket::stream_base::decorator{[this](websocket::request_type& upgrade) {
      upgrade.set(boost::beast::http::field::user_agent, core_.options.user_agent);
      for (const auto& [name, value] : request_.headers) upgrade.set(name, value);
    }});
    stream_->control_callback([this](websocket::frame_type kind, boost::beast::string_view words) {
      if (kind != websocket::frame_type::pong || words != ping_words) return;
      ponged_ = true;
      // A read goes on until a message has come, and perhaps none ever will.
      dialer_->connection->stop_hearing();
    });
  }

  asio::awaitable<std::optional<HttpFailure>> upgrade() {
    const auto began = core_.clock.steady();
    const bool usual = request_.url.port == (to_.tls != nullptr ? 443 : 80);
    auto host = to_string(HostPort{request_.url.host, request_.url.port});
    if (usual) host.resize(host.rfind(':'));
    websocket::response_type answer;
    auto shaking = stream_->async_handshake(answer, host, request_.url.target, token);
    const auto shaken = co_await std::move(shaking);
    const auto fault = std::get<0>(shaken);
    if (!fault || fault == websocket::error::upgrade_declined)
      status_ = static_cast<int>(answer.result_int());
    dialer_->times.first_byte = core_.clock.steady() - began;
    if (!fault) co_return std::nullopt;
    const auto error = judge_upgrade(fault, answer);
    co_return dialer_->failed(NetPhase::first_byte, error.code, error.detail);
  }

  Error judge_upgrade(const error_code& fault, const websocket::response_type& answer) const {
    if (fault == websocket::error::upgrade_declined)
      return {Errc::refused,
              peer_ + " did not open a WebSocket: it answered with status " +
                  std::to_string(status_) + " " +
                  cut_characters(clean_utf8({answer.reason().data(), answer.reason().size()}), 80) +
                  ", expected 101"};
    const bool is_http =
        fault.category() ==
        boost::beast::http::make_error_code(boost::beast::http::error::bad_version).category();
    const bool is_end = fault == boost::beast::http::error::end_of_stream ||
                        fault == boost::beast::http::error::partial_message;
    if (is_http && !is_end)
      return {Errc::protocol, peer_ + " answered something else than HTTP to the upgrade"};
    return why(is_end ? error_code{asio::error::eof} : fault,
               "no answer from " + peer_ + " to the upgrade");
  }

  Error why(const error_code& fault, const std::string& sentence) const {
    if (dialer_->connection->expired()) return {Errc::timed_out, sentence + " " + dialer_->after()};
    if (fault == asio::error::operation_aborted)
      return {Errc::cancelled, "the WebSocket of " + peer_ + " was cancelled"};
    if (fault == websocket::error::closed) return {Errc::disconnected, goodbye()};
    if (fault == websocket::error::message_too_big)
      return {Errc::too_large, peer_ + " sent a message of more than " +
                                   std::to_string(request_.message_bytes_max) + " bytes"};
    if (fault == asio::error::eof || fault == asio::error::connection_reset ||
        fault == asio::ssl::error::stream_truncated || fault == asio::error::broken_pipe)
      return {Errc::disconnected, sentence + ": it closed the connection"};
    return {Errc::protocol, sentence + ": " + fault.message()};
  }

  std::string goodbye() const {
    const auto& reason = stream_->reason();
    auto words = peer_ + " closed the WebSocket";
    if (reason.code != websocket::close_code::none)
      words += " with code " + std::to_string(reason.code);
    if (!reason.reason.empty())
      words += ": " + cut_characters(clean_utf8({reason.reason.data(), reason.reason.size()}),
                                     reason_characters_max);
    return words;
  }

  NetworkCore& core_;
  WebSocketRequest request_;
  Destination to_{};
  std::optional<Dialer> dialer_{};
  std::string peer_;
  std::optional<websocket::stream<ConnectionStream, false>> stream_{};
  boost::beast::flat_buffer room_{};
  int status_{0};
  bool ponged_{false};
};

}  // namespace

asio::awaitable<WebSocketOutcome> open_web_socket(NetworkCore& core, WebSocketRequest request) {
  const auto began = core.clock.steady();
  auto socket = std::make_unique<DialedWebSocket>(core, std::move(request));
  auto dialing = socket->dial();
  auto failure = co_await std::move(dialing);
  WebSocketOutcome outcome;
  outcome.times = socket->dialer().times;
  outcome.times.total = core.clock.steady() - began;
  outcome.certificate = socket->dialer().certificate;
  outcome.status = socket->status();
  outcome.failure = std::move(failure);
  if (!outcome.failure) outcome.socket = std::move(socket);
  co_return outcome;
}

}  // namespace tocsin::net
