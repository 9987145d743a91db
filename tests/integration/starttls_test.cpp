// Certificates that are shown only to who asks for TLS in the server's own protocol: of a real
// Postfix, a real Dovecot and a real PostgreSQL; and a server that somebody sits in front of.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ctime>

#include <sys/stat.h>

#include <boost/json/serialize.hpp>

#include "tests/integration/agent.hpp"
#include "tests/integration/dovecot.hpp"
#include "tests/integration/postfix.hpp"
#include "tests/integration/postgres.hpp"
#include "tests/integration/scripted_server.hpp"
#include "tests/unit/net/certificates.hpp"

namespace tocsin::integration {
namespace {

using net::testing::Identity;
using ::testing::HasSubstr;

constexpr auto day = std::chrono::hours{24};

std::string at(int port) { return "127.0.0.1:" + std::to_string(port); }

class StartTls : public ::testing::Test {
 protected:
  void SetUp() override {
    // Servers read their files as users of their own.
    ::chmod(folder_.path().c_str(), 0755);
    folder_.write("ca.pem", authority_.certificate_pem());
    renew(60 * day);
  }
  /// What a renewal puts in place.
  void renew(Duration lasts) {
    const Identity leaf{{.subject = "mail.example",
                         .names = "DNS:mail.example",
                         .from = now_ - day,
                         .until = now_ + std::chrono::floor<std::chrono::seconds>(lasts)},
                        &authority_};
    folder_.write("key.pem", leaf.key_pem());
    folder_.write("chain.pem", leaf.certificate_pem() + authority_.certificate_pem());
  }
  /// A check of this address, which is to be the topic too.
  std::string check(const std::string& name, const std::string& protocol,
                    const std::string& address) const {
    return "  - name: " + name + "\n    type: tls\n    every: 1s\n    topic: " + name +
           "\n    address: " + address + "\n    starttls: " + protocol +
           "\n    server_name: mail.example\n    ca_file: " + (folder_ / "ca.pem") +
           "\n    critical: [up < 1 for 2 of 3, certificate_days < 3]\n"
           "    clear: certificate_days > 30\n";
  }
  void watch(const std::string& checks) {
    agent_.configure("checks:\n" + checks, "  recover_hold: 1s\n");
    agent_.start();
  }
  double sample(const std::string& name, const std::string& check) const {
    return agent_.metric("tocsin_tls_" + name + "{check=\"" + check + "\"}");
  }
  /// Waits for the incident of a check and expects this cause of it.
  json::value expect_down(const std::string& check, const std::string& cause) const {
    const auto open = agent_.wait_for_incident(check, "open");
    EXPECT_EQ(text_at(open, "summary", "probable_cause"), cause);
    EXPECT_EQ(sample("up", check), 0);
    return open;
  }

  WallTime now_{std::chrono::floor<std::chrono::seconds>(
      WallTime::clock::time_point{std::chrono::seconds{::time(nullptr)}})};
  Identity authority_{{.subject = "Mail CA",
                       .from = now_ - 90 * day,
                       .until = now_ + 900 * day,
                       .authority = true}};
  Folder folder_;
  Agent agent_;
};

TEST_F(StartTls, ACertificateOfAMailServerAboutToEndPagesUntilItIsRenewed) {
  if (const auto missing = Postfix::missing(); !missing.empty()) GTEST_SKIP() << missing;
  const auto port = free_port();
  // A server process reads its certificate when it starts.
  Postfix postfix{
      {"smtpd_tls_security_level = may", "smtpd_tls_cert_file = " + (folder_ / "chain.pem"),
       "smtpd_tls_key_file = " + (folder_ / "key.pem")},
      {at(port) + " inet n - n - - smtpd -o max_use=1"}};
  postfix.start();
  watch(check("mail", "smtp", at(port)));
  ASSERT_TRUE(eventually([&] { return sample("up", "mail") == 1; })) << postfix.log();
  EXPECT_EQ(sample("verified", "mail"), 1);
  EXPECT_EQ(sample("name_matches", "mail"), 1);
  EXPECT_NEAR(sample("certificate_seconds", "mail"), 60 * 86400.0, 600);
  EXPECT_GT(sample("tls_seconds", "mail"), 0);

  renew(2 * day + 12h);
  const auto open = agent_.wait_for_incident("mail", "open");
  EXPECT_THAT(text_at(open, "title"), HasSubstr("CRITICAL: mail on web-1: certificate_days 2d 1"));
  EXPECT_THAT(text_at(open, "summary", "probable_cause"),
              HasSubstr("the certificate of " + at(port) + ", CN=mail.example, ends in 2d 12h"));
  const auto told = json::serialize(agent_.incident(text_at(open, "id")));
  EXPECT_THAT(told, HasSubstr("1. CN=mail.example, issued by CN=Mail CA, serial "));
  EXPECT_THAT(told, HasSubstr("2. CN=Mail CA, issued by CN=Mail CA, serial "));

  renew(90 * day);
  agent_.wait_for_incident("mail", "resolved");
}

TEST_F(StartTls, AMailServerThatOffersOrHasNoTlsSaysSo) {
  if (const auto missing = Postfix::missing(); !missing.empty()) GTEST_SKIP() << missing;
  const auto plain = free_port();
  const auto broken = free_port();
  Postfix postfix{
      {"smtpd_tls_security_level = may"},
      {at(plain) + " inet n - n - - smtpd -o smtpd_tls_security_level=none",
       at(broken) + " inet n - n - - smtpd -o smtpd_tls_cert_file=" + (folder_ / "absent.pem") +
           " -o smtpd_tls_key_file=" + (folder_ / "absent.pem")}};
  postfix.start();
  watch(check("plain", "smtp", at(plain)) + check("broken", "smtp", at(broken)));
  expect_down("plain", at(plain) + " offers no STARTTLS");
  const auto open =
      expect_down("broken", at(broken) +
                                " refuses STARTTLS: 454 4.7.0 TLS not available due to local "
                                "problem");
  EXPECT_THAT(text_at(open, "title"), HasSubstr("CRITICAL: broken on web-1: up "));
}

TEST_F(StartTls, TheCertificateOfAnImapServerIsSeenTooAndItsRenewal) {
  if (const auto missing = Dovecot::missing(); !missing.empty()) GTEST_SKIP() << missing;
  renew(36h);
  Dovecot dovecot{{.chain = folder_ / "chain.pem", .key = folder_ / "key.pem"}};
  dovecot.start();
  // The same port in another protocol.
  watch(check("imap", "imap", dovecot.imap_address()) +
        check("mistaken", "smtp", dovecot.imap_address()));
  const auto open = agent_.wait_for_incident("imap", "open");
  EXPECT_THAT(text_at(open, "summary", "probable_cause"),
              HasSubstr("the certificate of " + dovecot.imap_address() +
                        ", CN=mail.example, ends in 1d 1"));
  EXPECT_EQ(sample("up", "imap"), 1);
  const auto other = agent_.wait_for_incident("mistaken", "open");
  EXPECT_THAT(text_at(other, "summary", "probable_cause"),
              HasSubstr(dovecot.imap_address() + " does not speak SMTP: it said \"* OK "));
  renew(90 * day);
  dovecot.stop();
  dovecot.start();
  agent_.wait_for_incident("imap", "resolved");
}

TEST_F(StartTls, ADatabaseWithoutTlsIsDownUntilItHasIt) {
  if (!Postgres::installed()) GTEST_SKIP() << "apt-get install " << Postgres::package;
  Postgres server;
  server.start();
  watch(check("database", "postgres", server.address()));
  expect_down("database", server.address() + " offers no TLS (PostgreSQL's ssl is off)");
  run({"/bin/chown", "postgres", folder_ / "key.pem"});
  ::chmod((folder_ / "key.pem").c_str(), 0600);
  for (const auto& setting :
       {"ssl_cert_file = '" + (folder_ / "chain.pem") + "'",
        "ssl_key_file = '" + (folder_ / "key.pem") + "'", std::string{"ssl = on"}})
    server.sql("alter system set " + setting);
  server.sql("select pg_reload_conf()");
  agent_.wait_for_incident("database", "resolved");
  EXPECT_EQ(sample("verified", "database"), 1);
  EXPECT_NEAR(sample("certificate_seconds", "database"), 60 * 86400.0, 600);
}

TEST_F(StartTls, WhoSpeaksInTheClearAfterTheAgreementIsFoundOut) {
  const ScriptedServer meddler{[](const Peer& peer) {
    peer.say("220 mail.example ESMTP\r\n");
    peer.hear();
    peer.say("250-mail.example\r\n250 STARTTLS\r\n");
    peer.hear();
    peer.say("220 go ahead\r\n250 injected\r\n");
    peer.wait();
  }};
  watch(check("mail", "smtp", at(meddler.port())));
  expect_down("mail", at(meddler.port()) + " went on in the clear after it had agreed to TLS");
}

TEST_F(StartTls, AServerThatFallsSilentIsNamedWithWhatItWasAsked) {
  const ScriptedServer silent{[](const Peer& peer) {
    peer.say("* OK ready\r\n");
    peer.wait();
  }};
  watch(check("imap", "imap", at(silent.port())));
  const auto open = agent_.wait_for_incident("imap", "open");
  EXPECT_THAT(text_at(open, "summary", "probable_cause"),
              HasSubstr("no answer from " + at(silent.port()) + " after "));
  EXPECT_THAT(text_at(open, "summary", "probable_cause"),
              HasSubstr("(waiting for the answer to CAPABILITY before TLS)"));
}

}  // namespace
}  // namespace tocsin::integration
