#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "tests/fakes/receiver.hpp"

namespace tocsin::fakes {

namespace asio = boost::asio;

/// An HTTP/1.1 server on 127.0.0.1 for one receiver: it carries out what play() decided, down to
/// the closed connection.
class LoopbackServer {
 public:
  using Answer = std::function<Played(const HttpCall&)>;
  /// Port 0 takes a free one. Throws when the port cannot be had.
  LoopbackServer(asio::io_context& loop, std::uint16_t port, Answer answer);

  std::string address() const;  ///< "127.0.0.1:PORT", the same after close() and open().
  /// Down: no new connection is accepted and those there are end.
  void close();
  void open();

 private:
  asio::awaitable<void> accept();
  asio::awaitable<void> serve(asio::ip::tcp::socket socket);
  asio::awaitable<bool> deliver(asio::ip::tcp::socket& socket, const Played& played,
                                bool keep_alive);

  asio::io_context& loop_;
  Answer answer_;
  asio::ip::tcp::endpoint endpoint_;
  asio::ip::tcp::acceptor acceptor_;
  /// Connections remove themselves, and those left when the loop goes away do so after the server.
  std::shared_ptr<std::set<asio::ip::tcp::socket*>> open_{
      std::make_shared<std::set<asio::ip::tcp::socket*>>()};
};

}  // namespace tocsin::fakes
