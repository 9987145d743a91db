// A real dnsmasq that forgets a name, is killed, and comes back.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

#include <unistd.h>

#include <boost/json/serialize.hpp>

#include "tests/integration/agent.hpp"

namespace tocsin::integration {
namespace {

using ::testing::HasSubstr;

constexpr const char* dnsmasq = "/usr/sbin/dnsmasq";

/// A dnsmasq on loopback that knows one domain by a hosts file, and nobody to ask of the rest.
class NameServer {
 public:
  NameServer() : port_{free_port()} {
    know("192.0.2.10");
    start();
  }
  ~NameServer() {
    if (server_) server_->kill();
  }
  void start() {
    server_ = std::make_unique<Program>(std::vector<std::string>{
        dnsmasq, "--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts",
        "--user=root", "--bind-interfaces", "--listen-address=127.0.0.1",
        "--pid-file=", "--port=" + std::to_string(port_), "--addn-hosts=" + (folder_ / "hosts"),
        "--local=/shop.example/", "--mx-host=shop.example,mail.shop.example,10", "--local-ttl=60",
        "--txt-record=shop.example,v=spf1 -all", "--log-facility=-"});
    if (!server_->wait_for_line("read " + (folder_ / "hosts")))
      throw std::runtime_error{"dnsmasq did not start: " + server_->text()};
  }
  void kill() {
    server_->kill();
    server_.reset();
  }
  /// The shop's address from now on; none when it is empty.
  void know(const std::string& address) {
    folder_.write("hosts", address.empty() ? "" : address + " www.shop.example\n");
    if (server_) server_->signal(SIGHUP);
  }
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

 private:
  Folder folder_;
  int port_;
  std::unique_ptr<Program> server_;
};

class Dns : public ::testing::Test {
 protected:
  void SetUp() override {
    if (access(dnsmasq, X_OK) != 0)
      GTEST_SKIP() << "dnsmasq is not installed: apt-get install dnsmasq-base";
    server_ = std::make_unique<NameServer>();
    agent_.configure(
        "checks:\n" + check("shop", "query: www.shop.example, expect: 192.0.2.10") +
            check("mail", "query: shop.example, record: MX, expect: 10 mail.shop.example") +
            check("txt", "query: shop.example, record: TXT, pattern: ^v=spf1") +
            check("reverse", "query: 192.0.2.10, record: PTR, expect: www.shop.example") +
            check("stranger", "query: other.example, unknown: ok"),
        "  recover_hold: 1s\n");
    agent_.start();
    for (const auto* name : {"shop", "mail", "txt", "reverse"})
      ASSERT_TRUE(eventually([&] { return sample("up", name) == 1; }))
          << agent_.get("/api/v1/checks").body;
  }
  std::string check(const std::string& name, const std::string& keys) const {
    return "  - {name: " + name + ", type: dns, every: 300ms, confirm_every: 100ms, server: \"" +
           server_->address() + "\", " + keys + ", clear: up >= 1}\n";
  }
  double sample(const std::string& name, const std::string& check) const {
    return agent_.metric("tocsin_dns_" + name + "{check=\"" + check + "\"}");
  }

  std::unique_ptr<NameServer> server_;
  Agent agent_;
};

TEST_F(Dns, ANameThatIsGoneOpensAnIncidentUntilItIsBack) {
  EXPECT_EQ(sample("answers", "shop"), 1);
  EXPECT_EQ(sample("ttl_seconds", "shop"), 60);
  server_->know("");
  const auto open = agent_.wait_for_incident("shop", "open");
  EXPECT_THAT(text_at(open, "title"), HasSubstr("CRITICAL: shop on web-1: up 0 < 1"));
  EXPECT_EQ(
      text_at(open, "summary", "probable_cause"),
      server_->address() + " answered NXDOMAIN for www.shop.example (A): there is no such name");
  EXPECT_EQ(sample("response_code", "shop"), 3);
  server_->know("192.0.2.10");
  agent_.wait_for_incident("shop", "resolved");
}

TEST_F(Dns, AWrongAddressIsToldWithTheRightOne) {
  server_->know("192.0.2.66");
  const auto open = agent_.wait_for_incident("shop", "open");
  EXPECT_EQ(
      text_at(open, "summary", "probable_cause"),
      server_->address() + " answered 192.0.2.66 for www.shop.example (A), and not 192.0.2.10");
}

TEST_F(Dns, AServerThatDiedIsToldFromOneThatRefuses) {
  const auto stranger = agent_.wait_for_incident("stranger", "open");
  EXPECT_THAT(text_at(stranger, "summary", "probable_cause"),
              HasSubstr(server_->address() + " answered REFUSED for other.example (A): it does not "
                                             "serve that name, or not to us"));
  server_->kill();
  const auto open = agent_.wait_for_incident("mail", "open");
  EXPECT_THAT(text_at(open, "summary", "probable_cause"),
              HasSubstr("DNS question for shop.example (MX): " + server_->address() + ": "));
  EXPECT_THAT(text_at(open, "summary", "probable_cause"), HasSubstr("nothing answers there"));
  server_->start();
  agent_.wait_for_incident("mail", "resolved");
}

}  // namespace
}  // namespace tocsin::integration
