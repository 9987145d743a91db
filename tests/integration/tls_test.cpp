// A real nginx whose certificate is about to end, and one that renews it; and the file it is in.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

#include <boost/json/serialize.hpp>

#include "tests/integration/agent.hpp"
#include "tests/integration/nginx.hpp"
#include "tests/unit/net/certificates.hpp"

namespace tocsin::integration {
namespace {

using net::testing::Identity;
using ::testing::HasSubstr;

constexpr auto day = std::chrono::hours{24};

class Tls : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!Nginx::installed()) GTEST_SKIP() << "nginx is not installed: apt-get install nginx";
    folder_.write("ca.pem", authority_.certificate_pem());
    renew(60 * day);
    address_ = "127.0.0.1:" + std::to_string(free_port());
    folder_.write("nginx.conf",
                  "daemon off;\nworker_processes 1;\npid " + (folder_ / "nginx.pid") +
                      ";\nerror_log stderr notice;\nevents {}\nhttp {\n  access_log off;\n" +
                      temporary("client_body") + temporary("proxy") + temporary("fastcgi") +
                      temporary("uwsgi") + temporary("scgi") + "  server {\n    listen " +
                      address_ + " ssl;\n    ssl_certificate " + (folder_ / "shop.pem") +
                      ";\n    ssl_certificate_key " + (folder_ / "shop.key") +
                      ";\n    location / { return 200 \"ok\\n\"; }\n  }\n}\n");
    nginx_ = std::make_unique<Program>(std::vector<std::string>{
        "/usr/sbin/nginx", "-p", folder_.path(), "-c", folder_ / "nginx.conf", "-e", "stderr"});
    ASSERT_TRUE(nginx_->wait_for_line("start worker process ")) << nginx_->text();
    agent_.configure(
        "checks:\n  - name: shop-certificate\n    type: tls\n    every: 300ms\n    topic: shop\n"
        "    address: " +
            address_ + "\n    server_name: shop.example\n    ca_file: " + (folder_ / "ca.pem") +
            "\n    critical: certificate_days < 3\n    clear: certificate_days > 30\n"
            "  - name: certificate-file\n    type: tls\n    every: 300ms\n    topic: file\n"
            "    file: " +
            (folder_ / "shop.pem") +
            "\n    critical: certificate_days < 3\n    clear: certificate_days > 30\n"
            "  - name: other-name\n    type: tls\n    every: 300ms\n    topic: name\n"
            "    address: " +
            address_ + "\n    ca_file: " + (folder_ / "ca.pem") +
            "\n    critical: up < 1 for 2 of 3\n",
        "  recover_hold: 1s\n");
  }
  void TearDown() override {
    if (!nginx_) return;
    nginx_->signal(SIGTERM);
    nginx_->wait_for_exit();
  }
  std::string temporary(const std::string& kind) const {
    return "  " + kind + "_temp_path " + (folder_ / kind) + ";\n";
  }
  /// What a renewal puts in place: the leaf, then the authority's own.
  void renew(Duration lasts) {
    const Identity leaf{{.subject = "shop.example",
                         .names = "DNS:shop.example",
                         .from = now_ - day,
                         .until = now_ + std::chrono::floor<std::chrono::seconds>(lasts)},
                        &authority_};
    folder_.write("shop.key", leaf.key_pem());
    folder_.write("shop.pem", leaf.certificate_pem() + authority_.certificate_pem());
  }
  double sample(const std::string& name, const std::string& check) const {
    return agent_.metric("tocsin_tls_" + name + "{check=\"" + check + "\"}");
  }

  WallTime now_{std::chrono::floor<std::chrono::seconds>(
      WallTime::clock::time_point{std::chrono::seconds{::time(nullptr)}})};
  Identity authority_{{.subject = "Shop CA",
                       .from = now_ - 90 * day,
                       .until = now_ + 900 * day,
                       .authority = true}};
  Folder folder_;
  std::string address_;
  std::unique_ptr<Program> nginx_;
  Agent agent_;
};

TEST_F(Tls, ACertificateAboutToEndPagesUntilItIsRenewed) {
  agent_.start();
  ASSERT_TRUE(eventually([&] { return sample("up", "shop-certificate") == 1; }));
  EXPECT_EQ(sample("verified", "shop-certificate"), 1);
  EXPECT_EQ(sample("name_matches", "shop-certificate"), 1);
  EXPECT_NEAR(sample("certificate_seconds", "shop-certificate"), 60 * 86400.0, 600);

  renew(2 * day + 12h);
  nginx_->signal(SIGHUP);
  const auto open = agent_.wait_for_incident("shop", "open");
  EXPECT_THAT(text_at(open, "title"), HasSubstr("CRITICAL: shop on web-1: certificate_days 2d 1"));
  EXPECT_THAT(text_at(open, "summary", "probable_cause"),
              HasSubstr("the certificate of " + address_ + ", CN=shop.example, ends in 2d 12h"));
  const auto told = json::serialize(agent_.incident(text_at(open, "id")));
  EXPECT_THAT(told, HasSubstr("1. CN=shop.example, issued by CN=Shop CA, serial "));
  EXPECT_THAT(told, HasSubstr("): the first to end"));
  EXPECT_THAT(told, HasSubstr("2. CN=Shop CA, issued by CN=Shop CA, serial "));
  const auto file = agent_.wait_for_incident("file", "open");
  EXPECT_THAT(text_at(file, "summary", "probable_cause"), HasSubstr("shop.pem, CN=shop.example"));

  renew(90 * day);
  nginx_->signal(SIGHUP);
  agent_.wait_for_incident("shop", "resolved");
  agent_.wait_for_incident("file", "resolved");
}

TEST_F(Tls, ACertificateForAnotherNameSaysForWhom) {
  agent_.start();
  const auto open = agent_.wait_for_incident("name", "open");
  EXPECT_THAT(text_at(open, "summary", "probable_cause"),
              HasSubstr("the certificate of " + address_ +
                        " does not fit: certificate is for shop.example, not for 127.0.0.1"));
  EXPECT_EQ(sample("verified", "other-name"), 1);
  EXPECT_EQ(sample("name_matches", "other-name"), 0);
}

}  // namespace
}  // namespace tocsin::integration
