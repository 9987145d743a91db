#include <sys/socket.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/net/loopback.hpp"
#include "tocsin/net/conversation.hpp"

namespace tocsin::net::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

OpenOutcome open(World& world, std::uint16_t port) {
  OpenRequest request;
  request.address = {"127.0.0.1", port};
  request.deadline = world.clock.steady() + 5s;
  return fakes::run_to_end(world.loop, world.network->open(std::move(request)));
}

TEST(Conversation, IsSpokenByTurns) {
  World world;
  TcpServer server{world.loop,
                   World::anywhere(),
                   {{say("hello\r\n"), hear(), say("+PONG\r\n"), hear(), fin(), hang()}}};
  auto opened = open(world, server.port());
  ASSERT_TRUE(opened.conversation) << opened.failure->error.detail;
  auto& peer = *opened.conversation;
  EXPECT_EQ(fakes::run_to_end(world.loop, peer.hear()).value_or(""), "hello\r\n");
  EXPECT_TRUE(fakes::run_to_end(world.loop, peer.say("PING\r\n\r\n")));
  EXPECT_EQ(fakes::run_to_end(world.loop, peer.hear()).value_or(""), "+PONG\r\n");
  EXPECT_TRUE(fakes::run_to_end(world.loop, peer.say("QUIT\r\n\r\n")));
  const auto end = fakes::run_to_end(world.loop, peer.hear());
  ASSERT_FALSE(end);
  EXPECT_EQ(end.error().code, Errc::disconnected);
  EXPECT_THAT(end.error().detail, HasSubstr(peer.peer()));
  EXPECT_THAT(server.heard, ElementsAre("PING\r\n\r\n", "QUIT\r\n\r\n"));
}

TEST(Conversation, EndsByItsDeadlineWhateverItDoes) {
  World world;
  TcpServer server{world.loop, World::anywhere(), {{say("hello"), hang()}}};
  auto opened = open(world, server.port());
  ASSERT_TRUE(opened.conversation);
  EXPECT_EQ(fakes::run_to_end(world.loop, opened.conversation->hear()).value_or(""), "hello");
  const auto silent = world.past(opened.conversation->hear(), [&] { return server.hanging == 1; });
  ASSERT_FALSE(silent);
  EXPECT_EQ(silent.error().code, Errc::timed_out);
  EXPECT_THAT(silent.error().detail, HasSubstr("after 5s"));
  EXPECT_EQ(fakes::run_to_end(world.loop, opened.conversation->say("?")).error().code,
            Errc::timed_out);
}

TEST(Conversation, ThatCannotBeOpenedSaysAtWhichStep) {
  World world;
  const auto opened = open(world, closed_port());
  ASSERT_TRUE(opened.failure);
  EXPECT_FALSE(opened.conversation);
  EXPECT_EQ(opened.failure->phase, NetPhase::connect);
}

TEST(Resolve, GivesAddressesAsText) {
  NetworkOptions options;
  options.resolve = [](const std::string& host) -> Result<std::vector<std::string>> {
    if (host == "db.internal") return std::vector<std::string>{"10.0.0.1", "10.0.0.2"};
    return Error{Errc::unresolved, "Name or service not known"};
  };
  World world{options};
  const auto ask = [&](const std::string& host) {
    return fakes::run_to_end(world.loop, world.network->resolve(host, world.clock.steady() + 5s));
  };
  EXPECT_THAT(ask("192.0.2.7").value_or({}), ElementsAre("192.0.2.7"));
  EXPECT_THAT(ask("db.internal").value_or({}), ElementsAre("10.0.0.1", "10.0.0.2"));
  const auto unknown = ask("nowhere.internal");
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code, Errc::unresolved);
  EXPECT_THAT(unknown.error().detail, HasSubstr("resolve nowhere.internal failed"));
}

/// Both ends of a socket pair.
struct Pair {
  Pair() { EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0); }
  ~Pair() {
    ::close(ends[0]);
    ::close(ends[1]);
  }
  Pair(const Pair&) = delete;
  Pair& operator=(const Pair&) = delete;
  int ends[2]{-1, -1};
};

TEST(Ready, TellsWhenAForeignSocketMayBeUsedAndLeavesItOpen) {
  World world;
  const Pair pair;
  const auto wait = [&](Readiness what) {
    return fakes::run_to_end(world.loop,
                             world.network->ready(pair.ends[0], what, world.clock.steady() + 5s));
  };
  EXPECT_TRUE(wait(Readiness::to_write));
  EXPECT_TRUE(wait(Readiness::either));
  ASSERT_EQ(::write(pair.ends[1], "x", 1), 1);
  EXPECT_TRUE(wait(Readiness::to_read));
  char byte{};
  EXPECT_EQ(::read(pair.ends[0], &byte, 1), 1);
  const auto silent =
      world.past(world.network->ready(pair.ends[0], Readiness::to_read, world.clock.steady() + 5s),
                 [] { return true; });
  ASSERT_FALSE(silent);
  EXPECT_EQ(silent.error().code, Errc::timed_out);
  EXPECT_EQ(::write(pair.ends[0], "y", 1), 1) << "still the owner's";
}

}  // namespace
}  // namespace tocsin::net::testing
