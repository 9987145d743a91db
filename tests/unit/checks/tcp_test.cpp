#include "checks/tcp.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/checks/canned_network.hpp"
#include "tests/unit/checks/made_check.hpp"

namespace tocsin {
namespace {

using namespace std::chrono_literals;
using checks_test::CannedNetwork;
using checks_test::complaints_of;
using checks_test::made;
using checks_test::map_of;
using checks_test::names_of;
using checks_test::word;
using fakes::value_of;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct TcpHost {
  CannedNetwork network{};
  fakes::FakeHost host{&network};
};

TEST(Tcp, AnAcceptedConnectionIsUp) {
  TcpHost world;
  world.network.connect_outcome.times = {.connect = 2ms, .total = 3ms};
  const auto check = made(tcp_check(), map_of({{"address", word("db:5432")}}));
  const auto samples = world.host.run(*check);
  ASSERT_TRUE(samples);
  EXPECT_THAT(names_of(*check, *samples), ElementsAre("up", "connect_seconds", "total_seconds"));
  EXPECT_EQ(value_of(*check, *samples, "up"), 1);
  EXPECT_EQ(value_of(*check, *samples, "connect_seconds"), 0.002);
  const auto& request = world.network.connected.at(0);
  EXPECT_EQ(request.address, (HostPort{"db", 5432}));
  EXPECT_FALSE(request.tls);
  EXPECT_EQ(request.read_max, 0u);
  EXPECT_LT(request.deadline, world.host.clock.steady() + 5s);
  EXPECT_THAT(world.host.evidence(*check).lines, IsEmpty());
}

TEST(Tcp, AFailureIsAResultWithItsReason) {
  TcpHost world;
  const auto check = made(tcp_check(), map_of({{"address", word("db:5432")}}));
  world.network.fail(NetPhase::connect, Errc::unreachable,
                     "connect to db:5432 failed: Connection refused");
  const auto samples = world.host.run(*check);
  ASSERT_TRUE(samples);
  EXPECT_EQ(value_of(*check, *samples, "up"), 0);
  const auto evidence = world.host.evidence(*check);
  EXPECT_THAT(evidence.lines, ElementsAre("connect to db:5432 failed: Connection refused"));
  EXPECT_EQ(evidence.probable_cause, "connect to db:5432 failed: Connection refused");

  world.network.connect_outcome.failure.reset();
  EXPECT_EQ(value_of(*check, *world.host.run(*check), "up"), 1);
  EXPECT_THAT(world.host.evidence(*check).lines, IsEmpty());
}

TEST(Tcp, OurOwnTroubleIsNotThePeers) {
  TcpHost world;
  const auto check = made(tcp_check(), map_of({{"address", word("db:5432")}}));
  world.network.fail(NetPhase::connect, Errc::internal, "Too many open files");
  EXPECT_FALSE(world.host.run(*check));
}

TEST(Tcp, TheBannerMustMatch) {
  TcpHost world;
  const auto check =
      made(tcp_check(), map_of({{"address", word("mail:25")},
                                {"send", word("EHLO x\r\n")},
                                {"expect", word("^220 ")},
                                {"tls", map_of({{"server_name", word("mail.example")}})}}));
  world.network.connect_outcome.answer = "220 ready\r\n";
  world.network.connect_outcome.certificate =
      PeerCertificate{world.host.clock.wall() + std::chrono::hours{48}, "CN=mail"};
  auto samples = world.host.run(*check);
  EXPECT_EQ(value_of(*check, *samples, "up"), 1);
  EXPECT_EQ(value_of(*check, *samples, "certificate_days"), 2);
  EXPECT_EQ(world.network.connected.at(0).tls->server_name, "mail.example");
  EXPECT_EQ(world.network.connected.at(0).send, "EHLO x\r\n");

  world.network.connect_outcome.answer = "554 go\x01 away\r\n" + std::string(5000, 'x');
  samples = world.host.run(*check);
  EXPECT_EQ(value_of(*check, *samples, "up"), 0);
  const auto line = world.host.evidence(*check).lines.at(0);
  EXPECT_THAT(line, HasSubstr("mail:25 answered \"554 go"));
  EXPECT_THAT(line, HasSubstr("which does not match /^220 /"));
  EXPECT_LT(line.size(), 300u);
}

TEST(Tcp, BadParametersAreComplainedOf) {
  EXPECT_THAT(complaints_of(tcp_check(), map_of({})), Not(IsEmpty()));
  EXPECT_THAT(complaints_of(tcp_check(), map_of({{"address", word("db")}})),
              ElementsAre(HasSubstr("port is missing")));
}

}  // namespace
}  // namespace tocsin
