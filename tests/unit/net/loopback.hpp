#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "agent/net/network.hpp"
#include "tests/fakes/manual_clock.hpp"
#include "tocsin/net/network.hpp"

namespace tocsin::net::testing {

using asio::ip::tcp;
using namespace std::chrono_literals;

/// What a server does with a connection, one step after the other.
struct Step {
  enum class Kind { hear, say, drip, shake_hands, fin, reset, hang };
  Kind kind;
  std::string text{};
};
inline Step hear() { return {Step::Kind::hear}; }  ///< One request.
inline Step say(std::string text) { return {Step::Kind::say, std::move(text)}; }
inline Step drip(std::string text) {
  return {Step::Kind::drip, std::move(text)};
}  ///< Byte by byte.
inline Step shake_hands() { return {Step::Kind::shake_hands}; }  ///< TLS from here on.
inline Step fin() { return {Step::Kind::fin}; }
inline Step reset() { return {Step::Kind::reset}; }
inline Step hang() { return {Step::Kind::hang}; }
using Script = std::vector<Step>;

inline std::string http_ok(const std::string& body, const std::string& more_headers = {}) {
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
         more_headers + "\r\n" + body;
}

/// Serves each connection by the next script; the last one serves all further ones.
template <class Protocol>
class ScriptedServer {
 public:
  using Socket = typename Protocol::socket;
  ScriptedServer(asio::io_context& loop, typename Protocol::endpoint at,
                 std::vector<Script> scripts)
      : loop_{loop}, acceptor_{loop, at}, scripts_{std::move(scripts)} {
    asio::co_spawn(loop_, accept(), asio::detached);
  }

  auto endpoint() const { return acceptor_.local_endpoint(); }
  std::uint16_t port() const { return endpoint().port(); }
  void use_tls(std::shared_ptr<asio::ssl::context> context) { tls_ = std::move(context); }

  int connections{0};
  int hanging{0};  ///< How many scripts have come to a hang.
  int resumed{0};  ///< TLS handshakes that took up an old session.
  std::vector<std::string> heard{};

 private:
  struct Peer {
    explicit Peer(Socket s) : socket{std::move(s)} {}
    Socket socket;
    std::unique_ptr<asio::ssl::stream<Socket&>> tls{};
  };

  asio::awaitable<void> accept() {
    while (true) {
      auto accepting = acceptor_.async_accept(asio::use_awaitable);
      auto peer = std::make_shared<Peer>(co_await std::move(accepting));
      const auto& script = scripts_[std::min<std::size_t>(static_cast<std::size_t>(connections),
                                                          scripts_.size() - 1)];
      ++connections;
      peers_.push_back(peer);
      asio::co_spawn(loop_, serve(peer, script), asio::detached);
    }
  }

  asio::awaitable<void> serve(std::shared_ptr<Peer> peer, Script script) {
    for (const auto& step : script) {
      auto playing = play(*peer, step);
      const bool good = co_await std::move(playing);
      if (!good) break;
    }
    boost::system::error_code ignored;
    peer->socket.close(ignored);
  }

  asio::awaitable<bool> play(Peer& peer, const Step& step) {
    constexpr auto token = asio::as_tuple(asio::use_awaitable);
    switch (step.kind) {
      case Step::Kind::hear: {
        auto hearing = hear_request(peer);
        co_return co_await std::move(hearing);
      }
      case Step::Kind::say: {
        auto saying = write(peer, step.text);
        co_return co_await std::move(saying);
      }
      case Step::Kind::drip:
        for (const char c : step.text) {
          auto saying = write(peer, std::string(1, c));
          const bool good = co_await std::move(saying);
          if (!good) co_return false;
        }
        co_return true;
      case Step::Kind::shake_hands: {
        peer.tls = std::make_unique<asio::ssl::stream<Socket&>>(peer.socket, *tls_);
        auto shaking = peer.tls->async_handshake(asio::ssl::stream_base::server, token);
        const auto shaken = co_await std::move(shaking);
        resumed += ::SSL_session_reused(peer.tls->native_handle());
        co_return !std::get<0>(shaken);
      }
      case Step::Kind::fin: {
        boost::system::error_code ignored;
        peer.socket.shutdown(Socket::shutdown_send, ignored);
        co_return true;
      }
      case Step::Kind::reset:
        peer.socket.set_option(asio::socket_base::linger{true, 0});
        co_return false;
      case Step::Kind::hang: {
        ++hanging;
        asio::steady_timer never{loop_, asio::steady_timer::time_point::max()};
        auto waiting = never.async_wait(token);
        co_await std::move(waiting);
        co_return false;
      }
    }
    co_return false;
  }

  asio::awaitable<bool> write(Peer& peer, std::string text) {
    constexpr auto token = asio::as_tuple(asio::use_awaitable);
    if (peer.tls) {
      auto writing = asio::async_write(*peer.tls, asio::buffer(text), token);
      const auto written = co_await std::move(writing);
      co_return !std::get<0>(written);
    }
    auto writing = asio::async_write(peer.socket, asio::buffer(text), token);
    const auto written = co_await std::move(writing);
    co_return !std::get<0>(written);
  }

  asio::awaitable<bool> hear_request(Peer& peer) {
    constexpr auto token = asio::as_tuple(asio::use_awaitable);
    std::string request;
    while (!whole(request)) {
      std::array<char, 4096> piece{};
      std::tuple<boost::system::error_code, std::size_t> read;
      if (peer.tls) {
        auto reading = peer.tls->async_read_some(asio::buffer(piece), token);
        read = co_await std::move(reading);
      } else {
        auto reading = peer.socket.async_read_some(asio::buffer(piece), token);
        read = co_await std::move(reading);
      }
      if (std::get<0>(read)) co_return false;
      request.append(piece.data(), std::get<1>(read));
    }
    heard.push_back(std::move(request));
    co_return true;
  }

  static bool whole(const std::string& request) {
    const auto end = request.find("\r\n\r\n");
    if (end == std::string::npos) return false;
    const auto length = request.find("Content-Length: ");
    if (length == std::string::npos || length > end) return true;
    return request.size() >= end + 4 + std::stoul(request.substr(length + 16));
  }

  asio::io_context& loop_;
  typename Protocol::acceptor acceptor_;
  std::vector<Script> scripts_;
  std::shared_ptr<asio::ssl::context> tls_{};
  std::list<std::shared_ptr<Peer>> peers_{};
};
using TcpServer = ScriptedServer<tcp>;
using UnixServer = ScriptedServer<asio::local::stream_protocol>;

/// A folder of its own, removed at the end.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "tocsin-net-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error{"mkdtemp"};
    path_ = name;
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  std::string file(const std::string& name) const { return (path_ / name).string(); }
  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream{path_ / name} << text;
    return file(name);
  }

 private:
  std::filesystem::path path_;
};

/// A loop, a clock that stands still, and a network on them.
struct World {
  explicit World(NetworkOptions options = {})
      : network{make_network(loop.get_executor(), clock, std::move(options))} {}
  ~World() {
    // Scripts still waiting end with the loop.
    loop.stop();
  }
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  static tcp::endpoint anywhere() { return {asio::ip::address_v4::loopback(), 0}; }

  HttpRequest request(std::uint16_t port, const std::string& target = "/") const {
    HttpRequest out;
    out.url = {"http", "127.0.0.1", port, target};
    out.deadline = clock.steady() + 5s;
    return out;
  }
  HttpOutcome http(HttpRequest wanted) {
    return fakes::run_to_end(loop, network->http(std::move(wanted)));
  }
  ConnectOutcome connect(ConnectRequest wanted) {
    return fakes::run_to_end(loop, network->connect(std::move(wanted)));
  }

  /// Begins the call, lets it come as far as `ready` says, moves time on by `step`, and ends it.
  template <class T, class Ready>
  T past(asio::awaitable<T> call, Ready ready, Duration step = 5s) {
    std::optional<T> result;
    asio::co_spawn(loop, fakes::keep(std::move(call), result), [](std::exception_ptr fault) {
      if (fault) std::rethrow_exception(fault);
    });
    loop.restart();
    while (!ready() && loop.run_one() > 0) {
    }
    fakes::settle(loop);
    clock.advance(step);
    loop.restart();
    while (!result && loop.run_one() > 0) {
    }
    return std::move(result).value();
  }

  fakes::ManualClock clock{};  // First: what sleeps on it ends with the loop.
  asio::io_context loop{1};
  std::unique_ptr<Network> network;
};

/// A port that nobody listens on, now.
inline std::uint16_t closed_port() {
  asio::io_context loop;
  return tcp::acceptor{loop, World::anywhere()}.local_endpoint().port();
}

}  // namespace tocsin::net::testing
