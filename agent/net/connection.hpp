#pragma once

#include <array>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <cstddef>
#include <functional>
#include <memory>
#include <string_view>

#include "agent/net/deadlines.hpp"
#include "agent/net/tls.hpp"

namespace tocsin::net {

using Endpoint = asio::generic::stream_protocol::endpoint;

/// What one read or write did.
struct IoResult {
  boost::system::error_code fault{};
  std::size_t bytes{0};
};

/// A connection over TCP or a unix socket, with TLS once it was asked for. It is closed with RST
/// unless told to part politely. When its deadline passes it closes, which ends whatever it was
/// doing; `expired` then tells why.
class Connection final : public Expirable, public std::enable_shared_from_this<Connection> {
 public:
  explicit Connection(const asio::any_io_executor& executor) : socket_{executor} {}
  ~Connection() override;

  asio::awaitable<boost::system::error_code> open(Endpoint endpoint);
  /// The notes and the slot must outlive the handshake, the slot the connection.
  asio::awaitable<boost::system::error_code> handshake(std::shared_ptr<asio::ssl::context> context,
                                                       const TlsOptions& options,
                                                       HandshakeNotes& notes,
                                                       std::shared_ptr<SessionSlot> slot);
  asio::awaitable<IoResult> read_some(asio::mutable_buffer into);
  /// Writes both, whole.
  asio::awaitable<IoResult> write(std::string_view head, std::string_view body);

  // The same for libraries that bring their own way of waiting.
  template <class Buffers, class Token>
  auto async_read_some(const Buffers& into, Token&& token) {
    return asio::async_initiate<Token, void(boost::system::error_code, std::size_t)>(
        [this](auto handler, const Buffers& buffers) {
          if (tls_)
            tls_->async_read_some(buffers, std::move(handler));
          else
            socket_.async_read_some(buffers, std::move(handler));
        },
        token, into);
  }
  template <class Buffers, class Token>
  auto async_write_some(const Buffers& from, Token&& token) {
    return asio::async_initiate<Token, void(boost::system::error_code, std::size_t)>(
        [this](auto handler, const Buffers& buffers) {
          if (tls_)
            tls_->async_write_some(buffers, std::move(handler));
          else
            socket_.async_write_some(buffers, std::move(handler));
        },
        token, from);
  }
  /// Every read ends from now on, the one under way too: as if the peer had closed.
  void stop_hearing();

  /// Whether bytes came that nobody has read yet.
  bool has_unheard();

  bool expired() const noexcept { return expired_; }
  /// Whether any byte of the last write may have left.
  bool sent_any() const noexcept { return sent_any_; }
  /// Small writes leave at once: for handshakes and conversations.
  void send_at_once();
  /// Close with FIN, so that the peer reads what was sent.
  void part_politely() noexcept { polite_ = true; }

  /// While idle: calls `on_end` once when the peer closes or the deadline passes.
  void rest(std::function<void()> on_end);
  /// Ends the rest; false when the peer has closed or said something unasked.
  bool rouse();

 private:
  void expire() override;
  void close() noexcept;
  asio::awaitable<IoResult> write_tls(std::string_view head, std::string_view body);

  using Socket = asio::generic::stream_protocol::socket;
  Socket socket_;
  std::shared_ptr<SessionSlot> slot_{};
  std::unique_ptr<asio::ssl::stream<Socket&>> tls_{};
  std::function<void()> on_rest_end_{};
  bool expired_{false};
  bool sent_any_{false};
  bool polite_{false};
};

/// Idle connections to receivers, so that a page does not wait for a handshake.
/// Bounded; the oldest makes room. A connection leaves when its peer closes it. One loop.
class IdlePool {
 public:
  IdlePool(DeadlineWatch& watch, std::size_t connections_max, Duration keep_for);
  ~IdlePool();
  IdlePool(const IdlePool&) = delete;
  IdlePool& operator=(const IdlePool&) = delete;

  /// A living connection to that peer, or null.
  std::shared_ptr<Connection> take(const std::string& peer);
  void give(std::string peer, std::shared_ptr<Connection> connection);
  std::size_t size() const;

 private:
  struct State;
  DeadlineWatch& watch_;
  std::size_t connections_max_;
  Duration keep_for_;
  std::shared_ptr<State> state_;
};

}  // namespace tocsin::net
