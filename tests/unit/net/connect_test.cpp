#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/net/loopback.hpp"

namespace tocsin::net::testing {
namespace {

using ::testing::HasSubstr;

TEST(Connect, ReadsABanner) {
  World world;
  TcpServer server{world.loop, World::anywhere(), {{say("220 mail ESMTP\r\n"), hang()}}};
  const auto outcome = world.connect({.address = {"127.0.0.1", server.port()},
                                      .read_max = 512,
                                      .deadline = world.clock.steady() + 5s});
  ASSERT_FALSE(outcome.failure) << outcome.failure->error.detail;
  EXPECT_EQ(outcome.answer, "220 mail ESMTP\r\n");
  EXPECT_TRUE(outcome.times.connect);
  EXPECT_TRUE(outcome.times.first_byte);
}

TEST(Connect, SendsFirstAndBoundsTheAnswer) {
  World world;
  TcpServer server{world.loop, World::anywhere(), {{hear(), say("+PONG and much more"), hang()}}};
  const auto outcome = world.connect({.address = {"127.0.0.1", server.port()},
                                      .send = "PING\r\n\r\n",
                                      .read_max = 5,
                                      .deadline = world.clock.steady() + 5s});
  ASSERT_FALSE(outcome.failure) << outcome.failure->error.detail;
  EXPECT_EQ(outcome.answer, "+PONG");
}

TEST(Connect, ABannerWithoutALineEndIsTakenAfterAShortSilence) {
  World world;
  TcpServer server{world.loop, World::anywhere(), {{say("\x4a\x05MySQL"), hang()}}};
  const auto outcome = world.past(
      world.network->connect({.address = {"127.0.0.1", server.port()},
                              .read_max = 512,
                              .deadline = world.clock.steady() + 5s}),
      [&] { return server.hanging == 1; }, 200ms);
  ASSERT_FALSE(outcome.failure) << outcome.failure->error.detail;
  EXPECT_EQ(outcome.answer, "\x4a\x05MySQL");
}

TEST(Connect, SilenceAndHangingUpAreToldApart) {
  World world;
  TcpServer server{world.loop, World::anywhere(), {{hang()}, {fin(), hang()}}};
  const ConnectRequest request{.address = {"127.0.0.1", server.port()},
                               .read_max = 512,
                               .deadline = world.clock.steady() + 5s};
  const auto silent =
      world.past(world.network->connect(request), [&] { return server.hanging == 1; });
  ASSERT_TRUE(silent.failure);
  EXPECT_EQ(silent.failure->error.code, Errc::timed_out);
  EXPECT_THAT(silent.failure->error.detail, HasSubstr("said nothing after 5s"));
  auto again = request;
  again.deadline = world.clock.steady() + 5s;
  const auto closed = world.connect(again);
  ASSERT_TRUE(closed.failure);
  EXPECT_EQ(closed.failure->error.code, Errc::disconnected);
}

}  // namespace
}  // namespace tocsin::net::testing
