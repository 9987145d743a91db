#include "checks/prometheus.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "checks/prometheus_reply.hpp"
#include "tests/unit/checks/canned_network.hpp"
#include "tests/unit/checks/made_check.hpp"

namespace tocsin {
namespace {

using namespace std::chrono_literals;
using checks::parse_prometheus_reply;
using checks_test::CannedNetwork;
using checks_test::complaints_of;
using checks_test::made;
using checks_test::map_of;
using checks_test::names_of;
using checks_test::word;
using fakes::value_of;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pair;
using ::testing::StartsWith;

std::string answer_of(const std::string& type, const std::string& result,
                      const std::string& more = "") {
  return R"({"status":"success","data":{"resultType":")" + type + R"(","result":)" + result + "}" +
         more + "}";
}
std::string series_of(const std::string& labels, const std::string& value) {
  return R"({"metric":{)" + labels + R"(},"value":[1795378240.444,")" + value + R"("]})";
}
std::string fault_of(const std::string& type, const std::string& words) {
  return R"({"status":"error","errorType":")" + type + R"(","error":")" + words + R"("})";
}

struct Asked {
  CannedNetwork network{};
  fakes::FakeHost host{&network};
  std::unique_ptr<Check> check = made(
      prometheus_check(),
      map_of({{"url", word("http://prom.example:9090")}, {"query", word("sum(up{job=\"a b\"})")}}));

  Result<Samples> look(std::string body, int status = 200) {
    network.answer(status, std::move(body));
    return host.run(*check);
  }
};

TEST(PrometheusReply, NamesSeriesByTheirLabels) {
  const auto reply = parse_prometheus_reply(answer_of(
      "vector", "[" + series_of(R"("__name__":"up","job":"node","instance":"web-1:9100")", "1") +
                    "," + series_of(R"("job":"node","instance":"web-2:9100")", "0.5") + "]"));
  ASSERT_TRUE(reply) << reply.error().detail;
  ASSERT_EQ(reply->values.size(), 2u);
  EXPECT_EQ(reply->values[0].labels, "instance=web-1:9100, job=node");
  EXPECT_EQ(reply->values[0].value, 1);
  EXPECT_EQ(reply->values[1].labels, "instance=web-2:9100, job=node");
  EXPECT_EQ(reply->values[1].value, 0.5);
}

TEST(PrometheusReply, LongLabelsAreCutAndStayApart) {
  const std::string common(300, 'x');
  const auto reply = parse_prometheus_reply(
      answer_of("vector", "[" + series_of(R"("a":")" + common + "1\"", "1") + "," +
                              series_of(R"("a":")" + common + "2\"", "2") + "]"));
  ASSERT_TRUE(reply) << reply.error().detail;
  ASSERT_EQ(reply->values.size(), 2u);
  EXPECT_NE(reply->values[0].labels, reply->values[1].labels);
  EXPECT_LT(reply->values[0].labels.size(), 140u);
}

TEST(PrometheusReply, ReadsEveryKindOfNumber) {
  const std::pair<std::string, double> table[] = {
      {"0", 0},
      {"-3.25", -3.25},
      {"3.5e+09", 3.5e9},
      {"1e-05", 1e-5},
      {"+Inf", std::numeric_limits<double>::infinity()},
      {"-Inf", -std::numeric_limits<double>::infinity()},
  };
  for (const auto& [text, value] : table) {
    const auto scalar = parse_prometheus_reply(answer_of("scalar", "[1,\"" + text + "\"]"));
    ASSERT_TRUE(scalar) << text;
    ASSERT_EQ(scalar->values.size(), 1u);
    EXPECT_EQ(scalar->values[0].value, value);
    EXPECT_EQ(scalar->values[0].labels, "");
  }
  const auto nothing = parse_prometheus_reply(answer_of("scalar", R"([1,"NaN"])"));
  ASSERT_TRUE(nothing);
  EXPECT_THAT(nothing->values, IsEmpty());
  EXPECT_EQ(nothing->not_numbers, 1u);
}

TEST(PrometheusReply, WhatIsNoUseIsSaid) {
  std::string many = "[" + series_of(R"("i":"0")", "1");
  for (int i = 1; i <= 200; ++i)
    many += "," + series_of(R"("i":")" + std::to_string(i) + "\"", "1");
  struct Row {
    std::string body;
    Errc code;
    std::string words;
  };
  const Row table[] = {
      {"<html>", Errc::malformed, "is not JSON"},
      {"", Errc::malformed, "is not JSON"},
      {std::string(100'000, '['), Errc::malformed, "is not JSON"},
      {"[]", Errc::malformed, "not an answer of the Prometheus API"},
      {"{}", Errc::malformed, "not an answer of the Prometheus API"},
      {R"({"status":"success"})", Errc::malformed, "not an answer of the Prometheus API"},
      {R"({"status":"success","data":{"resultType":"vector"}})", Errc::malformed, "no result"},
      {answer_of("vector", "{}"), Errc::malformed, "no result of a known type"},
      {answer_of("vector", "[1]"), Errc::malformed, "not an object"},
      {answer_of("vector", R"([{"value":[1,"1"]}])"), Errc::malformed, "without labels"},
      {answer_of("vector", R"([{"metric":{}}])"), Errc::malformed, "without a value"},
      {answer_of("vector", R"([{"metric":{},"value":[1]}])"), Errc::malformed, "not a number"},
      {answer_of("vector", R"([{"metric":{},"value":[1,2]}])"), Errc::malformed, "not a number"},
      {answer_of("vector", "[" + series_of("", "12x") + "]"), Errc::malformed, "not a number"},
      {answer_of("vector", R"([{"metric":{},"histogram":[1,{}]}])"), Errc::unsupported,
       "native histogram"},
      {answer_of("vector", many + "]"), Errc::too_large, "201 series; the bound is 200"},
      {answer_of("vector", "[" + series_of(R"("__name__":"a")", "1") + "," +
                               series_of(R"("__name__":"b")", "1") + "]"),
       Errc::unsupported, "same labels"},
      {answer_of("matrix", "[]"), Errc::unsupported, "ranges"},
      {answer_of("string", R"([1,"hello"])"), Errc::unsupported, "a text"},
      {answer_of("scalar", "[]"), Errc::malformed, "not a number"},
      {fault_of("bad_data", "parse error"), Errc::refused, "bad_data: parse error"},
  };
  for (const auto& row : table) {
    const auto reply = parse_prometheus_reply(row.body);
    ASSERT_FALSE(reply) << row.words;
    EXPECT_EQ(reply.error().code, row.code) << row.words;
    EXPECT_THAT(reply.error().detail, HasSubstr(row.words));
  }
}

TEST(PrometheusCheck, AsksWithAFormAndATimeLimit) {
  CannedNetwork network;
  fakes::FakeHost host{&network};
  network.answer(200, answer_of("scalar", R"([1,"1"])"));
  const auto check =
      made(prometheus_check(), map_of({{"url", word("https://mimir.example/prometheus/")},
                                       {"query", word("sum(up{job=\"a b\"})")},
                                       {"headers", map_of({{"X-Scope-OrgID", word("shop")}})},
                                       {"tls", map_of({{"verify", word("false")}})}}));
  ASSERT_TRUE(host.run(*check));
  ASSERT_TRUE(host.run(*check));
  for (const auto& request : network.asked) {
    EXPECT_EQ(request.method, "POST");
    EXPECT_EQ(request.url.target, "/prometheus/api/v1/query");
    EXPECT_THAT(request.body,
                StartsWith("query=sum%28up%7Bjob%3D%22a%20b%22%7D%29&timeout=4950ms"));
    EXPECT_THAT(request.headers,
                Contains(Pair("content-type", "application/x-www-form-urlencoded")));
    EXPECT_THAT(request.headers, Contains(Pair("X-Scope-OrgID", "shop")));
    EXPECT_FALSE(request.tls.verify);
  }
}

TEST(PrometheusCheck, ASingleNumberHasNoInstance) {
  Asked prometheus;
  const auto samples = prometheus.look(answer_of("vector", "[" + series_of("", "812.5") + "]"));
  ASSERT_TRUE(samples);
  EXPECT_THAT(names_of(*prometheus.check, *samples),
              ElementsAre("up", "value", "series", "warnings"));
  EXPECT_EQ(value_of(*prometheus.check, *samples, "value"), 812.5);
  EXPECT_EQ(value_of(*prometheus.check, *samples, "series"), 1);
}

TEST(PrometheusCheck, EverySeriesIsAnInstanceAndEvidenceShowsTheHighest) {
  Asked prometheus;
  std::string all;
  for (int i = 0; i < 8; ++i)
    all += (all.empty() ? "" : ",") +
           series_of(R"("i":")" + std::to_string(i) + "\"", std::to_string(i * 10));
  all += "," + series_of(R"("i":"idle")", "NaN");
  const auto samples = prometheus.look(
      answer_of("vector", "[" + all + "]", R"(,"warnings":["store 10.0.0.7 did not answer"])"));
  ASSERT_TRUE(samples);
  EXPECT_EQ(value_of(*prometheus.check, *samples, "value", "i=7"), 70);
  EXPECT_EQ(value_of(*prometheus.check, *samples, "value", "i=idle"), std::nullopt);
  EXPECT_EQ(value_of(*prometheus.check, *samples, "series"), 8);
  EXPECT_EQ(value_of(*prometheus.check, *samples, "warnings"), 1);
  EXPECT_THAT(prometheus.host.evidence(*prometheus.check).lines,
              ElementsAre("asked prom.example:9090 for `sum(up{job=\"a b\"})`", "70 for i=7",
                          "60 for i=6", "50 for i=5", "40 for i=4", "30 for i=3",
                          "and 3 lower ones, down to 0", "1 series are NaN and were left out",
                          "Prometheus warns: store 10.0.0.7 did not answer"));
}

TEST(PrometheusCheck, NothingIsUnknownAndNeverZero) {
  struct Row {
    int status;
    std::string body;
    std::string sentence;
  };
  const Row table[] = {
      {200, answer_of("vector", "[]"),
       "the query gave nothing: `sum(up{job=\"a b\"})` on prom.example:9090"},
      {200, answer_of("vector", "[]", R"(,"warnings":["store away"])"), "it warns: store away"},
      {200, answer_of("vector", "[" + series_of("", "NaN") + "]"), "the query gave NaN"},
      {200, answer_of("scalar", R"([1,"NaN"])"), "the query gave NaN"},
      {400, fault_of("bad_data", "1:4: parse error"),
       "prom.example:9090 refused the query `sum(up{job=\"a b\"})` (status 400): bad_data: 1:4: "
       "parse error"},
      {422, fault_of("execution", "many-to-many"), "(status 422): execution: many-to-many"},
      {503, fault_of("timeout", "query timed out"), "(status 503): timeout: query timed out"},
      {200, answer_of("matrix", "[]"), "of no use here: it gives ranges"},
      {401, "Unauthorized", "prom.example:9090 asks for credentials (status 401)"},
      {404, "404 page not found", "prom.example:9090 answered with status 404"},
      {502, answer_of("scalar", R"([1,"1"])"), "prom.example:9090 answered with status 502"},
      {200, "<html>", "the answer of prom.example:9090 is not JSON"},
  };
  for (const auto& row : table) {
    Asked prometheus;
    const auto samples = prometheus.look(row.body, row.status);
    ASSERT_FALSE(samples) << row.sentence;
    EXPECT_THAT(samples.error().detail, HasSubstr(row.sentence));
  }
}

TEST(PrometheusCheck, SilenceOfPrometheusIsUnknownToo) {
  Asked prometheus;
  ASSERT_TRUE(prometheus.look(answer_of("scalar", R"([1,"7"])")));
  prometheus.network.fail(NetPhase::connect, Errc::unreachable,
                          "connect to prom.example:9090 failed: Connection refused");
  const auto samples = prometheus.host.run(*prometheus.check);
  ASSERT_FALSE(samples);
  EXPECT_EQ(samples.error().detail, "connect to prom.example:9090 failed: Connection refused");
  EXPECT_THAT(prometheus.host.evidence(*prometheus.check).lines, Not(Contains(HasSubstr("7"))));
}

TEST(PrometheusCheck, BadParametersAreComplainedOf) {
  const auto url = std::pair{std::string{"url"}, word("http://prom")};
  const auto query = std::pair{std::string{"query"}, word("up")};
  const std::pair<Node, std::string> table[] = {
      {map_of({query}), "url"},
      {map_of({url}), "query"},
      {map_of({url, {"query", word("  ")}}), "expected an expression"},
      {map_of({url, {"query", word(std::string(70'000, 'x'))}}), "64 KiB"},
      {map_of({{"url", word("http://prom/api/v1/query")}, query}), "leave /api/v1"},
      {map_of({{"url", word("http://prom/?a=b")}, query}), "no query"},
  };
  for (const auto& [map, sentence] : table) {
    const auto complaints = complaints_of(prometheus_check(), map);
    ASSERT_FALSE(complaints.empty()) << sentence;
    EXPECT_THAT(complaints.front(), HasSubstr(sentence));
  }
}

}  // namespace
}  // namespace tocsin
