#include "tocsin/net/url.hpp"

#include <gtest/gtest.h>

namespace tocsin {
namespace {

struct Split {
  std::string text, scheme, host;
  int port;
  std::string target;
};

TEST(Url, IsTakenApart) {
  const Split table[] = {
      {"http://example.com", "http", "example.com", 80, "/"},
      {"https://Example.COM/Path?q=1", "https", "example.com", 443, "/Path?q=1"},
      {"HTTP://h:8080/x", "http", "h", 8080, "/x"},
      {"http://h?x=1", "http", "h", 80, "/?x=1"},
      {"http://[::1]:9/", "http", "::1", 9, "/"},
      {"https://[fe80::1%eth0]/", "https", "fe80::1%eth0", 443, "/"},
      {"http://a_b-c.d/%20", "http", "a_b-c.d", 80, "/%20"},
      {"http://127.0.0.1:1/a:b@c", "http", "127.0.0.1", 1, "/a:b@c"},
  };
  for (const auto& row : table) {
    const auto url = parse_url(row.text);
    ASSERT_TRUE(url) << row.text << ": " << url.error().detail;
    EXPECT_EQ(*url, (Url{row.scheme, row.host, static_cast<std::uint16_t>(row.port), row.target}))
        << row.text;
  }
}

TEST(Url, IsRefusedWithASentence) {
  const std::pair<const char*, const char*> table[] = {
      {"", "expected a URL"},
      {"example.com", "expected a URL"},
      {"ftp://h/", "http or https"},
      {"http://", "host is missing"},
      {"http:///x", "host is missing"},
      {"http://user:pw@h/", "user name or password"},
      {"http://h:0/", "not a port"},
      {"http://h:65536/", "not a port"},
      {"http://h:/", "not a port"},
      {"http://h:8a/", "not a port"},
      {"http://::1/", "brackets"},
      {"http://[::1/", "without ']'"},
      {"http://[zz]/", "not an IPv6 address"},
      {"http://[::1]x/", "after ']'"},
      {"http://h/a b", "percent-encoded"},
      {"http://h/\r\nX: y", "percent-encoded"},
      {"http://h/\xc3\xa4", "percent-encoded"},
      {"http://h\xc3\xa4/", "not a host"},
      {"http://h/#top", "fragment"},
  };
  for (const auto& [text, sentence] : table) {
    const auto url = parse_url(text);
    ASSERT_FALSE(url) << text;
    EXPECT_NE(url.error().detail.find(sentence), std::string::npos) << url.error().detail;
    EXPECT_EQ(url.error().detail.find("pw"), std::string::npos);
  }
}

TEST(Url, IsWrittenAsItWasRead) {
  for (const auto* text : {"http://h/", "https://h/x?y=z", "http://h:81/", "https://[::1]:444/a"})
    EXPECT_EQ(to_string(*parse_url(text)), text);
  EXPECT_EQ(to_string(*parse_url("https://h:443")), "https://h/");
}

TEST(HostPort, NeedsBoth) {
  EXPECT_EQ(*parse_host_port("db.internal:5432"), (HostPort{"db.internal", 5432}));
  EXPECT_EQ(*parse_host_port("[::1]:80"), (HostPort{"::1", 80}));
  EXPECT_EQ(to_string(HostPort{"::1", 80}), "[::1]:80");
  for (const auto* text : {"", "db", "db:", ":80", "::1:80", "[::1]", "db:80x", "db:-1", "a b:80"})
    EXPECT_FALSE(parse_host_port(text)) << text;
}

}  // namespace
}  // namespace tocsin
