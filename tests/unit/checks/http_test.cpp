#include "checks/http.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "checks/json_expectation.hpp"
#include "tests/unit/checks/canned_network.hpp"
#include "tests/unit/checks/made_check.hpp"

namespace tocsin {
namespace {

using namespace std::chrono_literals;
using checks::JsonExpectation;
using checks::unmet;
using checks_test::CannedNetwork;
using checks_test::complaints_of;
using checks_test::list_of;
using checks_test::made;
using checks_test::map_of;
using checks_test::names_of;
using checks_test::word;
using fakes::value_of;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Node list_of_maps(std::vector<Node> maps) {
  Node node;
  node.kind = Node::Kind::list;
  node.items = std::move(maps);
  return node;
}

struct HttpHost {
  CannedNetwork network{};
  fakes::FakeHost host{&network};
};

std::unique_ptr<Check> shop(std::vector<std::pair<std::string, Node>> more = {}) {
  more.insert(more.begin(), {"url", word("https://shop.example/health?x=1")});
  return made(http_check(), map_of(std::move(more)));
}

TEST(JsonExpectations, CompareValuesAtTheirPlace) {
  const std::string body =
      R"({"status":"green","depth":812,"ok":true,"none":null,"list":[1,2.5],"a/b":{"~":"t"}})";
  struct Row {
    JsonExpectation wanted;
    std::string why;  ///< Empty: met.
  };
  const Row table[] = {
      {{.pointer = "/status", .equals = "green"}, ""},
      {{.pointer = "/status", .equals = "red"}, "/status is \"green\", expected red"},
      {{.pointer = "/status", .differs = "green"}, "expected anything else"},
      {{.pointer = "/status", .differs = "red"}, ""},
      {{.pointer = "/depth", .equals = "812"}, ""},
      {{.pointer = "/depth", .equals = "812.0"}, ""},
      {{.pointer = "/depth", .equals = "x"}, "/depth is 812, expected x"},
      {{.pointer = "/depth", .below = 100}, "/depth is 812, expected below 100"},
      {{.pointer = "/depth", .below = 1000}, ""},
      {{.pointer = "/depth", .above = 812}, "/depth is 812, expected above 812"},
      {{.pointer = "/depth", .at_least = 812, .at_most = 812}, ""},
      {{.pointer = "/depth", .at_least = 813}, "expected at least 813"},
      {{.pointer = "/depth", .at_most = 811}, "expected at most 811"},
      {{.pointer = "/status", .above = 1}, "is \"green\", expected a number above 1"},
      {{.pointer = "/ok", .equals = "true"}, ""},
      {{.pointer = "/ok", .equals = "false"}, "/ok is true, expected false"},
      {{.pointer = "/none", .equals = "null"}, ""},
      {{.pointer = "/list/1", .equals = "2.5"}, ""},
      {{.pointer = "/list", .equals = "x"}, "/list is a list, expected x"},
      {{.pointer = "/a~1b/~0", .equals = "t"}, ""},
      {{.pointer = "/a~1b"}, ""},
      {{.pointer = "", .differs = "x"}, ""},
      {{.pointer = "/absent"}, "/absent is not in the body"},
      {{.pointer = "/list/7"}, "/list/7 is not in the body"},
      {{.pointer = "/status/x"}, "/status/x is not in the body"},
  };
  for (const auto& row : table) {
    const auto why = unmet({row.wanted}, body);
    if (row.why.empty())
      EXPECT_FALSE(why) << *why;
    else
      EXPECT_THAT(why.value_or("met"), HasSubstr(row.why)) << row.wanted.pointer;
  }
  EXPECT_THAT(unmet({{.pointer = "/x"}}, "<html>").value(), HasSubstr("the body is not JSON"));
  EXPECT_THAT(unmet({{.pointer = "/x"}}, std::string(100'000, '[')).value(),
              HasSubstr("the body is not JSON"));
  EXPECT_FALSE(unmet({}, "<html>"));
}

TEST(HttpCheck, AGoodAnswerIsUpWithItsPhases) {
  HttpHost world;
  world.network.answer(204, "four");
  world.network.http_outcome.response->times = {
      .resolve = 1ms, .connect = 2ms, .tls = 3ms, .first_byte = 4ms, .total = 10ms};
  world.network.http_outcome.response->certificate =
      PeerCertificate{world.host.clock.wall() + std::chrono::hours{36}, "CN=shop"};
  const auto check = shop();
  const auto samples = world.host.run(*check);
  ASSERT_TRUE(samples);
  EXPECT_EQ(value_of(*check, *samples, "up"), 1);
  EXPECT_EQ(value_of(*check, *samples, "resolve_seconds"), 0.001);
  EXPECT_EQ(value_of(*check, *samples, "connect_seconds"), 0.002);
  EXPECT_EQ(value_of(*check, *samples, "tls_seconds"), 0.003);
  EXPECT_EQ(value_of(*check, *samples, "first_byte_seconds"), 0.004);
  EXPECT_EQ(value_of(*check, *samples, "total_seconds"), 0.01);
  EXPECT_EQ(value_of(*check, *samples, "status"), 204);
  EXPECT_EQ(value_of(*check, *samples, "certificate_days"), 1.5);
  EXPECT_EQ(value_of(*check, *samples, "body_bytes"), 4);
  const auto& request = world.network.asked.at(0);
  EXPECT_EQ(request.method, "GET");
  EXPECT_EQ(request.url.target, "/health?x=1");
  EXPECT_EQ(request.reuse, Reuse::fresh);
  EXPECT_FALSE(request.through_proxy);
  EXPECT_TRUE(request.tls.verify);
  EXPECT_LT(request.deadline, world.host.clock.steady() + 5s);
}

TEST(HttpCheck, TheRequestIsAsConfigured) {
  HttpHost world;
  world.network.answer(200, "");
  const auto check = shop({{"method", word("POST")},
                           {"headers", map_of({{"X-A", word("b")}})},
                           {"body", word("{}")},
                           {"unix_socket", word("/run/app.sock")},
                           {"tls", map_of({{"verify", word("false")}})}});
  ASSERT_TRUE(world.host.run(*check));
  const auto& request = world.network.asked.at(0);
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.headers.at(0).second, "b");
  EXPECT_EQ(request.body, "{}");
  EXPECT_EQ(request.unix_socket, "/run/app.sock");
  EXPECT_FALSE(request.tls.verify);
}

TEST(HttpCheck, EveryBrokenExpectationHasItsSentence) {
  struct Row {
    std::vector<std::pair<std::string, Node>> expect;
    int status;
    std::string body;
    std::string sentence;  ///< Empty: up.
  };
  const auto green = list_of_maps({map_of({{"pointer", word("/s")}, {"equals", word("green")}})});
  const Row table[] = {
      {{}, 200, "", ""},
      {{}, 302, "", "shop.example:443 answered with status 302, expected 2xx"},
      {{{"status", list_of({"200", "302"})}}, 302, "", ""},
      {{{"status", list_of({"200", "302"})}}, 500, "oops", "status 500, expected 200, 302"},
      {{{"body", word("ok$")}}, 200, "all ok", ""},
      {{{"body", word("ok$")}}, 200, "no", "the body of shop.example:443 does not match /ok$/"},
      {{{"json", green}}, 200, R"({"s":"green"})", ""},
      {{{"json", green}}, 200, R"({"s":"red"})", "/s is \"red\", expected green"},
  };
  for (const auto& row : table) {
    HttpHost world;
    world.network.answer(row.status, row.body);
    const auto check = shop({{"expect", map_of(row.expect)}});
    const auto samples = world.host.run(*check);
    ASSERT_TRUE(samples);
    EXPECT_EQ(value_of(*check, *samples, "up"), row.sentence.empty() ? 1 : 0) << row.sentence;
    const auto evidence = world.host.evidence(*check);
    if (row.sentence.empty()) {
      EXPECT_THAT(evidence.lines, IsEmpty());
    } else {
      EXPECT_THAT(evidence.lines.at(0), HasSubstr(row.sentence));
      EXPECT_THAT(evidence.lines.back(), HasSubstr(row.body));
    }
  }
}

TEST(HttpCheck, AFailureIsAResultAndTheCertificateIsMeasuredStill) {
  HttpHost world;
  world.network.fail(NetPhase::tls, Errc::tls,
                     "TLS handshake with shop.example:443 failed: certificate expired 2d ago");
  world.network.http_outcome.failure->certificate =
      PeerCertificate{world.host.clock.wall() - std::chrono::hours{48}, "CN=shop"};
  world.network.http_outcome.failure->times.connect = 1ms;
  const auto check = shop();
  const auto samples = world.host.run(*check);
  ASSERT_TRUE(samples);
  EXPECT_THAT(names_of(*check, *samples), ElementsAre("up", "connect_seconds", "certificate_days"));
  EXPECT_EQ(value_of(*check, *samples, "up"), 0);
  EXPECT_EQ(value_of(*check, *samples, "certificate_days"), -2);
  EXPECT_THAT(world.host.evidence(*check).probable_cause, HasSubstr("expired 2d ago"));
}

TEST(HttpCheck, AnswersInEvidenceAreCutAndClean) {
  HttpHost world;
  world.network.answer(500, "\x1b[31mboom\n" + std::string(100'000, 'x'));
  const auto check = shop();
  ASSERT_TRUE(world.host.run(*check));
  const auto line = world.host.evidence(*check).lines.at(1);
  EXPECT_LT(line.size(), 300u);
  EXPECT_EQ(line.find('\x1b'), std::string::npos);
  EXPECT_EQ(line.find('\n'), std::string::npos);
}

TEST(HttpCheck, OurOwnTroubleIsNotThePeers) {
  HttpHost world;
  world.network.fail(NetPhase::connect, Errc::internal, "Too many open files");
  EXPECT_FALSE(world.host.run(*shop()));
}

TEST(HttpCheck, BadParametersAreComplainedOf) {
  const std::pair<Node, std::string> table[] = {
      {map_of({}), "url"},
      {map_of({{"url", word("shop")}}), "expected a URL"},
      {map_of({{"url", word("http://h")}, {"method", word("get")}}), "in capitals"},
      {map_of({{"url", word("http://h")}, {"headers", map_of({{"A b", word("c")}})}}),
       "the header \"A b\""},
      {map_of({{"url", word("http://h")}, {"expect", map_of({{"status", list_of({"20"})}})}}),
       "from 100 to 599"},
      {map_of({{"url", word("http://h")},
               {"expect", map_of({{"json", list_of_maps({map_of({{"pointer", word("x")}})})}})}}),
       "begins with '/'"},
      {map_of({{"url", word("http://h")}, {"expect", map_of({{"stat", list_of({"200"})}})}}),
       "stat"},
  };
  for (const auto& [map, sentence] : table) {
    const auto complaints = complaints_of(http_check(), map);
    ASSERT_FALSE(complaints.empty()) << sentence;
    EXPECT_THAT(complaints.front(), HasSubstr(sentence));
  }
}

}  // namespace
}  // namespace tocsin
