#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/net/certificates.hpp"
#include "tests/unit/net/loopback.hpp"

namespace tocsin::net::testing {
namespace {

using ::testing::HasSubstr;

/// An authority, and a server with a certificate of its, known by the names given.
struct TlsWorld : World {
  static constexpr auto day = std::chrono::hours{24};

  explicit TlsWorld(NetworkOptions options = {}) : World{std::move(options)} {}

  CertificateWish wish(std::string names = "DNS:localhost,IP:127.0.0.1") const {
    return {.subject = "test.example",
            .names = std::move(names),
            .from = clock.wall() - day,
            .until = clock.wall() + 30 * day};
  }
  Identity authority{{.subject = "Test Authority",
                      .from = clock.wall() - 100 * day,
                      .until = clock.wall() + 3000 * day,
                      .authority = true}};
  TemporaryFolder folder{};
  std::string ca_file{folder.write("ca.pem", authority.certificate_pem())};

  TcpServer server{loop, anywhere(), {{shake_hands(), hear(), say(http_ok("secure")), hang()}}};

  HttpRequest https(const std::string& host = "localhost") const {
    auto out = request(server.port());
    out.url.scheme = "https";
    out.url.host = host;
    out.tls.ca_file = ca_file;
    return out;
  }
};

TEST(Tls, AVerifiedServerAnswersAndShowsItsCertificate) {
  for (const std::string host : {"localhost", "127.0.0.1"}) {
    TlsWorld world;
    world.server.use_tls(Identity{world.wish(), &world.authority}.server_context());
    const auto outcome = world.http(world.https(host));
    ASSERT_TRUE(outcome.response) << outcome.failure->error.detail;
    EXPECT_EQ(outcome.response->body, "secure");
    ASSERT_TRUE(outcome.response->certificate);
    EXPECT_EQ(outcome.response->certificate->not_after,
              std::chrono::floor<std::chrono::seconds>(world.clock.wall()) + 30 * TlsWorld::day);
    EXPECT_EQ(outcome.response->certificate->subject, "CN=test.example");
    EXPECT_TRUE(outcome.response->times.tls);
  }
}

TEST(Tls, EveryRefusalSaysWhatIsWrongWithTheCertificate) {
  struct Row {
    std::function<Identity(const TlsWorld&)> identity;
    std::string sentence;
  };
  const auto from_now = [](const TlsWorld& world, std::chrono::hours from,
                           std::chrono::hours until) {
    auto wish = world.wish();
    wish.from = world.clock.wall() + from;
    wish.until = world.clock.wall() + until;
    return Identity{wish, &world.authority};
  };
  const auto day = std::chrono::hours{24};
  const Row table[] = {
      {[&](const TlsWorld& w) { return from_now(w, -90 * day, -2 * day); },
       "certificate expired 2d"},
      {[&](const TlsWorld& w) { return from_now(w, 3 * day, 90 * day); },
       "certificate becomes valid only in 3d"},
      {[](const TlsWorld& w) {
         return Identity{w.wish("DNS:other.example"), &w.authority};
       },
       "certificate is for other.example, not for localhost"},
      {[](const TlsWorld& w) {
         return Identity{w.wish("DNS:a,DNS:b,DNS:c,DNS:d,DNS:e"), &w.authority};
       },
       "certificate is for a, b, c and 2 more, not for localhost"},
      {[](const TlsWorld& w) { return Identity{w.wish()}; },
       "certificate is self-signed and not trusted here"},
      {[](const TlsWorld& w) {
         const Identity stranger{{.subject = "Stranger",
                                  .from = w.clock.wall() - 1h,
                                  .until = w.clock.wall() + 1h,
                                  .authority = true}};
         return Identity{w.wish(), &stranger};
       },
       "certificate is signed by \"CN=Stranger\", which is not trusted here"},
  };
  for (const auto& row : table) {
    TlsWorld world;
    world.server.use_tls(row.identity(world).server_context());
    const auto outcome = world.http(world.https());
    ASSERT_TRUE(outcome.failure) << row.sentence;
    EXPECT_EQ(outcome.failure->phase, NetPhase::tls);
    EXPECT_EQ(outcome.failure->error.code, Errc::tls);
    EXPECT_FALSE(outcome.failure->sent);
    EXPECT_THAT(outcome.failure->error.detail,
                HasSubstr("TLS handshake with localhost:" + std::to_string(world.server.port()) +
                          " failed: " + row.sentence));
    EXPECT_TRUE(outcome.failure->certificate) << "days are known of a bad certificate, too";
    EXPECT_TRUE(world.server.heard.empty());
  }
}

/// A variable of the environment, put back at the end.
class Variable {
 public:
  Variable(const char* name, const std::string& value) : name_{name} {
    if (const char* old = std::getenv(name)) old_ = old;
    ::setenv(name, value.c_str(), 1);
  }
  ~Variable() {
    if (old_)
      ::setenv(name_, old_->c_str(), 1);
    else
      ::unsetenv(name_);
  }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  const char* name_;
  std::optional<std::string> old_{};
};

TEST(Tls, TheSystemsStoreIsAFileOrAFolderByHash) {
  for (const bool by_hash : {true, false}) {
    TlsWorld world;
    world.server.use_tls(Identity{world.wish(), &world.authority}.server_context());
    std::filesystem::create_directory(world.folder.file("certs"));
    world.folder.write("certs/" + world.authority.subject_hash() + ".0",
                       world.authority.certificate_pem());
    const Variable variable{by_hash ? "SSL_CERT_DIR" : "SSL_CERT_FILE",
                            by_hash ? world.folder.file("certs") : world.ca_file};
    auto request = world.https();
    request.tls.ca_file.clear();
    const auto outcome = world.http(request);
    ASSERT_TRUE(outcome.response) << by_hash << outcome.failure->error.detail;
  }
}

TEST(Tls, WithoutVerificationTheCertificateIsStillMeasured) {
  TlsWorld world;
  world.server.use_tls(Identity{world.wish("DNS:other")}.server_context());
  auto request = world.https();
  request.tls.verify = false;
  const auto outcome = world.http(request);
  ASSERT_TRUE(outcome.response) << outcome.failure->error.detail;
  ASSERT_TRUE(outcome.response->certificate);
}

TEST(Tls, AnotherServerNameMayBeExpected) {
  TlsWorld world;
  world.server.use_tls(
      Identity{world.wish("DNS:inner.example"), &world.authority}.server_context());
  auto request = world.https();
  request.tls.server_name = "inner.example";
  const auto outcome = world.http(request);
  ASSERT_TRUE(outcome.response) << outcome.failure->error.detail;
}

TEST(Tls, APlainServerIsNamedAsSuch) {
  TlsWorld world;
  TcpServer plain{world.loop, World::anywhere(), {{say("HTTP/1.1 400 Bad Request\r\n\r\n")}}};
  auto request = world.https();
  request.url.port = plain.port();
  const auto outcome = world.http(request);
  ASSERT_TRUE(outcome.failure);
  EXPECT_THAT(outcome.failure->error.detail, HasSubstr("the other side does not speak TLS"));
}

TEST(Tls, AHangingHandshakeTimesOut) {
  TlsWorld world;
  TcpServer silent{world.loop, World::anywhere(), {{hang()}}};
  auto request = world.https();
  request.url.port = silent.port();
  const auto outcome =
      world.past(world.network->http(request), [&] { return silent.hanging == 1; });
  ASSERT_TRUE(outcome.failure);
  EXPECT_EQ(outcome.failure->phase, NetPhase::tls);
  EXPECT_EQ(outcome.failure->error.code, Errc::timed_out);
}

TEST(Tls, APeerThatHangsUpInTheHandshakeIsReported) {
  TlsWorld world;
  TcpServer rude{world.loop, World::anywhere(), {{fin(), hang()}}};
  auto request = world.https();
  request.url.port = rude.port();
  const auto outcome = world.http(request);
  ASSERT_TRUE(outcome.failure);
  EXPECT_THAT(outcome.failure->error.detail,
              HasSubstr("failed: the other side closed the connection"));
}

TEST(Tls, AMissingCaFileIsOurFault) {
  TlsWorld world;
  world.server.use_tls(Identity{world.wish(), &world.authority}.server_context());
  auto request = world.https();
  request.tls.ca_file = world.folder.file("absent.pem");
  const auto outcome = world.http(request);
  ASSERT_TRUE(outcome.failure);
  EXPECT_EQ(outcome.failure->error.code, Errc::internal);
  EXPECT_THAT(outcome.failure->error.detail, HasSubstr("absent.pem cannot be read"));
}

TEST(Tls, ReceiversAreGreetedAgainByTheirOldSession) {
  TlsWorld world;
  TcpServer server{world.loop,
                   World::anywhere(),
                   {{shake_hands(), hear(), say(http_ok("1", "Connection: close\r\n"))}}};
  server.use_tls(Identity{world.wish(), &world.authority}.server_context());
  auto request = world.https();
  request.url.port = server.port();
  request.reuse = Reuse::keep_alive;
  for (int i = 0; i < 2; ++i) {
    const auto outcome = world.http(request);
    ASSERT_TRUE(outcome.response) << outcome.failure->error.detail;
    EXPECT_TRUE(outcome.response->certificate);
  }
  EXPECT_EQ(server.connections, 2);
  EXPECT_EQ(server.resumed, 1);
  request.tls.verify = false;
  ASSERT_TRUE(world.http(request).response);
  EXPECT_EQ(server.resumed, 1) << "an unverified handshake shares no session";
}

TEST(Tls, KeptConnectionsSkipTheHandshake) {
  TlsWorld world;
  TcpServer server{world.loop,
                   World::anywhere(),
                   {{shake_hands(), hear(), say(http_ok("1")), hear(), say(http_ok("2")), hang()}}};
  server.use_tls(Identity{world.wish(), &world.authority}.server_context());
  auto request = world.https();
  request.url.port = server.port();
  request.reuse = Reuse::keep_alive;
  EXPECT_EQ(world.http(request).response->body, "1");
  fakes::settle(world.loop);
  EXPECT_EQ(world.http(request).response->body, "2");
  EXPECT_EQ(server.connections, 1);
}

TEST(Tls, PlainConnectionsMayBeWrapped) {
  TlsWorld world;
  TcpServer server{world.loop, World::anywhere(), {{shake_hands(), say("* OK IMAP\r\n"), hang()}}};
  server.use_tls(Identity{world.wish(), &world.authority}.server_context());
  ConnectRequest request{.address = {"localhost", server.port()},
                         .tls = TlsOptions{.ca_file = world.ca_file},
                         .read_max = 100,
                         .deadline = world.clock.steady() + 5s};
  const auto outcome = world.connect(request);
  ASSERT_FALSE(outcome.failure) << outcome.failure->error.detail;
  EXPECT_EQ(outcome.answer, "* OK IMAP\r\n");
  EXPECT_TRUE(outcome.certificate);
  EXPECT_TRUE(outcome.times.tls);
}

TEST(Tls, AnExaminedCertificateIsToldAndNotRefused) {
  TlsWorld world;
  const auto examine = [&](const CertificateWish& wish) {
    TcpServer server{world.loop, World::anywhere(), {{shake_hands(), hang()}}};
    server.use_tls(Identity{wish, &world.authority}.server_context());
    const ConnectRequest request{.address = {"localhost", server.port()},
                                 .tls = TlsOptions{.ca_file = world.ca_file, .examine = true},
                                 .deadline = world.clock.steady() + 5s};
    auto outcome = world.connect(request);
    EXPECT_FALSE(outcome.failure) << outcome.failure->error.detail;
    return outcome.certificate.value_or(PeerCertificate{});
  };
  const auto good = examine(world.wish());
  EXPECT_EQ(good.distrust, "");
  EXPECT_EQ(good.wrong_name, "");
  ASSERT_EQ(good.chain.size(), 1u);
  EXPECT_EQ(good.chain[0].subject, "CN=test.example");
  EXPECT_EQ(good.chain[0].issuer, "CN=Test Authority");
  EXPECT_EQ(good.chain[0].not_after, good.not_after);
  EXPECT_FALSE(good.chain[0].serial.empty());

  auto wish = world.wish("DNS:other.example");
  wish.until = world.clock.wall() - 2 * TlsWorld::day;
  wish.from = wish.until - TlsWorld::day;
  const auto bad = examine(wish);
  EXPECT_THAT(bad.distrust, HasSubstr("certificate expired 2d"));
  EXPECT_EQ(bad.wrong_name, "certificate is for other.example, not for localhost");
  EXPECT_EQ(bad.chain.size(), 1u);
}

/// A proxy that takes CONNECT and goes on as the server itself.
TEST(Proxy, HttpsGoesThroughConnect) {
  for (const bool accepted : {true, false}) {
    NetworkOptions options;
    options.proxy.https = Proxy{{"127.0.0.1", 0}, Secret{"Basic dTpw"}};
    asio::io_context reserve;
    tcp::acceptor seat{reserve, World::anywhere()};
    const auto port = seat.local_endpoint().port();
    seat.close();
    options.proxy.https->address.port = port;
    TlsWorld world{options};
    const Script good{hear(), say("HTTP/1.1 200 Connection established\r\nVia: x\r\n\r\n"),
                      shake_hands(), hear(), say(http_ok("through"))};
    const Script bad{hear(), say("HTTP/1.1 407 Proxy Authentication Required\r\n"
                                 "Content-Length: 5\r\n\r\nhello")};
    TcpServer proxy{world.loop, {asio::ip::address_v4::loopback(), port}, {accepted ? good : bad}};
    proxy.use_tls(Identity{world.wish("DNS:slack.test"), &world.authority}.server_context());
    auto request = world.https("slack.test");
    request.url.port = 443;
    request.through_proxy = true;
    const auto outcome = world.http(request);
    EXPECT_THAT(proxy.heard.at(0), HasSubstr("CONNECT slack.test:443 HTTP/1.1\r\n"));
    EXPECT_THAT(proxy.heard.at(0), HasSubstr("Proxy-Authorization: Basic dTpw\r\n"));
    if (accepted) {
      ASSERT_TRUE(outcome.response) << outcome.failure->error.detail;
      EXPECT_EQ(outcome.response->body, "through");
      EXPECT_THAT(proxy.heard.at(1), HasSubstr("GET / HTTP/1.1\r\nHost: slack.test\r\n"));
      EXPECT_THAT(proxy.heard.at(1), Not(HasSubstr("Proxy-Authorization")));
    } else {
      ASSERT_TRUE(outcome.failure);
      EXPECT_EQ(outcome.failure->phase, NetPhase::proxy);
      EXPECT_EQ(outcome.failure->error.detail,
                "proxy 127.0.0.1:" + std::to_string(port) +
                    " refused to connect to slack.test:443: 407 Proxy Authentication Required");
      EXPECT_FALSE(outcome.failure->sent);
    }
  }
}

}  // namespace
}  // namespace tocsin::net::testing
