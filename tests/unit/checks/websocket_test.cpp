#include "checks/websocket.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>

#include "tests/unit/checks/made_check.hpp"
#include "tocsin/net/websocket.hpp"

namespace tocsin {
namespace {

using namespace std::chrono_literals;
using checks_test::complaints_of;
using checks_test::made;
using checks_test::map_of;
using checks_test::names_of;
using checks_test::word;
using fakes::value_of;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// Sockets that answer as told.
class SocketNetwork final : public Network {
 public:
  asio::awaitable<HttpOutcome> http(HttpRequest) override { co_return HttpOutcome{}; }
  asio::awaitable<ConnectOutcome> connect(ConnectRequest) override { co_return ConnectOutcome{}; }
  asio::awaitable<WebSocketOutcome> websocket(WebSocketRequest request) override {
    asked.push_back(std::move(request));
    WebSocketOutcome outcome;
    outcome.status = status;
    outcome.times = {.connect = 1ms, .first_byte = 2ms};
    outcome.failure = failure;
    if (!failure) outcome.socket = std::make_unique<Socket>(*this);
    co_return outcome;
  }

  struct Socket final : WebSocket {
    explicit Socket(SocketNetwork& network) : of{network} {}
    Task<void> say(std::string text) override {
      of.said.push_back(std::move(text));
      co_return of.said_outcome;
    }
    Task<std::string> hear() override {
      ++of.hears;
      if (of.endless) co_return std::string{"tick"};
      if (of.messages.empty()) co_return of.silence;
      auto next = of.messages.front();
      of.messages.pop_front();
      co_return next;
    }
    Task<void> ping() override {
      ++of.pings;
      co_return of.pinged;
    }
    const std::string& peer() const override { return of.name; }
    SocketNetwork& of;
  };

  std::vector<WebSocketRequest> asked{};
  std::optional<HttpFailure> failure{};
  int status{101};
  std::deque<std::string> messages{};
  bool endless{false};
  Error silence{Errc::timed_out, "no message from rt:80 after 5s"};
  Result<void> said_outcome{};
  Result<void> pinged{};
  std::vector<std::string> said{};
  int pings{0};
  int hears{0};
  std::string name{"rt:80"};
};

struct SocketHost {
  SocketNetwork network{};
  fakes::FakeHost host{&network};
  std::unique_ptr<Check> of(std::vector<std::pair<std::string, Node>> more = {}) const {
    more.emplace_back("url", word("wss://rt.example/socket?v=1"));
    return made(websocket_check(), map_of(std::move(more)));
  }
};

TEST(WebSocketCheck, PingsWhenNothingElseIsAskedFor) {
  SocketHost world;
  const auto check = world.of();
  const auto samples = world.host.run(*check);
  ASSERT_TRUE(samples);
  EXPECT_THAT(names_of(*check, *samples),
              ElementsAre("up", "connect_seconds", "upgrade_seconds", "round_trip_seconds",
                          "total_seconds", "status"));
  EXPECT_EQ(value_of(*check, *samples, "up"), 1);
  EXPECT_EQ(value_of(*check, *samples, "upgrade_seconds"), 0.002);
  EXPECT_EQ(world.network.pings, 1);
  const auto& request = world.network.asked.at(0);
  EXPECT_EQ(request.url, (Url{"https", "rt.example", 443, "/socket?v=1"}));
  EXPECT_LT(request.deadline, world.host.clock.steady() + 5s);
  EXPECT_THAT(world.host.evidence(*check).lines, IsEmpty());
}

TEST(WebSocketCheck, WaitsForTheAnswerAmongOtherMessages) {
  SocketHost world;
  world.network.messages = {"welcome", "tick", "echo: hello"};
  const auto check = world.of({{"send", word("hello")}, {"expect", word("^echo: hello$")}});
  const auto samples = world.host.run(*check);
  ASSERT_TRUE(samples);
  EXPECT_EQ(value_of(*check, *samples, "up"), 1);
  EXPECT_THAT(world.network.said, ElementsAre("hello"));
  EXPECT_EQ(world.network.pings, 0);
}

TEST(WebSocketCheck, AnAnswerThatDoesNotComeIsSaidWithWhatCame) {
  SocketHost world;
  world.network.messages = {"welcome", "tick"};
  const auto check = world.of({{"send", word("hello")}, {"expect", word("echo")}});
  const auto samples = world.host.run(*check);
  ASSERT_TRUE(samples);
  EXPECT_EQ(value_of(*check, *samples, "up"), 0);
  EXPECT_FALSE(value_of(*check, *samples, "round_trip_seconds"));
  const auto evidence = world.host.evidence(*check);
  EXPECT_EQ(evidence.probable_cause,
            "no message from rt:80 after 5s; 2 messages came, none matches /echo/");
  EXPECT_THAT(evidence.lines, ElementsAre(evidence.probable_cause, "the last message: \"tick\""));
}

TEST(WebSocketCheck, AFloodOfOtherMessagesIsNotReadForEver) {
  SocketHost world;
  world.network.endless = true;
  const auto check = world.of({{"expect", word("echo")}});
  const auto samples = world.host.run(*check);
  ASSERT_TRUE(samples);
  EXPECT_EQ(value_of(*check, *samples, "up"), 0);
  EXPECT_EQ(world.network.hears, 1000);
  EXPECT_EQ(world.host.evidence(*check).probable_cause,
            "none of 1000 messages of rt:80 matches /echo/");
}

TEST(WebSocketCheck, EveryStepMayFail) {
  SocketHost world;
  const auto check = world.of({{"send", word("hello")}});
  world.network.said_outcome = Error{Errc::disconnected, "sending to rt:80 failed"};
  auto samples = world.host.run(*check);
  ASSERT_TRUE(samples);
  EXPECT_EQ(value_of(*check, *samples, "up"), 0);
  EXPECT_EQ(world.host.evidence(*check).probable_cause, "sending to rt:80 failed");
  const auto pinger = world.of();
  world.network.pinged = Error{Errc::timed_out, "no pong from rt:80 after 5s"};
  samples = world.host.run(*pinger);
  ASSERT_TRUE(samples);
  EXPECT_EQ(value_of(*pinger, *samples, "up"), 0);
  world.network.failure = HttpFailure{
      .phase = NetPhase::first_byte,
      .error = {Errc::refused, "rt:80 did not open a WebSocket: it answered with status 404"},
      .times = {.connect = 1ms}};
  world.network.status = 404;
  samples = world.host.run(*pinger);
  ASSERT_TRUE(samples);
  EXPECT_THAT(names_of(*pinger, *samples),
              ElementsAre("up", "connect_seconds", "total_seconds", "status"));
  EXPECT_EQ(value_of(*pinger, *samples, "status"), 404);
  EXPECT_THAT(world.host.evidence(*pinger).probable_cause, HasSubstr("status 404"));
  world.network.failure->error.code = Errc::internal;
  EXPECT_FALSE(world.host.run(*pinger)) << "our own fault says nothing of the peer";
}

TEST(WebSocketCheck, WantsItsOwnKindOfUrl) {
  const auto complaint = [](const char* url) {
    return complaints_of(websocket_check(), map_of({{"url", word(url)}}));
  };
  EXPECT_THAT(complaint("ws://rt.example:8080/"), IsEmpty());
  EXPECT_THAT(complaint("https://rt.example/"), ElementsAre(HasSubstr("ws:// or wss://")));
  EXPECT_THAT(complaint("ws://user:hunter2@rt.example/"),
              ElementsAre(testing::Not(HasSubstr("hunter2"))));
  EXPECT_THAT(complaints_of(websocket_check(), map_of({{"url", word("ws://rt/")},
                                                       {"headers", map_of({{"a b", word("c")}})}})),
              ElementsAre(HasSubstr("the header \"a b\"")));
}

}  // namespace
}  // namespace tocsin
