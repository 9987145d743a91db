#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket/ssl.hpp>
#include <boost/beast/websocket/stream.hpp>

#include "tests/unit/net/certificates.hpp"
#include "tests/unit/net/loopback.hpp"
#include "tocsin/net/websocket.hpp"

namespace tocsin::net::testing {
namespace {

namespace websocket = boost::beast::websocket;
using ::testing::HasSubstr;

/// What the server says before it echoes what it hears.
struct Manners {
  std::vector<std::string> first{};
  bool closes{false};  ///< With a reason, instead of echoing.
};

/// Serves one connection as Beast's own server does.
template <class Stream>
asio::awaitable<void> serve(Stream& stream, const Manners& manners) {
  constexpr auto token = asio::as_tuple(asio::use_awaitable);
  auto accepting = stream.async_accept(token);
  const auto accepted = co_await std::move(accepting);
  if (std::get<0>(accepted)) co_return;
  for (const auto& words : manners.first) {
    auto saying = stream.async_write(asio::buffer(words), token);
    co_await std::move(saying);
  }
  if (manners.closes) {
    auto closing = stream.async_close({websocket::close_code::try_again_later, "too many"}, token);
    co_await std::move(closing);
    co_return;
  }
  for (;;) {
    boost::beast::flat_buffer room;
    auto hearing = stream.async_read(room, token);
    const auto heard = co_await std::move(hearing);
    if (std::get<0>(heard)) co_return;
    auto saying = stream.async_write(room.data(), token);
    co_await std::move(saying);
  }
}

struct SocketWorld : World {
  explicit SocketWorld(Manners with = {}) : manners{std::move(with)} {
    asio::co_spawn(loop, accept(), asio::detached);
  }

  asio::awaitable<void> accept() {
    for (;;) {
      auto accepting = acceptor.async_accept(asio::use_awaitable);
      auto socket = co_await std::move(accepting);
      if (tls) {
        using Secure = websocket::stream<asio::ssl::stream<tcp::socket>>;
        const auto stream = std::make_shared<Secure>(std::move(socket), *tls);
        streams.push_back(stream);
        auto shaking = stream->next_layer().async_handshake(asio::ssl::stream_base::server,
                                                            asio::as_tuple(asio::use_awaitable));
        co_await std::move(shaking);
        auto serving = serve(*stream, manners);
        co_await std::move(serving);
      } else {
        const auto stream = std::make_shared<websocket::stream<tcp::socket>>(std::move(socket));
        streams.push_back(stream);
        auto serving = serve(*stream, manners);
        co_await std::move(serving);
      }
    }
  }

  WebSocketRequest request(std::uint16_t port) const {
    WebSocketRequest wanted;
    wanted.url = {"http", "127.0.0.1", port, "/socket"};
    wanted.deadline = clock.steady() + 5s;
    return wanted;
  }
  WebSocketOutcome open(WebSocketRequest wanted) {
    return fakes::run_to_end(loop, network->websocket(std::move(wanted)));
  }
  WebSocketOutcome open() { return open(request(acceptor.local_endpoint().port())); }

  Manners manners;
  std::shared_ptr<asio::ssl::context> tls{};
  std::list<std::shared_ptr<void>> streams{};
  tcp::acceptor acceptor{loop, anywhere()};
};

TEST(WebSocket, SaysAndHears) {
  SocketWorld world;
  const auto opened = world.open();
  ASSERT_TRUE(opened.socket) << opened.failure->error.detail;
  EXPECT_EQ(opened.status, 101);
  EXPECT_TRUE(opened.times.connect && opened.times.first_byte && opened.times.total);
  ASSERT_TRUE(fakes::run_to_end(world.loop, opened.socket->say("hello")));
  EXPECT_EQ(fakes::run_to_end(world.loop, opened.socket->hear()).value_or("?"), "hello");
  ASSERT_TRUE(fakes::run_to_end(world.loop, opened.socket->say(std::string(100'000, 'x'))));
  EXPECT_EQ(fakes::run_to_end(world.loop, opened.socket->hear()).value_or("?").size(), 100'000u);
}

TEST(WebSocket, PingsAreAnsweredWhateverComesBefore) {
  for (const auto& first : {std::vector<std::string>{}, std::vector<std::string>{"a", "b"}}) {
    SocketWorld world{{.first = first}};
    const auto opened = world.open();
    ASSERT_TRUE(opened.socket) << opened.failure->error.detail;
    const auto pinged = fakes::run_to_end(world.loop, opened.socket->ping());
    EXPECT_TRUE(pinged) << pinged.error().detail;
    EXPECT_FALSE(fakes::run_to_end(world.loop, opened.socket->hear())) << "it was the last thing";
  }
}

TEST(WebSocket, SpeaksTls) {
  SocketWorld world;
  const auto now = world.clock.wall();
  const Identity authority{
      {.subject = "CA", .from = now - 24h, .until = now + 240h, .authority = true}};
  const Identity server{{.names = "IP:127.0.0.1", .from = now - 24h, .until = now + 48h},
                        &authority};
  world.tls = server.server_context();
  const TemporaryFolder folder;
  auto wanted = world.request(world.acceptor.local_endpoint().port());
  wanted.url.scheme = "https";
  wanted.tls.ca_file = folder.write("ca.pem", authority.certificate_pem());
  const auto opened = world.open(wanted);
  ASSERT_TRUE(opened.socket) << opened.failure->error.detail;
  EXPECT_TRUE(opened.certificate);
  ASSERT_TRUE(fakes::run_to_end(world.loop, opened.socket->say("hello")));
  EXPECT_EQ(fakes::run_to_end(world.loop, opened.socket->hear()).value_or("?"), "hello");
  const auto pinged = fakes::run_to_end(world.loop, opened.socket->ping());
  EXPECT_TRUE(pinged) << pinged.error().detail;
}

TEST(WebSocket, AGoodbyeIsToldWithItsReason) {
  SocketWorld world{{.closes = true}};
  const auto opened = world.open();
  ASSERT_TRUE(opened.socket);
  const auto heard = fakes::run_to_end(world.loop, opened.socket->hear());
  ASSERT_FALSE(heard);
  EXPECT_EQ(heard.error().code, Errc::disconnected);
  EXPECT_EQ(heard.error().detail,
            opened.socket->peer() + " closed the WebSocket with code 1013: too many");
}

TEST(WebSocket, AMessageBeyondTheBoundIsRefused) {
  SocketWorld world{{.first = {std::string(2000, 'x')}}};
  auto wanted = world.request(world.acceptor.local_endpoint().port());
  wanted.message_bytes_max = 1000;
  const auto opened = world.open(wanted);
  ASSERT_TRUE(opened.socket);
  const auto heard = fakes::run_to_end(world.loop, opened.socket->hear());
  ASSERT_FALSE(heard);
  EXPECT_EQ(heard.error().code, Errc::too_large);
}

TEST(WebSocket, ThatIsNotOpenedSaysWhy) {
  struct Row {
    Script script;
    Errc code;
    const char* words;
  };
  const Row table[] = {
      {{hear(), say("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"), hang()},
       Errc::refused,
       " did not open a WebSocket: it answered with status 404 Not Found, expected 101"},
      {{hear(), fin(), hang()}, Errc::disconnected, "to the upgrade: it closed the connection"},
      {{hear(), reset()}, Errc::disconnected, "to the upgrade: it closed the connection"},
      {{hear(), say("+PONG\r\n\r\n"), hang()},
       Errc::protocol,
       " answered something else than HTTP to the upgrade"},
  };
  for (const auto& row : table) {
    SocketWorld world;
    TcpServer server{world.loop, World::anywhere(), {row.script}};
    const auto opened = world.open(world.request(server.port()));
    ASSERT_TRUE(opened.failure) << row.words;
    EXPECT_FALSE(opened.socket);
    EXPECT_EQ(opened.failure->error.code, row.code) << opened.failure->error.detail;
    EXPECT_THAT(opened.failure->error.detail, HasSubstr(row.words));
    EXPECT_EQ(opened.status, row.code == Errc::refused ? 404 : 0);
  }
}

TEST(WebSocket, EndsByItsDeadline) {
  SocketWorld world;
  TcpServer server{world.loop, World::anywhere(), {{hear(), hang()}}};
  const auto opened = world.past(world.network->websocket(world.request(server.port())),
                                 [&] { return server.hanging == 1; });
  ASSERT_TRUE(opened.failure);
  EXPECT_EQ(opened.failure->error.code, Errc::timed_out);
  EXPECT_THAT(opened.failure->error.detail, HasSubstr("to the upgrade after 5s"));

  const auto silent = world.open();
  ASSERT_TRUE(silent.socket);
  const auto heard = world.past(silent.socket->hear(), [] { return true; });
  ASSERT_FALSE(heard);
  EXPECT_EQ(heard.error().code, Errc::timed_out);
}

}  // namespace
}  // namespace tocsin::net::testing
