#include "checks/tls.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/checks/canned_network.hpp"
#include "tests/unit/checks/made_check.hpp"
#include "tests/unit/net/certificates.hpp"
#include "tocsin/net/certificate.hpp"

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
using net::testing::CertificateWish;
using net::testing::Identity;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr auto day = 24h;

struct TlsHost {
  CannedNetwork network{};
  fakes::FakeHost host{&network};
  WallTime now{std::chrono::floor<std::chrono::seconds>(host.clock.wall())};
  Identity authority{
      {.subject = "Shop CA", .from = now - 90 * day, .until = now + 900 * day, .authority = true}};

  Identity server(WallTime until, const std::string& names = "DNS:shop.example") const {
    return Identity{{.subject = "shop.example", .names = names, .from = now - day, .until = until},
                    &authority};
  }
  std::unique_ptr<Check> of_file(std::vector<std::pair<std::string, Node>> more = {}) const {
    more.emplace_back("file", word("/etc/shop.pem"));
    return made(tls_check(), map_of(std::move(more)));
  }
  PeerCertificate presented(WallTime leaf, WallTime middle) const {
    PeerCertificate certificate;
    certificate.not_after = std::min(leaf, middle);
    certificate.subject = "CN=shop.example";
    certificate.chain = {{"CN=shop.example", "CN=Middle", "0A", now - day, leaf},
                         {"CN=Middle", "CN=Root", "0B", now - day, middle}};
    return certificate;
  }
};

TEST(Tls, AGoodServerIsMeasured) {
  TlsHost world;
  world.network.connect_outcome.times = {.connect = 2ms, .tls = 5ms, .total = 8ms};
  world.network.connect_outcome.certificate =
      world.presented(world.now + 60 * day, world.now + 90 * day);
  const auto check = made(tls_check(), map_of({{"address", word("shop:443")}}));
  const auto samples = world.host.run(*check);
  ASSERT_TRUE(samples);
  EXPECT_THAT(names_of(*check, *samples),
              ElementsAre("up", "certificate_days", "verified", "name_matches", "connect_seconds",
                          "tls_seconds", "total_seconds"));
  EXPECT_EQ(value_of(*check, *samples, "up"), 1);
  EXPECT_NEAR(*value_of(*check, *samples, "certificate_days"), 60, 0.01);
  EXPECT_EQ(value_of(*check, *samples, "verified"), 1);
  EXPECT_EQ(value_of(*check, *samples, "name_matches"), 1);
  const auto& request = world.network.connected.at(0);
  ASSERT_TRUE(request.tls);
  EXPECT_TRUE(request.tls->examine);
  EXPECT_EQ(request.send, "");
  EXPECT_EQ(world.host.evidence(*check).probable_cause, "");
}

TEST(Tls, SaysWhichCertificateEndsFirstAndWhen) {
  TlsHost world;
  world.network.connect_outcome.certificate =
      world.presented(world.now + 60 * day, world.now + 2 * day + 3h);
  const auto check = made(tls_check(), map_of({{"address", word("shop:443")}}));
  const auto samples = world.host.run(*check);
  ASSERT_TRUE(samples);
  EXPECT_NEAR(*value_of(*check, *samples, "certificate_days"), 2.125, 0.01);
  const auto evidence = world.host.evidence(*check);
  const auto ends = to_rfc3339(world.now + 2 * day + 3h).substr(0, 10);
  ASSERT_THAT(evidence.lines, SizeIs(2));
  EXPECT_THAT(evidence.lines[0],
              HasSubstr("1. CN=shop.example, issued by CN=Middle, serial 0A, ends in "));
  EXPECT_EQ(evidence.lines[1], "2. CN=Middle, issued by CN=Root, serial 0B, ends in 2d 3h (" +
                                   ends + "): the first to end");
  EXPECT_EQ(evidence.probable_cause,
            "an authority's certificate behind shop:443, CN=Middle, ends in 2d 3h (" + ends + ")");
}

TEST(Tls, DistrustAndTheWrongNameAreToldApart) {
  TlsHost world;
  auto& certificate = world.network.connect_outcome.certificate;
  certificate = world.presented(world.now + 60 * day, world.now + 90 * day);
  certificate->distrust = "certificate is self-signed and not trusted here";
  const auto check = made(tls_check(), map_of({{"address", word("shop:443")}}));
  auto samples = world.host.run(*check);
  ASSERT_TRUE(samples);
  EXPECT_EQ(value_of(*check, *samples, "up"), 0);
  EXPECT_EQ(value_of(*check, *samples, "verified"), 0);
  EXPECT_EQ(value_of(*check, *samples, "name_matches"), 1);
  EXPECT_EQ(world.host.evidence(*check).probable_cause,
            "the certificate of shop:443 is not to be trusted: certificate is self-signed and not "
            "trusted here");
  certificate->distrust.clear();
  certificate->wrong_name = "certificate is for a.example, not for shop";
  samples = world.host.run(*check);
  ASSERT_TRUE(samples);
  EXPECT_EQ(value_of(*check, *samples, "up"), 0);
  EXPECT_EQ(value_of(*check, *samples, "verified"), 1);
  EXPECT_EQ(value_of(*check, *samples, "name_matches"), 0);
  const auto lax =
      made(tls_check(), map_of({{"address", word("shop:443")}, {"verify", word("false")}}));
  samples = world.host.run(*lax);
  ASSERT_TRUE(samples);
  EXPECT_EQ(value_of(*lax, *samples, "up"), 1) << "the days are what is asked for";
  EXPECT_EQ(value_of(*lax, *samples, "name_matches"), 0);
}

TEST(Tls, AServerThatCannotBeReachedIsDownAndOurOwnFaultsAreUnknown) {
  TlsHost world;
  const auto check = made(tls_check(), map_of({{"address", word("shop:443")}}));
  world.network.fail(NetPhase::connect, Errc::unreachable, "connect to shop:443 failed: refused");
  const auto samples = world.host.run(*check);
  ASSERT_TRUE(samples);
  EXPECT_THAT(names_of(*check, *samples), ElementsAre("up"));
  EXPECT_EQ(world.host.evidence(*check).probable_cause, "connect to shop:443 failed: refused");
  world.network.fail(NetPhase::tls, Errc::internal, "the CA file cannot be read");
  EXPECT_FALSE(world.host.run(*check));
}

TEST(Tls, AServerIsAskedForTlsInItsProtocol) {
  TlsHost world;
  const auto check =
      made(tls_check(), map_of({{"address", word("mail:25")}, {"starttls", word("smtp")}}));
  world.network.fail(NetPhase::starttls, Errc::unsupported, "mail:25 offers no STARTTLS");
  const auto samples = world.host.run(*check);
  ASSERT_TRUE(samples);
  EXPECT_THAT(names_of(*check, *samples), ElementsAre("up"));
  EXPECT_EQ(value_of(*check, *samples, "up"), 0);
  EXPECT_EQ(world.host.evidence(*check).probable_cause, "mail:25 offers no STARTTLS");
  EXPECT_TRUE(world.network.connected.at(0).before_tls);
  const auto at_once = made(tls_check(), map_of({{"address", word("mail:465")}}));
  EXPECT_TRUE(world.host.run(*at_once));
  EXPECT_FALSE(world.network.connected.at(1).before_tls);
}

TEST(Tls, AFileIsReadWithItsWholeChain) {
  TlsHost world;
  world.host.root.write("/etc/shop.pem", "some words\n" +
                                             world.server(world.now + 2 * day).certificate_pem() +
                                             world.authority.certificate_pem());
  const auto check = world.of_file();
  const auto samples = world.host.run(*check);
  ASSERT_TRUE(samples) << samples.error().detail;
  EXPECT_THAT(names_of(*check, *samples), ElementsAre("up", "certificate_days"));
  EXPECT_EQ(value_of(*check, *samples, "up"), 1);
  EXPECT_NEAR(*value_of(*check, *samples, "certificate_days"), 2, 0.01);
  const auto evidence = world.host.evidence(*check);
  ASSERT_THAT(evidence.lines, SizeIs(2));
  EXPECT_THAT(evidence.lines[0], HasSubstr("CN=shop.example, issued by CN=Shop CA, serial "));
  EXPECT_THAT(evidence.lines[0], HasSubstr("the first to end"));
  EXPECT_THAT(evidence.probable_cause,
              HasSubstr("the certificate of /etc/shop.pem, CN=shop.example, ends in "));
}

TEST(Tls, AFileIsJudgedByNameAndAuthority) {
  TlsHost world;
  world.host.root.write("/etc/shop.pem", world.server(world.now + 60 * day).certificate_pem());
  world.host.root.write("/etc/ca.pem", world.authority.certificate_pem());
  const auto good =
      world.of_file({{"server_name", word("shop.example")}, {"ca_file", word("/etc/ca.pem")}});
  auto samples = world.host.run(*good);
  ASSERT_TRUE(samples) << samples.error().detail;
  EXPECT_EQ(value_of(*good, *samples, "up"), 1);
  EXPECT_EQ(value_of(*good, *samples, "verified"), 1);
  EXPECT_EQ(value_of(*good, *samples, "name_matches"), 1);
  const auto other = world.of_file({{"server_name", word("other.example")}});
  samples = world.host.run(*other);
  ASSERT_TRUE(samples);
  EXPECT_EQ(value_of(*other, *samples, "up"), 0);
  EXPECT_EQ(value_of(*other, *samples, "name_matches"), 0);
  EXPECT_THAT(world.host.evidence(*other).probable_cause, HasSubstr("is not for other.example"));
  const Identity stranger{
      {.subject = "X", .from = world.now - day, .until = world.now + day, .authority = true}};
  world.host.root.write("/etc/ca.pem", stranger.certificate_pem());
  samples = world.host.run(*good);
  ASSERT_TRUE(samples);
  EXPECT_EQ(value_of(*good, *samples, "up"), 0);
  EXPECT_EQ(value_of(*good, *samples, "verified"), 0);
  EXPECT_THAT(world.host.evidence(*good).probable_cause, HasSubstr("is not to be trusted: "));
}

TEST(Tls, AnExpiredFileHasNegativeDays) {
  TlsHost world;
  world.host.root.write("/etc/shop.pem", world.server(world.now - 3h).certificate_pem());
  world.host.root.write("/etc/ca.pem", world.authority.certificate_pem());
  const auto check = world.of_file({{"ca_file", word("/etc/ca.pem")}});
  const auto samples = world.host.run(*check);
  ASSERT_TRUE(samples);
  EXPECT_EQ(value_of(*check, *samples, "up"), 0);
  EXPECT_NEAR(*value_of(*check, *samples, "certificate_days"), -0.125, 0.01);
  EXPECT_THAT(world.host.evidence(*check).probable_cause, HasSubstr("expired"));
}

TEST(Tls, AFileThatIsGoneOrBrokenIsDownAndOneThatMayNotBeReadIsUnknown) {
  TlsHost world;
  const auto check = world.of_file();
  const auto is_down = [&](const std::string& words) {
    const auto samples = world.host.run(*check);
    ASSERT_TRUE(samples) << samples.error().detail;
    EXPECT_THAT(names_of(*check, *samples), ElementsAre("up"));
    EXPECT_EQ(value_of(*check, *samples, "up"), 0);
    EXPECT_THAT(world.host.evidence(*check).probable_cause, HasSubstr(words));
  };
  is_down("/etc/shop.pem");
  world.host.root.write("/etc/shop.pem", "");
  is_down("there is no certificate in the file");
  const auto pem = world.server(world.now + day).certificate_pem();
  world.host.root.write("/etc/shop.pem", pem.substr(0, pem.size() / 2));
  is_down("/etc/shop.pem: ");
  world.host.root.write("/etc/shop.pem",
                        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
  is_down("cannot be read");
  world.host.files.fail("/etc/shop.pem", {Errc::unreadable, "permission denied"});
  EXPECT_FALSE(world.host.run(*check));
}

TEST(Tls, WantsAnAddressOrAFile) {
  EXPECT_THAT(complaints_of(tls_check(), map_of({})), ElementsAre(HasSubstr("either address")));
  EXPECT_THAT(complaints_of(tls_check(),
                            map_of({{"address", word("a:1")}, {"file", word("/etc/shop.pem")}})),
              ElementsAre(HasSubstr("and not both")));
  EXPECT_THAT(complaints_of(tls_check(), map_of({{"file", word("shop.pem")}})),
              ElementsAre(HasSubstr("absolute path")));
  EXPECT_THAT(complaints_of(tls_check(), map_of({{"file", word("/etc/shop.pem")}})), IsEmpty());
  EXPECT_THAT(complaints_of(tls_check(),
                            map_of({{"file", word("/etc/shop.pem")}, {"starttls", word("imap")}})),
              ElementsAre(HasSubstr("starttls: a server is asked for TLS: this needs an address")));
  EXPECT_THAT(
      complaints_of(tls_check(), map_of({{"address", word("a:1")}, {"starttls", word("imaps")}})),
      ElementsAre(HasSubstr("starttls: ")));
}

}  // namespace
}  // namespace tocsin
