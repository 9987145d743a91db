#pragma once

#include <memory>
#include <string>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/ssl/context.hpp>

#include "agent/http/credentials.hpp"
#include "agent/http/server.hpp"
#include "tocsin/async/clock.hpp"

namespace tocsin::http {

/// What a connection needs of its listener. Outlives the connection: it is held by it.
struct Site {
  Clock& clock;
  const Router& router;
  FaultSink on_fault{};
  std::unique_ptr<Passwords> passwords{};  ///< Absent: nobody is asked.
};

/// Who is on the other side, as far as the transport knows.
struct Peer {
  std::string user{};
  bool trusted{false};
};

// Each serves one connection to its end: requests in turn, kept alive, until the peer leaves or is
// too slow. They end without throwing except when cancelled.
asio::awaitable<void> serve_plain(std::shared_ptr<Site> site, asio::ip::tcp::socket socket,
                                  Peer peer);
asio::awaitable<void> serve_unix(std::shared_ptr<Site> site,
                                 asio::local::stream_protocol::socket socket, Peer peer);
/// `certified`: a client certificate is required, so whoever gets through the handshake is trusted.
asio::awaitable<void> serve_tls(std::shared_ptr<Site> site, asio::ip::tcp::socket socket,
                                std::shared_ptr<asio::ssl::context> context, bool certified);

}  // namespace tocsin::http
