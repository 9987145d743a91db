#include "checks/http_access.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tocsin::checks {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

HttpAccess access_to(const std::string& url) {
  HttpAccess access;
  access.url = *parse_url(url);
  return access;
}

TEST(HttpAccess, WritesBase64) {
  // The vectors of RFC 4648, section 10, and bytes that use the last two digits.
  const std::pair<std::string_view, std::string_view> table[] = {{"", ""},
                                                                 {"f", "Zg=="},
                                                                 {"fo", "Zm8="},
                                                                 {"foo", "Zm9v"},
                                                                 {"foob", "Zm9vYg=="},
                                                                 {"fooba", "Zm9vYmE="},
                                                                 {"foobar", "Zm9vYmFy"},
                                                                 {"\xfb\xff\xfe", "+//+"}};
  for (const auto& [bytes, text] : table) EXPECT_EQ(base64(bytes), text);
}

TEST(HttpAccess, EncodesWhatAPathMayNotHold) {
  EXPECT_EQ(percent_encoded("a-b.c_d~9"), "a-b.c_d~9");
  EXPECT_EQ(percent_encoded("/ %\xc3\xa9"), "%2F%20%25%C3%A9");
}

TEST(HttpAccess, RequestsGoBelowTheUrlWithItsCredentials) {
  auto access = access_to("https://search.example/es/");
  access.headers = {{"X-Team", "sre"}};
  EXPECT_THAT(request_below(access, "/_cluster/health").headers,
              ElementsAre(Pair("X-Team", "sre"), Pair("accept", "application/json")));
  access.username = "Aladdin";
  access.password = Secret{"open sesame"};
  const auto named = request_below(access, "/_cluster/health");
  EXPECT_EQ(named.url.target, "/es/_cluster/health");
  // RFC 7617's own example.
  EXPECT_EQ(named.headers.back().second, "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
  access.username.clear();
  access.authorization = Secret{"Bearer abc\n"};
  EXPECT_EQ(request_below(access, "/").headers.back().second, "Bearer abc");
  EXPECT_EQ(request_below(access_to("http://h"), "/x").url.target, "/x");
}

TEST(HttpAccess, RefusalsSayWhoseFaultItIs) {
  auto access = access_to("http://mq:15672");
  HttpResponse response;
  const auto said = [&](int status) {
    response.status = status;
    return refusal(access, response);
  };
  EXPECT_EQ(said(200), "");
  EXPECT_EQ(said(204), "");
  EXPECT_EQ(said(401), "mq:15672 asks for credentials (status 401)");
  EXPECT_EQ(said(403), "mq:15672 does not allow it without credentials (status 403)");
  EXPECT_EQ(said(302), "mq:15672 answered with status 302");
  access.username = "sre";
  EXPECT_EQ(said(401), "mq:15672 refused the credentials (status 401)");
  EXPECT_EQ(said(403), "mq:15672 does not allow it with these credentials (status 403)");
}

TEST(HttpAccess, WhatCannotBeMeantIsComplainedOf) {
  const auto complaint = [](const HttpAccess& access) {
    Complaints complaints;
    struct None final : SecretSource {
      Result<Secret> from_file(const std::string&) const override { return Error{}; }
      Result<Secret> from_env(const std::string&) const override { return Error{}; }
      Result<Secret> from_credential(const std::string&) const override { return Error{}; }
    } none;
    Decoding decoding{complaints, none, {}};
    Node map;
    map.kind = Node::Kind::map;
    judge_access(access, map, decoding);
    return complaints.empty() ? std::string{} : complaints.all().front().message;
  };
  auto access = access_to("http://h");
  EXPECT_EQ(complaint(access), "");
  access.password = Secret{"hush"};
  EXPECT_THAT(complaint(access), HasSubstr("a password needs a username"));
  access.username = "sre";
  EXPECT_EQ(complaint(access), "");
  access.authorization = Secret{"Bearer x"};
  EXPECT_THAT(complaint(access), HasSubstr("either"));
  access.username.clear();
  access.password = Secret{};
  access.authorization = Secret{"Bearer x\r\nHost: y"};
  EXPECT_EQ(complaint(access), "a header is one line");
  access = access_to("http://h");
  access.headers = {{"A", "b\r\nc"}};
  EXPECT_THAT(complaint(access), HasSubstr("the header \"A\""));
  EXPECT_THAT(complaint(access_to("http://h/?q=1")), HasSubstr("no query"));
}

}  // namespace
}  // namespace tocsin::checks
