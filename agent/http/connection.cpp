#include "agent/http/connection.hpp"

#include <array>
#include <optional>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/multiple_exceptions.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

#include "agent/http/request.hpp"
#include "tocsin/async/wakeup.hpp"
#include "tocsin/base/limits.hpp"

namespace tocsin::http {
namespace {

namespace beast = boost::beast;
using namespace std::chrono_literals;

/// How long a peer may take: between requests, for one whole request, and to take the answer. A
/// handler gets the longest.
constexpr Duration idle_most = 60s;
constexpr Duration request_most = 10s;
constexpr Duration answer_most = 60s;
constexpr auto no_throw = asio::as_tuple(asio::use_awaitable);

/// One connection's limit in time: moved by the serving coroutine, watched by the other.
class Patience {
 public:
  Patience(asio::any_io_executor executor, Clock& clock, Duration at_first)
      : clock_{clock}, until_{clock.steady() + at_first}, sooner_{std::move(executor)} {}
  void give(Duration more) {
    const auto before = std::exchange(until_, clock_.steady() + more);
    if (until_ < before) sooner_.raise();
  }
  bool over() const { return clock_.steady() >= until_; }
  asio::awaitable<void> run_out() {
    while (!over()) {
      auto waiting = sooner_.wait_until(clock_, until_);
      co_await std::move(waiting);
    }
  }

 private:
  Clock& clock_;
  SteadyTime until_;
  Wakeup sooner_;
};

template <class Stream>
asio::awaitable<bool> send(Stream& stream, const Response& response, bool keep_alive, bool head) {
  const auto fill = [&](auto& message) {
    message.keep_alive(keep_alive);
    message.set(beast::http::field::server, "tocsin");
    if (!response.content_type.empty())
      message.set(beast::http::field::content_type, response.content_type);
    for (const auto& [name, value] : response.headers) message.set(name, value);
    message.content_length(response.body.size());
  };
  const auto status = static_cast<beast::http::status>(response.status);
  bool sent = false;
  if (head) {
    beast::http::response<beast::http::empty_body> message{status, 11};
    fill(message);
    beast::http::response_serializer<beast::http::empty_body> serializer{message};
    auto writing = beast::http::async_write_header(stream, serializer, no_throw);
    const auto outcome = co_await std::move(writing);
    const auto& [problem, bytes] = outcome;
    sent = !problem && bytes > 0;
  } else {
    beast::http::response<beast::http::string_body> message{status, 11, response.body};
    fill(message);
    auto writing = beast::http::async_write(stream, message, no_throw);
    const auto outcome = co_await std::move(writing);
    const auto& [problem, bytes] = outcome;
    sent = !problem && bytes > 0;
  }
  co_return sent;
}

/// The answer to what could not be read, or nothing when there is nobody to answer.
std::optional<Response> answer_to(const boost::system::error_code& problem) {
  using beast::http::error;
  if (problem == error::header_limit || problem == error::buffer_overflow) {
    return error_response(431, "the request's header is larger than 64 KiB");
  }
  if (problem == error::body_limit)
    return error_response(413, "the request's body is larger than 1 MiB");
  if (problem == error::end_of_stream || problem == error::partial_message) return std::nullopt;
  if (problem.category() == beast::http::make_error_code(error::end_of_stream).category()) {
    return error_response(400, "this is not an HTTP/1.1 request: " + problem.message());
  }
  return std::nullopt;
}

Response unauthorized() {
  auto response = error_response(401, "a user and password are needed");
  response.headers.emplace_back("WWW-Authenticate", "Basic realm=\"tocsin\", charset=\"UTF-8\"");
  return response;
}

/// Runs the handler; what it throws is told to the log, and the peer learns only that something
/// went wrong.
asio::awaitable<Response> routed(Site& site, Request request) {
  const auto what = request.method + " " + request.path;
  std::string fault;
  try {
    auto routing = site.router.route(std::move(request));
    auto response = co_await std::move(routing);
    co_return response;
  } catch (const boost::system::system_error& problem) {
    if (problem.code() == asio::error::operation_aborted) throw;
    fault = problem.what();
  } catch (const asio::multiple_exceptions&) {  // A race that was cancelled.
    throw;
  } catch (const std::exception& problem) {
    fault = problem.what();
  }
  if (site.on_fault) site.on_fault(what + ": " + fault);
  co_return error_response(500, "something went wrong inside; the agent's log says what");
}

asio::awaitable<Response> answer(Site& site, const Peer& peer,
                                 beast::http::request<beast::http::string_body> message) {
  auto user = peer.user;
  bool trusted = peer.trusted;
  if (site.passwords) {
    auto given = parse_basic(std::string{message[beast::http::field::authorization]});
    if (!given) co_return unauthorized();
    const auto name = given->user;
    auto checking = site.passwords->accepts(*std::move(given));
    const bool accepted = co_await std::move(checking);
    if (!accepted) co_return unauthorized();
    user = name;
    trusted = true;
  }
  auto request = to_request(std::move(message));
  if (!request) co_return error_response(400, "the request's target cannot be read");
  request->user = std::move(user);
  request->trusted = trusted;
  auto routing = routed(site, *std::move(request));
  auto response = co_await std::move(routing);
  co_return response;
}

template <class Stream>
asio::awaitable<void> converse(Site& site, Stream& stream, Peer peer, Patience& patience) {
  beast::flat_buffer buffer{limits::http_header_bytes + (16u << 10)};
  for (;;) {
    beast::http::request_parser<beast::http::string_body> parser;
    parser.header_limit(static_cast<std::uint32_t>(limits::http_header_bytes));
    parser.body_limit(limits::http_request_bytes);
    boost::system::error_code problem;
    if (buffer.size() == 0) {
      // Between requests a peer may rest; once the first byte is there, the rest must follow.
      patience.give(idle_most);
      buffer.shrink_to_fit();
      auto resting = stream.async_read_some(buffer.prepare(2048), no_throw);
      const auto outcome = co_await std::move(resting);
      const auto& [ended, first_bytes] = outcome;
      if (ended) co_return;
      buffer.commit(first_bytes);
    }
    patience.give(request_most);
    auto reading = beast::http::async_read(stream, buffer, parser, no_throw);
    const auto outcome = co_await std::move(reading);
    const auto& [unread, bytes] = outcome;
    problem = unread;
    patience.give(answer_most);
    if (problem) {
      const auto refusal = answer_to(problem);
      if (refusal) {
        auto refusing = send(stream, *refusal, false, false);
        co_await std::move(refusing);
      }
      co_return;
    }
    const bool keep_alive = parser.get().keep_alive();
    const bool head = parser.get().method() == beast::http::verb::head;
    auto answering = answer(site, peer, parser.release());
    const auto response = co_await std::move(answering);
    auto sending = send(stream, response, keep_alive, head);
    const bool sent = co_await std::move(sending);
    if (!sent || !keep_alive) co_return;
  }
}

/// Ends the work when patience runs out, whatever it waits for.
asio::awaitable<void> within(asio::awaitable<void> work, Patience& patience) {
  using namespace asio::experimental::awaitable_operators;
  auto race = std::move(work) || patience.run_out();
  co_await std::move(race);
}

/// A FIN, and what the peer still sends is read for a moment: closing at once would be a RST that
/// takes our answer with it.
template <class Socket>
asio::awaitable<void> linger(Socket& socket, Patience& patience) {
  using namespace asio::experimental::awaitable_operators;
  boost::system::error_code ignored;
  socket.shutdown(Socket::shutdown_send, ignored);
  std::array<char, 4096> rest;
  for (std::size_t read = 0; read < limits::http_request_bytes && !patience.over();) {
    auto reading = socket.async_read_some(asio::buffer(rest), no_throw);
    const auto outcome = co_await std::move(reading);
    const auto& [problem, bytes] = outcome;
    if (problem) co_return;
    read += bytes;
  }
}

template <class Socket>
asio::awaitable<void> serve_socket(std::shared_ptr<Site> site, Socket socket, Peer peer) {
  auto executor = co_await asio::this_coro::executor;
  Patience patience{executor, site->clock, request_most};
  auto whole = within(converse(*site, socket, std::move(peer), patience), patience);
  co_await std::move(whole);
  Patience last{executor, site->clock, 1s};
  auto parting = within(linger(socket, last), last);
  co_await std::move(parting);
}

using TlsStream = asio::ssl::stream<asio::ip::tcp::socket>;

asio::awaitable<void> handshake_and_converse(Site& site, TlsStream& stream, bool certified,
                                             Patience& patience) {
  auto shaking = stream.async_handshake(asio::ssl::stream_base::server, no_throw);
  const auto outcome = co_await std::move(shaking);
  const auto& [problem] = outcome;
  if (problem) co_return;
  Peer peer;
  peer.trusted = certified;
  if (certified) peer.user = "client certificate";
  auto talking = converse(site, stream, std::move(peer), patience);
  co_await std::move(talking);
  patience.give(1s);
  auto parting = stream.async_shutdown(no_throw);
  co_await std::move(parting);
}

}  // namespace

asio::awaitable<void> serve_plain(std::shared_ptr<Site> site, asio::ip::tcp::socket socket,
                                  Peer peer) {
  auto serving = serve_socket(std::move(site), std::move(socket), std::move(peer));
  co_await std::move(serving);
}

asio::awaitable<void> serve_unix(std::shared_ptr<Site> site,
                                 asio::local::stream_protocol::socket socket, Peer peer) {
  auto serving = serve_socket(std::move(site), std::move(socket), std::move(peer));
  co_await std::move(serving);
}

asio::awaitable<void> serve_tls(std::shared_ptr<Site> site, asio::ip::tcp::socket socket,
                                std::shared_ptr<asio::ssl::context> context, bool certified) {
  TlsStream stream{std::move(socket), *context};
  auto executor = co_await asio::this_coro::executor;
  Patience patience{executor, site->clock, request_most};
  auto whole = within(handshake_and_converse(*site, stream, certified, patience), patience);
  co_await std::move(whole);
}

}  // namespace tocsin::http
