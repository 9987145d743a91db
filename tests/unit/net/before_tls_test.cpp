// What is said in the clear before TLS: it comes first, it is bounded in time, and nothing of it is
// taken into the TLS session.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/net/certificates.hpp"
#include "tests/unit/net/loopback.hpp"
#include "tocsin/net/conversation.hpp"

namespace tocsin::net::testing {
namespace {

using ::testing::AnyOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr auto go = "220 go\r\n";

/// Asks for TLS and hears one piece, of which "220 go" and a line's end are the agreement.
Task<std::string> ask(Conversation& peer) {
  auto saying = peer.say("STARTTLS\r\n\r\n");
  const auto said = co_await std::move(saying);
  if (!said) co_return said.error();
  auto hearing = peer.hear();
  const auto piece = co_await std::move(hearing);
  if (!piece) co_return piece.error();
  const std::string heard{*piece};
  if (!heard.starts_with(go)) co_return Error{Errc::refused, peer.peer() + " refuses: " + heard};
  co_return heard.substr(std::string_view{go}.size());
}

struct BeforeTls : ::testing::Test {
  /// A server of this script, which is met with what is asked before TLS.
  void serve(Script script) {
    server.emplace(world.loop, World::anywhere(), std::vector<Script>{std::move(script)});
    server->use_tls(Identity{{.subject = "test.example",
                              .names = "DNS:localhost",
                              .from = world.clock.wall() - 1h,
                              .until = world.clock.wall() + 48h},
                             &authority}
                        .server_context());
  }
  ConnectRequest request() const {
    return {.address = {"localhost", server->port()},
            .tls = TlsOptions{.ca_file = ca_file},
            .before_tls = ask,
            .read_max = 100,
            .deadline = world.clock.steady() + 5s};
  }
  std::string name() const { return "localhost:" + std::to_string(server->port()); }
  void expect_refused(const ConnectOutcome& outcome, Errc code, const std::string& words) const {
    ASSERT_TRUE(outcome.failure);
    EXPECT_EQ(outcome.failure->phase, NetPhase::starttls);
    EXPECT_EQ(outcome.failure->error.code, code);
    EXPECT_THAT(outcome.failure->error.detail, HasSubstr(words));
    EXPECT_TRUE(outcome.failure->times.connect);
    EXPECT_FALSE(outcome.failure->times.tls);
    EXPECT_FALSE(outcome.certificate);
    EXPECT_EQ(outcome.answer, "");
  }

  World world;
  Identity authority{{.subject = "Test Authority",
                      .from = world.clock.wall() - 24h,
                      .until = world.clock.wall() + 24h * 30,
                      .authority = true}};
  TemporaryFolder folder{};
  std::string ca_file{folder.write("ca.pem", authority.certificate_pem())};
  std::optional<TcpServer> server{};
};

TEST_F(BeforeTls, TheClearComesFirstAndThenTheHandshake) {
  serve({hear(), say(go), shake_hands(), say("in TLS\r\n"), hang()});
  const auto outcome = world.connect(request());
  ASSERT_FALSE(outcome.failure) << outcome.failure->error.detail;
  EXPECT_THAT(server->heard, ElementsAre("STARTTLS\r\n\r\n"));
  EXPECT_EQ(outcome.answer, "in TLS\r\n");
  EXPECT_TRUE(outcome.times.tls);
  ASSERT_TRUE(outcome.certificate);
  EXPECT_EQ(outcome.certificate->subject, "CN=test.example");
}

TEST_F(BeforeTls, IsNotAskedForWithoutTls) {
  serve({say("220 hello\r\n"), hang()});
  auto plain = request();
  plain.tls.reset();
  EXPECT_EQ(world.connect(plain).answer, "220 hello\r\n");
  EXPECT_THAT(server->heard, ElementsAre());
}

TEST_F(BeforeTls, ARefusalIsToldAndThereIsNoHandshake) {
  serve({hear(), say("454 not now\r\n"), hang()});
  expect_refused(world.connect(request()), Errc::refused, name() + " refuses: 454 not now");
}

TEST_F(BeforeTls, BytesInTheClearAfterTheAgreementAreRefused) {
  serve({hear(), say(std::string{go} + "250 injected\r\n"), shake_hands(), say("in TLS\r\n"),
         hang()});
  expect_refused(world.connect(request()), Errc::protocol,
                 name() + " went on in the clear after it had agreed to TLS");
}

Task<std::string> leave_unheard(Conversation& peer) {
  auto asking = ask(peer);
  const auto beyond = co_await std::move(asking);
  if (!beyond) co_return beyond.error();
  // One piece more is heard, and what the server said behind it stays in the socket.
  auto hearing = peer.hear();
  const auto heard = co_await std::move(hearing);
  if (!heard) co_return heard.error();
  co_return "";
}

TEST_F(BeforeTls, BytesThatNobodyHasReadAreRefusedToo) {
  // More than one piece, so that some is left however it is cut.
  const std::string flood(3 * limits::conversation_piece_bytes, 'x');
  serve({hear(), say(go), say(flood), hang()});
  auto careless = request();
  careless.before_tls = leave_unheard;
  expect_refused(world.connect(careless), Errc::protocol, "went on in the clear");
}

TEST_F(BeforeTls, BytesThatComeLateAreNeverTakenForTls) {
  // With the agreement, before the handshake or in it: whichever it comes to, it is no handshake.
  serve({hear(), say(go), say("250 injected\r\n"), hang()});
  const auto outcome = world.connect(request());
  ASSERT_TRUE(outcome.failure);
  EXPECT_THAT(outcome.failure->phase, AnyOf(NetPhase::starttls, NetPhase::tls));
  EXPECT_FALSE(outcome.certificate);
  EXPECT_EQ(outcome.answer, "");
}

TEST_F(BeforeTls, TheHandshakeEndsByTheSameDeadline) {
  serve({hear(), say(go), hang()});
  const auto outcome =
      world.past(world.network->connect(request()), [&] { return server->hanging == 1; });
  ASSERT_TRUE(outcome.failure);
  EXPECT_EQ(outcome.failure->phase, NetPhase::tls);
  EXPECT_EQ(outcome.failure->error.code, Errc::timed_out);
}

TEST_F(BeforeTls, EndsByTheOneDeadline) {
  serve({hear(), hang()});
  const auto outcome =
      world.past(world.network->connect(request()), [&] { return server->hanging == 1; });
  expect_refused(outcome, Errc::timed_out, "no answer from " + name() + " after 5s");
}

TEST_F(BeforeTls, AServerThatClosesIsToldSo) {
  serve({hear(), fin(), hang()});
  expect_refused(world.connect(request()), Errc::disconnected, name() + " closed the connection");
  serve({reset()});
  expect_refused(world.connect(request()), Errc::disconnected, name());
}

}  // namespace
}  // namespace tocsin::net::testing
