#include "agent/net/proxy.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "tests/unit/net/loopback.hpp"

namespace tocsin::net::testing {
namespace {

using ::testing::HasSubstr;

Result<ProxySettings> from(std::string configured, std::map<std::string, std::string> variables) {
  return proxy_settings(configured, [variables = std::move(variables)](const char* name) {
    const auto entry = variables.find(name);
    return entry == variables.end() ? std::string{} : entry->second;
  });
}

TEST(ProxyText, IsRead) {
  EXPECT_EQ(parse_proxy("http://p.example:8080")->address, (HostPort{"p.example", 8080}));
  EXPECT_EQ(parse_proxy("p.example:8080")->address, (HostPort{"p.example", 8080}));
  EXPECT_EQ(parse_proxy("http://p.example/")->address, (HostPort{"p.example", 3128}));
  EXPECT_EQ(parse_proxy("http://[::1]:3")->address, (HostPort{"::1", 3}));
  EXPECT_EQ(parse_proxy("http://user:p%40ss@p:1")->authorization.reveal(), "Basic dXNlcjpwQHNz");
  EXPECT_TRUE(parse_proxy("http://p:1")->authorization.empty());
}

TEST(ProxyText, IsRefusedWithoutRepeatingSecrets) {
  for (const auto* text :
       {"", "http://", "http://user:hunter2@", "http://user:hunter2@h:x",
        "https://user:hunter2@p:1", "socks5://user:hunter2@p:1", "http://user:hunter2@p:1/path"}) {
    const auto proxy = parse_proxy(text);
    ASSERT_FALSE(proxy) << text;
    EXPECT_THAT(proxy.error().detail, Not(HasSubstr("hunter2")));
  }
}

TEST(ProxySettings, ComeFromTheKeyOrTheEnvironment) {
  const Url secure{"https", "slack.com", 443, "/"};
  const Url plain{"http", "slack.com", 80, "/"};
  EXPECT_EQ(from("", {})->for_url(secure), nullptr);
  const auto both = from("http://key:1", {{"HTTPS_PROXY", "http://env:2"}});
  EXPECT_EQ(both->for_url(secure)->address.host, "key");
  EXPECT_EQ(both->for_url(plain)->address.host, "key");
  const auto env = from("", {{"HTTPS_PROXY", "http://a:2"}, {"http_proxy", "b:3"}});
  EXPECT_EQ(env->for_url(secure)->address.host, "a");
  EXPECT_EQ(env->for_url(plain)->address.host, "b");
  const auto all = from("", {{"ALL_PROXY", "http://c:2"}, {"NO_PROXY", " x , .slack.com"}});
  EXPECT_EQ(all->for_url(secure), nullptr);
  EXPECT_NE(all->for_url({"https", "pagerduty.com", 443, "/"}), nullptr);
  const auto bad = from("", {{"HTTPS_PROXY", "ftp://c:2"}});
  ASSERT_FALSE(bad);
  EXPECT_THAT(bad.error().detail, HasSubstr("HTTPS_PROXY: only http:// proxies"));
}

TEST(ProxySettings, ExemptionsFollowTheCustom) {
  struct Row {
    std::string entry, host;
    std::uint16_t port;
    bool exempt;
  };
  const Row table[] = {
      {"*", "anything", 1, true},
      {"example.com", "example.com", 443, true},
      {"example.com", "a.example.com", 443, true},
      {"example.com", "notexample.com", 443, false},
      {".example.com", "a.example.com", 443, true},
      {".example.com", "example.com", 443, true},
      {"*.example.com", "a.b.example.com", 443, true},
      {"Example.COM", "EXAMPLE.com", 443, true},
      {"example.com:8443", "example.com", 8443, true},
      {"example.com:8443", "example.com", 443, false},
      {"10.0.0.0/8", "10.2.3.4", 80, true},
      {"10.0.0.0/8", "11.2.3.4", 80, false},
      {"10.0.0.0/8", "ten.example", 80, false},
      {"fd00::/8", "fd12::1", 80, true},
      {"fd00::/8", "fe80::1", 80, false},
      {"127.0.0.1", "127.0.0.1", 80, true},
      {"::1", "::1", 80, true},
      {"[::1]:80", "::1", 80, true},
      {".", "example.com", 80, false},
      {"10.0.0.0/99", "10.0.0.1", 80, false},
  };
  for (const auto& row : table)
    EXPECT_EQ(exempt({row.entry}, row.host, row.port), row.exempt) << row.entry << " " << row.host;
}

TEST(Proxy, HttpGoesInAbsoluteForm) {
  NetworkOptions options;
  options.proxy.http = Proxy{{"127.0.0.1", 0}, Secret{"Basic dTpw"}};
  // The proxy's port must be known before the network is built.
  World first;
  tcp::acceptor seat{first.loop, World::anywhere()};
  const auto at = seat.local_endpoint();
  seat.close();
  options.proxy.http->address.port = at.port();
  World world{options};
  TcpServer proxy{world.loop, at, {{hear(), say(http_ok("via"))}}};
  HttpRequest request;
  request.url = {"http", "am.test", 9093, "/api"};
  request.through_proxy = true;
  request.deadline = world.clock.steady() + 5s;
  const auto outcome = world.http(request);
  ASSERT_TRUE(outcome.response) << outcome.failure->error.detail;
  EXPECT_THAT(proxy.heard.at(0),
              HasSubstr("GET http://am.test:9093/api HTTP/1.1\r\nHost: am.test:9093\r\n"));
  EXPECT_THAT(proxy.heard.at(0), HasSubstr("Proxy-Authorization: Basic dTpw\r\n"));
}

TEST(Proxy, ADeadProxyIsNamed) {
  NetworkOptions options;
  options.proxy.http = Proxy{{"127.0.0.1", closed_port()}, {}};
  World world{options};
  HttpRequest request;
  request.url = {"http", "am.test", 80, "/"};
  request.through_proxy = true;
  request.deadline = world.clock.steady() + 5s;
  const auto outcome = world.http(request);
  ASSERT_TRUE(outcome.failure);
  EXPECT_THAT(outcome.failure->error.detail, HasSubstr("connect to proxy 127.0.0.1:"));
}

}  // namespace
}  // namespace tocsin::net::testing
