#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/net/loopback.hpp"

namespace tocsin::net::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(Http, AnswersWithStatusHeadersBodyAndTimes) {
  World world;
  TcpServer server{world.loop, World::anywhere(), {{hear(), say(http_ok("fine", "X-A: b\r\n"))}}};
  const auto outcome = world.http(world.request(server.port(), "/health?deep=1"));
  ASSERT_TRUE(outcome.response) << outcome.failure->error.detail;
  EXPECT_FALSE(outcome.failure);
  EXPECT_EQ(outcome.response->status, 200);
  EXPECT_EQ(outcome.response->body, "fine");
  EXPECT_EQ(outcome.response->header("x-a"), "b");
  EXPECT_TRUE(outcome.response->times.connect);
  EXPECT_TRUE(outcome.response->times.first_byte);
  EXPECT_TRUE(outcome.response->times.total);
  EXPECT_FALSE(outcome.response->times.tls);
  EXPECT_EQ(server.heard.at(0),
            "GET /health?deep=1 HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(server.port()) +
                "\r\nUser-Agent: tocsin\r\nAccept: */*\r\n"
                "Connection: close\r\n\r\n");
}

TEST(Http, SendsABodyOfAnySizeItMay) {
  World world;
  TcpServer server{world.loop, World::anywhere(), {{hear(), say(http_ok("ok"))}}};
  auto request = world.request(server.port());
  request.method = "POST";
  request.body = std::string(900'000, 'x');
  request.headers = {{"Content-Type", "text/plain"}, {"Content-Length", "1"}, {"Host", "named"}};
  const auto outcome = world.http(request);
  ASSERT_TRUE(outcome.response) << outcome.failure->error.detail;
  EXPECT_THAT(server.heard.at(0), StartsWith("POST / HTTP/1.1\r\nContent-Type: text/plain\r\n"
                                             "Host: named\r\nUser-Agent"));
  EXPECT_THAT(server.heard.at(0), HasSubstr("\r\nContent-Length: 900000\r\n\r\nxxx"));

  request.body.resize(limits::http_request_bytes);
  const auto refused = world.http(request);
  ASSERT_TRUE(refused.failure);
  EXPECT_EQ(refused.failure->error.code, Errc::too_large);
  EXPECT_FALSE(refused.failure->sent);
}

TEST(Http, RefusesToSendALineBreakInAHeader) {
  World world;
  auto request = world.request(1);
  request.headers = {{"X-A", "b\r\nX-Evil: c"}};
  const auto outcome = world.http(request);
  ASSERT_TRUE(outcome.failure);
  EXPECT_EQ(outcome.failure->error.code, Errc::malformed);
  EXPECT_THAT(outcome.failure->error.detail, Not(HasSubstr("Evil")));
}

TEST(Http, RefusedConnectionNamesThePlaceAndTheReason) {
  World world;
  const auto port = closed_port();
  const auto outcome = world.http(world.request(port));
  ASSERT_TRUE(outcome.failure);
  EXPECT_EQ(outcome.failure->phase, NetPhase::connect);
  EXPECT_EQ(outcome.failure->error.code, Errc::unreachable);
  EXPECT_EQ(outcome.failure->error.detail,
            "connect to 127.0.0.1:" + std::to_string(port) + " failed: Connection refused");
  EXPECT_FALSE(outcome.failure->sent);
}

TEST(Http, AServerThatAcceptsAndSaysNothingTimesOut) {
  World world;
  TcpServer server{world.loop, World::anywhere(), {{hear(), hang()}}};
  const auto outcome = world.past(world.network->http(world.request(server.port())),
                                  [&] { return server.hanging == 1; });
  ASSERT_TRUE(outcome.failure);
  EXPECT_EQ(outcome.failure->phase, NetPhase::first_byte);
  EXPECT_EQ(outcome.failure->error.code, Errc::timed_out);
  EXPECT_TRUE(outcome.failure->sent);
  EXPECT_EQ(outcome.failure->error.detail,
            "no answer from 127.0.0.1:" + std::to_string(server.port()) + " after 5s");
}

TEST(Http, AFullBacklogTimesOutInConnect) {
  World world;
  tcp::acceptor full{world.loop};
  full.open(tcp::v4());
  full.bind(World::anywhere());
  full.listen(0);
  // The kernel keeps one more than asked for; the rest are left unanswered.
  std::vector<tcp::socket> takers;
  for (int i = 0; i < 3; ++i) {
    auto& taker = takers.emplace_back(world.loop);
    taker.open(tcp::v4());
    taker.non_blocking(true);
    const auto at = full.local_endpoint();
    (void)::connect(taker.native_handle(), at.data(), static_cast<socklen_t>(at.size()));
  }
  const auto port = full.local_endpoint().port();
  const auto outcome = world.past(world.network->http(world.request(port)), [] { return true; });
  ASSERT_TRUE(outcome.failure);
  EXPECT_EQ(outcome.failure->phase, NetPhase::connect);
  EXPECT_EQ(outcome.failure->error.code, Errc::timed_out);
  EXPECT_THAT(outcome.failure->error.detail, HasSubstr("timed out after 5s"));
}

TEST(Http, OneByteAtATimeIsAnAnswerToo) {
  World world;
  TcpServer server{world.loop, World::anywhere(), {{hear(), drip(http_ok("slowly"))}}};
  const auto outcome = world.http(world.request(server.port()));
  ASSERT_TRUE(outcome.response) << outcome.failure->error.detail;
  EXPECT_EQ(outcome.response->body, "slowly");
}

TEST(Http, ABodyThatNeverEndsTimesOutAndSaysHowMuchCame) {
  World world;
  TcpServer server{
      world.loop,
      World::anywhere(),
      {{hear(), say("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n0123456789"), hang()}}};
  const auto outcome = world.past(world.network->http(world.request(server.port())),
                                  [&] { return server.hanging == 1; });
  ASSERT_TRUE(outcome.failure);
  EXPECT_EQ(outcome.failure->phase, NetPhase::body);
  EXPECT_EQ(outcome.failure->error.code, Errc::timed_out);
  EXPECT_THAT(outcome.failure->error.detail, HasSubstr("was not complete after 5s (10 B"));
}

TEST(Http, BodiesAreBounded) {
  const std::string chunk = "10000\r\n" + std::string(0x10000, 'z') + "\r\n";
  std::string chunks = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (int i = 0; i < 20; ++i) chunks += chunk;
  const std::string answers[] = {"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\nx", chunks,
                                 "HTTP/1.0 200 OK\r\n\r\n" + std::string(2u << 20, 'y')};
  for (const auto& answer : answers) {
    World world;
    TcpServer server{world.loop, World::anywhere(), {{hear(), say(answer)}}};
    const auto outcome = world.http(world.request(server.port()));
    ASSERT_TRUE(outcome.failure) << answer.substr(0, 40);
    EXPECT_EQ(outcome.failure->error.code, Errc::too_large);
    EXPECT_EQ(outcome.failure->phase, NetPhase::body);
    EXPECT_THAT(outcome.failure->error.detail, HasSubstr("body is larger than 1 MiB"));
  }
}

TEST(Http, HeadersAreBounded) {
  const std::string answers[] = {
      "HTTP/1.1 200 OK\r\nX-Long: " + std::string(200'000, 'a') + "\r\n\r\n",
      "HTTP/1.1 200 " + std::string(200'000, 'a'),
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;" + std::string(300'000, 'a'), [] {
        std::string many = "HTTP/1.1 200 OK\r\n";
        for (int i = 0; i < 300; ++i) many += "A: b\r\n";
        return many + "\r\n";
      }()};
  for (const auto& answer : answers) {
    World world;
    TcpServer server{world.loop, World::anywhere(), {{hear(), say(answer), hang()}}};
    const auto outcome = world.http(world.request(server.port()));
    ASSERT_TRUE(outcome.failure) << answer.substr(0, 40);
    EXPECT_EQ(outcome.failure->error.code, Errc::too_large) << outcome.failure->error.detail;
  }
}

TEST(Http, CutsAreToldApart) {
  struct Row {
    Script script;
    NetPhase phase;
    Errc code;
    std::string sentence;
  };
  const Row table[] = {
      {{fin(), hear()},
       NetPhase::first_byte,
       Errc::disconnected,
       "closed the connection without an answer"},
      {{hear()},
       NetPhase::first_byte,
       Errc::disconnected,
       "closed the connection without an answer"},
      {{hear(), reset()},
       NetPhase::first_byte,
       Errc::disconnected,
       "broke the connection (Connection reset by peer) without an answer"},
      {{hear(), say("HTTP/1.1 20")},
       NetPhase::body,
       Errc::disconnected,
       "in the middle of its answer"},
      {{hear(), say("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")},
       NetPhase::body,
       Errc::disconnected,
       "in the middle of its answer (3 B of the body came)"},
      {{hear(), say("SSH-2.0-OpenSSH_9.2\r\n")},
       NetPhase::first_byte,
       Errc::protocol,
       "is not HTTP"},
      {{hear(), say(std::string("\0\1\2\xff\r\n\r\n", 8))},
       NetPhase::first_byte,
       Errc::protocol,
       "is not HTTP"},
      {{hear(), say("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n")},
       NetPhase::first_byte,
       Errc::protocol,
       "is not HTTP"},
  };
  for (const auto& row : table) {
    World world;
    TcpServer server{world.loop, World::anywhere(), {row.script}};
    const auto outcome = world.http(world.request(server.port()));
    ASSERT_TRUE(outcome.failure) << row.sentence;
    EXPECT_EQ(outcome.failure->phase, row.phase) << outcome.failure->error.detail;
    EXPECT_EQ(outcome.failure->error.code, row.code) << outcome.failure->error.detail;
    EXPECT_THAT(outcome.failure->error.detail, HasSubstr(row.sentence));
    EXPECT_TRUE(outcome.failure->sent);
  }
}

TEST(Http, AnswersOfManyShapes) {
  const std::pair<std::string, std::string> table[] = {
      {"HTTP/1.0 200 OK\r\n\r\nuntil the end", "until the end"},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
       "abcde"},
      {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "ok"},
      {"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + http_ok("late"), "late"},
      {"HTTP/1.1 200 OK\r\nX: " + std::string(40'000, 'x') + "\r\nContent-Length: 1\r\n\r\n1", "1"},
  };
  for (const auto& [answer, body] : table) {
    for (const bool slow : {false, true}) {
      if (slow && answer.size() > 1000) continue;
      World world;
      TcpServer server{
          world.loop, World::anywhere(), {{hear(), slow ? drip(answer) : say(answer)}}};
      const auto outcome = world.http(world.request(server.port()));
      ASSERT_TRUE(outcome.response) << outcome.failure->error.detail;
      EXPECT_EQ(outcome.response->status, 200);
      EXPECT_EQ(outcome.response->body, body);
    }
  }
}

TEST(Http, HeadHasNoBodyWhateverItsLengthSays) {
  World world;
  TcpServer server{world.loop,
                   World::anywhere(),
                   {{hear(), say("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n"), hang()}}};
  auto request = world.request(server.port());
  request.method = "HEAD";
  const auto outcome = world.http(request);
  ASSERT_TRUE(outcome.response) << outcome.failure->error.detail;
  EXPECT_EQ(outcome.response->header("content-length"), "500");
}

TEST(Http, SpeaksOverAUnixSocket) {
  World world;
  const TemporaryFolder folder;
  UnixServer server{world.loop, folder.file("s"), {{hear(), say(http_ok("local"))}}};
  auto request = world.request(80, "/x");
  request.url.host = "control";
  request.unix_socket = folder.file("s");
  const auto outcome = world.http(request);
  ASSERT_TRUE(outcome.response) << outcome.failure->error.detail;
  EXPECT_EQ(outcome.response->body, "local");
  EXPECT_THAT(server.heard.at(0), HasSubstr("Host: control\r\n"));

  request.unix_socket = folder.file("absent");
  const auto missing = world.http(request);
  ASSERT_TRUE(missing.failure);
  EXPECT_THAT(missing.failure->error.detail, HasSubstr("absent failed: No such file"));
  request.unix_socket = std::string(300, 'x');
  EXPECT_THAT(world.http(request).failure->error.detail, HasSubstr("too long"));
}

TEST(Http, ASocketThatWeMayNotOpenSaysNothingOfItsServer) {
  World world;
  const TemporaryFolder folder;
  UnixServer server{world.loop, folder.file("s"), {{hear(), hang()}}};
  ASSERT_EQ(chmod(folder.file("s").c_str(), 0), 0);
  auto request = world.request(80);
  request.unix_socket = folder.file("s");
  // Modes do not stop root: be somebody else for the time of the request.
  const bool is_root = geteuid() == 0;
  if (is_root) {
    EXPECT_EQ(seteuid(65534), 0);
  }
  const auto outcome = world.http(request);
  if (is_root) {
    EXPECT_EQ(seteuid(0), 0);
  }
  ASSERT_TRUE(outcome.failure);
  EXPECT_EQ(outcome.failure->error.code, Errc::unreadable);
  EXPECT_THAT(outcome.failure->error.detail,
              HasSubstr("is not allowed to tocsin's user: Permission denied"));
}

TEST(Http, ADeadlineInThePastEndsAtOnce) {
  World world;
  TcpServer server{world.loop, World::anywhere(), {{hear(), hang()}}};
  auto request = world.request(server.port());
  request.deadline = world.clock.steady() - 1s;
  const auto outcome = world.http(request);
  ASSERT_TRUE(outcome.failure);
  EXPECT_EQ(outcome.failure->error.code, Errc::timed_out);
}

TEST(KeepAlive, ConnectionsAreUsedAgain) {
  World world;
  TcpServer server{world.loop,
                   World::anywhere(),
                   {{hear(), say(http_ok("1")), hear(), say(http_ok("2")), hang()}}};
  auto request = world.request(server.port());
  request.reuse = Reuse::keep_alive;
  EXPECT_EQ(world.http(request).response->body, "1");
  EXPECT_EQ(world.http(request).response->body, "2");
  EXPECT_EQ(server.connections, 1);
  EXPECT_THAT(server.heard.at(0), Not(HasSubstr("Connection:")));
}

TEST(KeepAlive, AConnectionThePeerClosedIsReplacedBeforeAnythingIsSent) {
  World world;
  TcpServer server{world.loop,
                   World::anywhere(),
                   {{hear(), say(http_ok("1"))}, {hear(), say(http_ok("2")), hang()}}};
  auto request = world.request(server.port());
  request.reuse = Reuse::keep_alive;
  request.method = "POST";
  EXPECT_EQ(world.http(request).response->body, "1");
  fakes::settle(world.loop);
  EXPECT_EQ(world.http(request).response->body, "2");
  EXPECT_EQ(server.connections, 2);
}

TEST(KeepAlive, APostThatMayHaveBeenActedOnIsNotRepeated) {
  for (const std::string method : {"POST", "GET"}) {
    World world;
    TcpServer server{
        world.loop,
        World::anywhere(),
        {{hear(), say(http_ok("1")), hear(), reset()}, {hear(), say(http_ok("2")), hang()}}};
    auto request = world.request(server.port());
    request.reuse = Reuse::keep_alive;
    request.method = method;
    EXPECT_EQ(world.http(request).response->body, "1");
    const auto second = world.http(request);
    if (method == "GET") {
      ASSERT_TRUE(second.response);
      EXPECT_EQ(second.response->body, "2");
    } else {
      ASSERT_TRUE(second.failure);
      EXPECT_TRUE(second.failure->sent);
      EXPECT_EQ(server.connections, 1);
    }
  }
}

TEST(KeepAlive, IdleConnectionsEndAfterAWhile) {
  World world;
  TcpServer server{world.loop, World::anywhere(), {{hear(), say(http_ok("1")), hear(), hang()}}};
  auto request = world.request(server.port());
  request.reuse = Reuse::keep_alive;
  EXPECT_EQ(world.http(request).response->body, "1");
  fakes::run_for(world.loop, world.clock, 2min);
  EXPECT_EQ(server.hanging, 0) << "the script went on to hear a second request";
  request.deadline = world.clock.steady() + 5s;
  EXPECT_EQ(world.http(request).response->body, "1");
  EXPECT_EQ(server.connections, 2);
}

TEST(KeepAlive, AnAnswerThatClosesIsNotKept) {
  World world;
  TcpServer server{world.loop,
                   World::anywhere(),
                   {{hear(), say(http_ok("1", "Connection: close\r\n")), hang()}}};
  auto request = world.request(server.port());
  request.reuse = Reuse::keep_alive;
  EXPECT_EQ(world.http(request).response->body, "1");
  EXPECT_EQ(world.http(request).response->body, "1");
  EXPECT_EQ(server.connections, 2);
}

}  // namespace
}  // namespace tocsin::net::testing
