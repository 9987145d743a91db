#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/net/connection.hpp"
#include "agent/net/network.hpp"
#include "agent/net/resolver.hpp"
#include "agent/net/tls.hpp"

namespace tocsin::net {

/// Room to read into, used again and again.
class ReadBuffers {
 public:
  static constexpr std::size_t buffer_bytes = 16u << 10;
  std::vector<char> take();
  void give(std::vector<char> buffer);

 private:
  std::vector<std::vector<char>> idle_{};
};

/// What all exchanges of one network share. One loop.
struct NetworkCore {
  NetworkCore(asio::any_io_executor on, Clock& time, NetworkOptions with);

  asio::any_io_executor executor;
  Clock& clock;
  NetworkOptions options;
  DeadlineWatch watch;
  Resolver resolver;
  LastGood last_good;
  TlsContexts tls{};
  ReadBuffers buffers{};
  IdlePool pool;
};

/// Whom to reach and how.
struct Destination {
  HostPort peer{};            ///< As sentences name it.
  std::string unix_socket{};  ///< When set, connect here instead.
  const Proxy* proxy{
      nullptr};  ///< When set, connect there instead; CONNECT on to the peer for TLS.
  const TlsOptions* tls{nullptr};
  const BeforeTls* before_tls{nullptr};  ///< When set and not empty, comes before the handshake.
  bool last_good_address{false};
  bool keep_session{false};  ///< Short TLS handshakes for a peer that is met again.
  SteadyTime deadline{};
};

/// Gets one connection ready to talk over, timing each step and naming the one that failed.
class Dialer {
 public:
  /// The destination and what it points at must outlive the dialer.
  Dialer(NetworkCore& core, const Destination& destination);

  /// Nothing on success: then `connection` is ready and its deadline armed.
  asio::awaitable<std::optional<HttpFailure>> dial();

  /// A failure of this step, with the times and the certificate so far.
  HttpFailure failed(NetPhase phase, Errc code, std::string sentence) const;
  /// The end of a sentence about a deadline that passed: "after 5s".
  std::string after() const;
  std::string name() const;

  std::shared_ptr<Connection> connection{};
  PhaseTimes times{};
  std::optional<PeerCertificate> certificate{};

 private:
  using Failed = std::optional<HttpFailure>;
  asio::awaitable<Failed> find_endpoints();
  asio::awaitable<Failed> connect_in_turn();
  asio::awaitable<Failed> ask_proxy();
  asio::awaitable<Failed> agree_on_tls();
  asio::awaitable<Failed> shake_hands();
  Failed judge_connect(const boost::system::error_code& fault, std::size_t index) const;
  std::string place_of(std::size_t index) const;
  const std::string& dialed_host() const;
  std::uint16_t dialed_port() const;

  NetworkCore& core_;
  const Destination& to_;
  SteadyTime started_;
  Addresses addresses_{};
  bool asked_{false};  ///< The resolver was needed.
};

}  // namespace tocsin::net
