#include "tests/fakes/program/loopback_server.hpp"

#include <array>
#include <exception>
#include <utility>

#include <fmt/format.h>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

namespace tocsin::fakes {
namespace {

namespace http = boost::beast::http;
using tcp = asio::ip::tcp;
constexpr auto quietly = asio::as_tuple(asio::use_awaitable);
// Larger than what any vendor takes, so that the fakes get to refuse it.
constexpr std::uint64_t request_bytes_most = 16u << 20;

HttpCall call_of(http::request<http::string_body>& request) {
  HttpCall call{};
  call.method = std::string_view{request.method_string()};
  call.target = std::string_view{request.target()};
  for (const auto& field : request) {
    call.headers.emplace_back(std::string_view{field.name_string()},
                              std::string_view{field.value()});
  }
  call.body = std::move(request.body());
  return call;
}

std::string head_of(const HttpReply& reply, bool keep_alive) {
  const std::string_view reason{http::obsolete_reason(static_cast<http::status>(reply.status))};
  auto head = fmt::format("HTTP/1.1 {} {}\r\n", reply.status, reason);
  for (const auto& [name, value] : reply.headers) head += fmt::format("{}: {}\r\n", name, value);
  head += fmt::format("content-length: {}\r\n{}\r\n", reply.body.size(),
                      keep_alive ? "" : "connection: close\r\n");
  return head;
}

void hurry(tcp::socket& socket) {
  boost::system::error_code ignored;
  socket.set_option(tcp::no_delay{true}, ignored);
}

// What leaves a connection is an error of the peer's making: the connection ends, nothing else.
void forget(std::exception_ptr) {}

}  // namespace

LoopbackServer::LoopbackServer(asio::io_context& loop, std::uint16_t port, Answer answer)
    : loop_{loop},
      answer_{std::move(answer)},
      endpoint_{asio::ip::address_v4::loopback(), port},
      acceptor_{loop} {
  open();
  endpoint_ = acceptor_.local_endpoint();
}

std::string LoopbackServer::address() const {
  return fmt::format("127.0.0.1:{}", endpoint_.port());
}

void LoopbackServer::open() {
  if (acceptor_.is_open()) return;
  acceptor_.open(endpoint_.protocol());
  acceptor_.set_option(tcp::acceptor::reuse_address{true});
  acceptor_.bind(endpoint_);
  acceptor_.listen();
  asio::co_spawn(loop_, accept(), forget);
}

void LoopbackServer::close() {
  boost::system::error_code ignored;
  acceptor_.close(ignored);
  for (auto* socket : *open_) socket->close(ignored);
}

asio::awaitable<void> LoopbackServer::accept() {
  for (;;) {
    auto [problem, socket] = co_await acceptor_.async_accept(quietly);
    if (!acceptor_.is_open()) co_return;
    if (problem) continue;
    hurry(socket);
    asio::co_spawn(loop_, serve(std::move(socket)), forget);
  }
}

asio::awaitable<void> LoopbackServer::serve(tcp::socket socket) {
  struct Listed {
    std::shared_ptr<std::set<tcp::socket*>> all;
    tcp::socket* one;
    ~Listed() { all->erase(one); }
  };
  open_->insert(&socket);
  const Listed listed{open_, &socket};
  boost::beast::flat_buffer buffer;
  bool again = true;
  while (again) {
    http::request_parser<http::string_body> parser;
    parser.body_limit(request_bytes_most);
    const auto [problem, bytes] = co_await http::async_read(socket, buffer, parser, quietly);
    static_cast<void>(bytes);
    if (problem) co_return;
    const bool keep_alive = parser.get().keep_alive();
    const auto call = call_of(parser.get());
    const auto played = answer_(call);
    auto delivered = deliver(socket, played, keep_alive);
    again = co_await std::move(delivered);
  }
}

asio::awaitable<bool> LoopbackServer::deliver(tcp::socket& socket, const Played& played,
                                              bool keep_alive) {
  if (played.end == Played::End::silent) {
    // Until the other side has had enough.
    std::array<char, 512> rest{};
    for (;;) {
      const auto [problem, bytes] = co_await socket.async_read_some(asio::buffer(rest), quietly);
      if (problem || bytes == 0) co_return false;
    }
  }
  if (played.end != Played::End::answered) co_return false;
  const auto head = head_of(played.reply, keep_alive);
  if (played.body_delay > Duration{0}) {
    const auto [problem, bytes] = co_await asio::async_write(socket, asio::buffer(head), quietly);
    static_cast<void>(bytes);
    if (problem) co_return false;
    asio::steady_timer timer{loop_, played.body_delay};
    co_await timer.async_wait(asio::use_awaitable);
    const auto [late, sent] =
        co_await asio::async_write(socket, asio::buffer(played.reply.body), quietly);
    static_cast<void>(sent);
    co_return !late && keep_alive;
  }
  const std::array<asio::const_buffer, 2> whole{asio::buffer(head),
                                                asio::buffer(played.reply.body)};
  const auto [problem, bytes] = co_await asio::async_write(socket, whole, quietly);
  static_cast<void>(bytes);
  co_return !problem && keep_alive;
}

}  // namespace tocsin::fakes
