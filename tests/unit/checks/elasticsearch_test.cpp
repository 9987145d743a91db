#include "checks/elasticsearch.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>

#include "checks/elasticsearch_reply.hpp"
#include "tests/unit/checks/canned_network.hpp"
#include "tests/unit/checks/made_check.hpp"

namespace tocsin {
namespace {

using namespace std::chrono_literals;
using checks::describe_allocation;
using checks::elasticsearch_reason;
using checks::parse_cluster_health;
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
using ::testing::Pair;

/// As Elasticsearch 8 answers; OpenSearch adds the two members of the second line.
std::string health_of(const std::string& status, int unassigned, const std::string& more = "") {
  return R"({"cluster_name":"shop","status":")" + status +
         R"(","timed_out":false,"number_of_nodes":3,"number_of_data_nodes":2,)" + more +
         R"("active_primary_shards":10,"active_shards":18,"relocating_shards":1,)"
         R"("initializing_shards":0,"unassigned_shards":)" +
         std::to_string(unassigned) +
         R"(,"delayed_unassigned_shards":1,"number_of_pending_tasks":4,)"
         R"("number_of_in_flight_fetch":0,"task_max_waiting_in_queue_millis":1500,)"
         R"("active_shards_percent_as_number":90.0})";
}

constexpr const char* explanation =
    R"({"note":"No shard was specified in the explain API request","index":"orders","shard":0,)"
    R"("primary":true,"current_state":"unassigned","unassigned_info":{"reason":"NODE_LEFT",)"
    R"("at":"2026-11-23T01:00:00.000Z","details":"node_left [x]","last_allocation_status":)"
    R"("no_valid_shard_copy"},"can_allocate":"no_valid_shard_copy","allocate_explanation":)"
    R"("cannot allocate because a previous copy of the primary shard existed but can no longer be )"
    R"(found on the nodes in the cluster"})";

/// Answers the requests one after the other, then as told last.
class Cluster final : public Network {
 public:
  asio::awaitable<HttpOutcome> http(HttpRequest request) override {
    asked.push_back(std::move(request));
    CannedNetwork one;
    one.answer(answers.front().first, answers.front().second);
    if (answers.size() > 1) answers.pop_front();
    co_return one.http_outcome;
  }
  asio::awaitable<ConnectOutcome> connect(ConnectRequest) override { co_return ConnectOutcome{}; }

  std::deque<std::pair<int, std::string>> answers{};
  std::vector<HttpRequest> asked{};
};

std::unique_ptr<Check> search() {
  return made(elasticsearch_check(), map_of({{"url", word("https://search.example:9200/es/")},
                                             {"username", word("sre")}}));
}

TEST(ElasticsearchCheck, TellsTheHealthOfTheCluster) {
  for (const auto* opensearch :
       {"", R"("discovered_master":true,"discovered_cluster_manager":true,)"}) {
    CannedNetwork network;
    fakes::FakeHost host{&network};
    network.answer(200, health_of("yellow", 2, opensearch));
    network.http_outcome.response->times.total = 20ms;
    const auto check = search();
    const auto samples = host.run(*check);
    ASSERT_TRUE(samples);
    EXPECT_THAT(
        names_of(*check, *samples),
        ElementsAre("up", "status", "nodes", "data_nodes", "active_shards", "active_primary_shards",
                    "relocating_shards", "initializing_shards", "unassigned_shards",
                    "delayed_unassigned_shards", "pending_tasks", "in_flight_fetches",
                    "task_queue_seconds", "active_shards_ratio", "total_seconds"));
    EXPECT_EQ(value_of(*check, *samples, "up"), 1);
    EXPECT_EQ(value_of(*check, *samples, "status"), 1);
    EXPECT_EQ(value_of(*check, *samples, "nodes"), 3);
    EXPECT_EQ(value_of(*check, *samples, "unassigned_shards"), 2);
    EXPECT_EQ(value_of(*check, *samples, "pending_tasks"), 4);
    EXPECT_EQ(value_of(*check, *samples, "task_queue_seconds"), 1.5);
    EXPECT_EQ(value_of(*check, *samples, "active_shards_ratio"), 0.9);
    EXPECT_EQ(value_of(*check, *samples, "total_seconds"), 0.02);
    EXPECT_THAT(network.asked.at(0).url.target,
                ::testing::MatchesRegex("/es/_cluster/health\\?timeout=[0-9]+ms"))
        << "a cluster without a master would else be silent for 30 seconds";
    EXPECT_THAT(network.asked.at(0).headers, Contains(Pair("authorization", "Basic c3JlOg==")));
  }
}

TEST(ElasticsearchCheck, StatusIsZeroOneTwo) {
  const std::pair<const char*, double> table[] = {{"green", 0}, {"yellow", 1}, {"red", 2}};
  for (const auto& [name, number] : table) {
    const auto health = parse_cluster_health(health_of(name, 0));
    ASSERT_TRUE(health);
    EXPECT_EQ(health->status, number);
    EXPECT_EQ(checks::status_word(number), name);
  }
}

TEST(ElasticsearchCheck, WhatIsNotSaidIsNotZero) {
  CannedNetwork network;
  fakes::FakeHost host{&network};
  network.answer(200, R"({"status":"green","unassigned_shards":"two","number_of_nodes":-1})");
  const auto check = search();
  const auto samples = host.run(*check);
  ASSERT_TRUE(samples);
  EXPECT_THAT(names_of(*check, *samples), ElementsAre("up", "status"));
}

TEST(ElasticsearchCheck, AnUnassignedShardIsExplained) {
  Cluster cluster;
  fakes::FakeHost host{&cluster};
  cluster.answers = {{200, health_of("red", 2)}, {200, explanation}};
  const auto check = search();
  ASSERT_TRUE(host.run(*check));
  const auto evidence = host.evidence(*check);
  EXPECT_EQ(cluster.asked.at(1).url.target, "/es/_cluster/allocation/explain");
  EXPECT_EQ(evidence.lines.at(0),
            "cluster shop on search.example:9200 is red: 3 nodes, 2 with data, 2 unassigned "
            "shards, 1 of them delayed, 1 relocating, 4 pending tasks");
  EXPECT_THAT(evidence.lines.at(1),
              HasSubstr("primary shard 0 of index orders is unassigned since "
                        "2026-11-23T01:00:00.000Z (NODE_LEFT): cannot allocate because"));
  EXPECT_THAT(evidence.probable_cause, HasSubstr("index orders"));
}

TEST(ElasticsearchCheck, ARefusedExplanationIsLeftOut) {
  Cluster cluster;
  fakes::FakeHost host{&cluster};
  cluster.answers = {{200, health_of("red", 2)}, {403, "{}"}};
  const auto check = search();
  ASSERT_TRUE(host.run(*check));
  const auto evidence = host.evidence(*check);
  EXPECT_EQ(evidence.lines.size(), 1u);
  EXPECT_EQ(evidence.probable_cause, "");
}

TEST(ElasticsearchCheck, ExplanationsMayBeAnything) {
  EXPECT_EQ(describe_allocation("<html>"), "");
  EXPECT_EQ(describe_allocation("{}"), "");
  EXPECT_EQ(describe_allocation(R"({"index":"a","shard":"0"})"), "");
  EXPECT_EQ(describe_allocation(R"({"index":"a","shard":1,"primary":false,"current_state":"x"})"),
            "replica shard 1 of index a is x");
  EXPECT_EQ(elasticsearch_reason("<html>"), "");
  EXPECT_EQ(elasticsearch_reason(R"({"error":"Forbidden"})"), "Forbidden");
}

TEST(ElasticsearchCheck, AClusterThatCannotTellIsDown) {
  struct Row {
    int status;
    std::string body;
    std::string sentence;
  };
  const Row table[] = {
      {503,
       R"({"error":{"root_cause":[{"type":"master_not_discovered_exception","reason":null}],)"
       R"("type":"master_not_discovered_exception","reason":null},"status":503})",
       "search.example:9200 answered with status 503: master_not_discovered_exception"},
      {401,
       R"({"error":{"type":"security_exception","reason":"unable to authenticate user [sre]"},)"
       R"("status":401})",
       "refused the credentials (status 401): security_exception: unable to authenticate"},
      {502, "<html>", "search.example:9200 answered with status 502"},
      {200, "<html>", "the answer of search.example:9200 is not JSON"},
      {200, R"({"status":"purple"})", "is JSON but not the health of a cluster"},
      {200, "[]", "is JSON but not the health of a cluster"},
      {500, health_of("green", 0), "search.example:9200 answered with status 500"},
  };
  for (const auto& row : table) {
    CannedNetwork network;
    fakes::FakeHost host{&network};
    network.answer(row.status, row.body);
    const auto check = search();
    const auto samples = host.run(*check);
    ASSERT_TRUE(samples) << row.sentence;
    EXPECT_THAT(names_of(*check, *samples), ElementsAre("up"));
    EXPECT_EQ(value_of(*check, *samples, "up"), 0);
    const auto evidence = host.evidence(*check);
    EXPECT_THAT(evidence.lines, ElementsAre(HasSubstr(row.sentence)));
    EXPECT_THAT(evidence.probable_cause, HasSubstr(row.sentence));
  }
}

TEST(ElasticsearchCheck, AHealthThatCameTooLateIsStillToldAndSaidToBe) {
  CannedNetwork network;
  fakes::FakeHost host{&network};
  auto late = health_of("green", 0);
  late.replace(late.find("false"), 5, "true");
  network.answer(408, late);
  const auto check = search();
  const auto samples = host.run(*check);
  ASSERT_TRUE(samples);
  EXPECT_EQ(value_of(*check, *samples, "up"), 1);
  EXPECT_THAT(host.evidence(*check).lines, Contains(HasSubstr("did not gather its health")));
}

TEST(ElasticsearchCheck, UnreachableIsDownAndOurOwnTroubleIsUnknown) {
  CannedNetwork network;
  fakes::FakeHost host{&network};
  const auto check = search();
  network.fail(NetPhase::connect, Errc::unreachable, "connect to search.example:9200 failed");
  const auto samples = host.run(*check);
  ASSERT_TRUE(samples);
  EXPECT_EQ(value_of(*check, *samples, "up"), 0);
  EXPECT_THAT(host.evidence(*check).lines, ElementsAre("connect to search.example:9200 failed"));
  network.fail(NetPhase::connect, Errc::internal, "Too many open files");
  EXPECT_FALSE(host.run(*check));
}

TEST(ElasticsearchCheck, BadParametersAreComplainedOf) {
  const std::pair<Node, std::string> table[] = {
      {map_of({}), "url"},
      {map_of({{"url", word("http://s/_cluster/health")}}), "leave /_cluster"},
  };
  for (const auto& [map, sentence] : table) {
    const auto complaints = complaints_of(elasticsearch_check(), map);
    ASSERT_FALSE(complaints.empty()) << sentence;
    EXPECT_THAT(complaints.front(), HasSubstr(sentence));
  }
}

}  // namespace
}  // namespace tocsin
