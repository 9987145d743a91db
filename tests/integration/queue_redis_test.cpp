// Queues kept in a real Redis: nobody takes from them, then somebody does.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>

#include "tests/integration/agent.hpp"
#include "tests/integration/redis_server.hpp"

namespace tocsin::integration {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class QueueInRedis : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!RedisServer::installed())
      GTEST_SKIP() << "Redis is not installed: apt-get install " << RedisServer::package;
    server_.start();
  }
  /// Watches the queue of these keys by these rules.
  void watch(const std::string& keys, const std::string& rules) {
    agent_.configure(
        "checks:\n  - name: jobs\n    type: queue\n    every: 300ms\n    confirm_every: 100ms\n"
        "    from: {redis: {address: \"" +
            server_.address() + "\", " + keys + "}}\n" + rules,
        "  recover_hold: 1s\n");
    agent_.start();
  }
  double sample(const std::string& name) const {
    return agent_.metric("tocsin_queue_" + name + "{check=\"jobs\"}");
  }
  std::string evidence(const json::value& incident) const {
    return json::serialize(agent_.incident(text_at(incident, "id")));
  }
  /// Pushes so many jobs on the list in one command.
  void push(int count) const {
    std::vector<std::string> command{"RPUSH", "jobs"};
    for (int i = 0; i < count; ++i) command.push_back("job" + std::to_string(i));
    server_.ask(command);
  }

  RedisServer server_;
  Agent agent_;
};

TEST_F(QueueInRedis, AListThatNobodyEmptiesDoesNotDrain) {
  watch("list: jobs", "    critical: depth > 100 for 500ms\n    clear: depth == 0\n");
  ASSERT_TRUE(eventually([&] { return sample("depth") == 0; })) << "a list that is not there yet";
  push(500);
  const auto open = agent_.wait_for_incident("jobs", "open");
  EXPECT_THAT(text_at(open, "title"), HasSubstr("depth 500 > 100"));
  EXPECT_THAT(text_at(open, "summary", "recovery_estimate"), StartsWith("does not drain: "));
  EXPECT_THAT(evidence(open), HasSubstr("500 in list \\\"jobs\\\" on " + server_.address()));
  server_.ask({"DEL", "jobs"});
  agent_.wait_for_incident("jobs", "resolved");
}

TEST_F(QueueInRedis, AListThatDrainsSaysWhenItIsEmpty) {
  push(4000);
  // A worker that takes 20 jobs a tenth of a second.
  auto command = server_.client();
  command.insert(command.end(), {"-r", "-1", "-i", "0.1", "LPOP", "jobs", "20"});
  const Program worker{command};
  watch("list: jobs", "    critical: depth > 100 for 2s\n    clear: depth == 0\n");
  const auto open = agent_.wait_for_incident("jobs", "open");
  EXPECT_THAT(text_at(open, "summary", "recovery_estimate"), StartsWith("drains in about "));
  EXPECT_THAT(text_at(open, "summary", "recovery_estimate"), HasSubstr(" at the present rate"));
  server_.ask({"DEL", "jobs"});
  agent_.wait_for_incident("jobs", "resolved");
}

TEST_F(QueueInRedis, AGroupWithoutConsumersIsSaidAndItsConsumerEndsIt) {
  server_.ask({"XGROUP", "CREATE", "events", "g1", "$", "MKSTREAM"});
  watch("stream: events, group: g1",
        "    critical: consumers < 1 and depth > 0 for 500ms\n    clear: depth == 0\n");
  ASSERT_TRUE(eventually([&] { return sample("depth") == 0; }));
  EXPECT_EQ(sample("consumers"), 0);
  for (int i = 0; i < 3; ++i) server_.ask({"XADD", "events", "*", "k", "v"});
  const auto open = agent_.wait_for_incident("jobs", "open");
  EXPECT_THAT(text_at(open, "title"), HasSubstr("consumers 0 < 1 and depth 3 > 0"));
  EXPECT_EQ(text_at(open, "summary", "probable_cause"),
            "nobody consumes stream \"events\" of group \"g1\" on " + server_.address());
  EXPECT_THAT(text_at(open, "summary", "recovery_estimate"),
              HasSubstr("does not drain: it has no consumers"));
  EXPECT_GE(sample("oldest_seconds"), 0);

  server_.ask({"XREADGROUP", "GROUP", "g1", "worker", "STREAMS", "events", ">"});
  ASSERT_TRUE(eventually([&] { return sample("consumers") == 1; }));
  EXPECT_EQ(sample("depth"), 3) << "delivered and not acknowledged";
  server_.ask({"EVAL",
               "for _, e in ipairs(redis.call('XRANGE', KEYS[1], '-', '+')) do "
               "redis.call('XACK', KEYS[1], 'g1', e[1]) end",
               "1", "events"});
  agent_.wait_for_incident("jobs", "resolved");
}

TEST_F(QueueInRedis, ALagThatTheServerLostIsCounted) {
  server_.ask({"XGROUP", "CREATE", "events", "g1", "$", "MKSTREAM"});
  std::string id;
  for (int i = 0; i < 5; ++i) {
    const auto added = server_.ask({"XADD", "events", "*", "k", "v"});
    if (i == 2) id = added;
  }
  ASSERT_EQ(server_.ask({"XDEL", "events", id}), "1");
  ASSERT_THAT(server_.ask({"XINFO", "GROUPS", "events"}), ::testing::EndsWith("lag"))
      << "nil, as redis-cli prints it";
  watch("stream: events, group: g1", "    critical: depth > 100\n");
  EXPECT_TRUE(eventually([&] { return sample("depth") == 4; })) << sample("depth");
}

TEST_F(QueueInRedis, ASortedSetOfDueTimesHasAnOldest) {
  server_.ask({"ZADD", "retry", "1000000000", "job"});
  watch("sorted_set: retry", "    critical: oldest_seconds > 1h for 2 of 3\n");
  const auto open = agent_.wait_for_incident("jobs", "open");
  EXPECT_THAT(text_at(open, "title"), HasSubstr("oldest_seconds"));
  EXPECT_THAT(evidence(open), HasSubstr("1 in sorted set \\\"retry\\\""));
  server_.ask({"DEL", "retry"});
  EXPECT_TRUE(eventually([&] { return sample("depth") == 0; }));
}

TEST_F(QueueInRedis, AKeyOfAnotherTypeIsUnknownAndNotEmpty) {
  server_.ask({"SET", "jobs", "text"});
  watch("list: jobs", "    critical: depth > 100\n");
  const auto looked = agent_.command({"check", "jobs"});
  EXPECT_EQ(looked.code, 3) << "unknown, as of a plugin";
  EXPECT_THAT(looked.output, HasSubstr("holds another type under that key: WRONGTYPE"));
  server_.ask({"DEL", "jobs"});
  EXPECT_EQ(agent_.command({"check", "jobs"}).code, 0);
}

TEST_F(QueueInRedis, AServerThatDiedIsDown) {
  watch("list: jobs", "    critical: up < 1 for 2 of 3\n    clear: up == 1\n");
  ASSERT_TRUE(eventually([&] { return sample("up") == 1; }));
  server_.kill();
  const auto open = agent_.wait_for_incident("jobs", "open");
  EXPECT_THAT(text_at(open, "summary", "probable_cause"), HasSubstr("Connection refused"));
  server_.start();
  agent_.wait_for_incident("jobs", "resolved");
}

}  // namespace
}  // namespace tocsin::integration
