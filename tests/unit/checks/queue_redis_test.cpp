#include "checks/queue_redis.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "checks/queue.hpp"
#include "checks/redis_stream.hpp"
#include "tests/unit/checks/made_check.hpp"
#include "tests/unit/checks/scripted_redis.hpp"

namespace tocsin {
namespace {

using namespace std::chrono_literals;
using namespace checks_test;
using checks::QueueReading;
using checks::RedisQueue;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// The manual clock starts at 1'700'000'000 s.
constexpr const char* minute_ago = "1699999940000-0";

struct World {
  ScriptedRedis redis{};
  fakes::FakeHost host{&redis};
  std::unique_ptr<checks::QueueSource> source;

  explicit World(RedisQueue params) {
    params.address = HostPort{"redis-1", 6379};
    source = make_source(std::move(params));
  }
  Result<QueueReading> look() {
    auto context = host.context();
    return fakes::run_to_end(host.loop, source->look(context));
  }
  QueueReading seen() {
    auto reading = look();
    EXPECT_TRUE(reading) << reading.error().detail;
    return reading.value_or({});
  }
  std::string why_down() {
    const auto reading = seen();
    EXPECT_FALSE(reading.up);
    return reading.failure;
  }
};

RedisQueue list() {
  RedisQueue params;
  params.list = "jobs";
  return params;
}
RedisQueue sorted_set() {
  RedisQueue params;
  params.sorted_set = "retry";
  return params;
}
RedisQueue stream() {
  RedisQueue params;
  params.stream = "events";
  return params;
}
RedisQueue group() {
  auto params = stream();
  params.group = "g1";
  return params;
}

std::string group_reply(const std::string& lag, int pending = 0) {
  return array({array({bulk("name"), bulk("g0")}),
                array({bulk("name"), bulk("g1"), bulk("consumers"), number(2), bulk("pending"),
                       number(pending), bulk("last-delivered-id"), bulk("1699999990000-3"),
                       bulk("entries-read"), number(40), bulk("lag"), lag})});
}
std::string consumer(const std::string& name, long long idle_milliseconds) {
  return array({bulk("name"), bulk(name), bulk("pending"), number(0), bulk("idle"),
                number(idle_milliseconds)});
}
const std::string no_pending = array({number(0), "$-1\r\n", "$-1\r\n", "*-1\r\n"});
std::string entries(int count, std::uint64_t milliseconds = 1'699'999'991'000) {
  std::vector<std::string> all;
  for (int i = 0; i < count; ++i)
    all.push_back(array({bulk(std::to_string(milliseconds) + "-" + std::to_string(i)),
                         array({bulk("k"), bulk("v")})}));
  return array(all);
}

struct GroupWorld : World {
  explicit GroupWorld(std::string lag, int pending = 0) : World{group()} {
    redis.replies["XINFO GROUPS events"] = group_reply(lag, pending);
    redis.replies["XPENDING events g1"] = no_pending;
    redis.replies["XINFO CONSUMERS events g1"] =
        array({consumer("a", 1000), consumer("b", 3'600'000), consumer("c", 599'000)});
    redis.replies["XLEN events"] = number(500);
    redis.replies["XRANGE events 1699999990000-4 + COUNT 1"] = entries(1);
  }
};

TEST(RedisQueue, AListHasADepth) {
  World world{list()};
  world.redis.replies["LLEN jobs"] = number(7);
  const auto reading = world.seen();
  EXPECT_TRUE(reading.up);
  EXPECT_EQ(reading.depth, 7);
  EXPECT_FALSE(reading.consumers) << "a list does not know them";
  EXPECT_FALSE(reading.oldest_seconds);
  EXPECT_EQ(world.source->name(), "list \"jobs\" on redis-1:6379");
  EXPECT_THAT(world.redis.commands, ElementsAre("LLEN jobs"));
}

TEST(RedisQueue, WorkersOfASetAreConsumers) {
  auto params = list();
  params.workers = "resque:workers";
  World world{params};
  world.redis.replies["LLEN jobs"] = number(7);
  world.redis.replies["SCARD resque:workers"] = number(0);
  EXPECT_EQ(world.seen().consumers, 0);
}

TEST(RedisQueue, ASortedSetsScoreMayBeATime) {
  World world{sorted_set()};
  world.redis.replies["ZCARD retry"] = number(2);
  auto& first = world.redis.replies["ZRANGE retry 0 0 WITHSCORES"];
  const auto oldest_of = [&](const std::string& score) {
    first = array({bulk("job"), bulk(score)});
    return world.seen().oldest_seconds;
  };
  EXPECT_EQ(oldest_of("1699999880"), 120);
  EXPECT_EQ(oldest_of("1699999880000"), 120) << "milliseconds";
  EXPECT_EQ(oldest_of("1700000300.5"), 0) << "not due yet";
  EXPECT_EQ(oldest_of("42"), std::nullopt) << "a priority";
  EXPECT_EQ(oldest_of("-inf"), std::nullopt);
  first = array({});
  world.redis.replies["ZCARD retry"] = number(0);
  EXPECT_EQ(world.seen().depth, 0);
}

TEST(RedisQueue, AStreamWithoutAGroupIsAllThatItHolds) {
  World world{stream()};
  world.redis.replies["XLEN events"] = number(3);
  world.redis.replies["XRANGE events - + COUNT 1"] = entries(1, 1'699'999'940'000);
  const auto reading = world.seen();
  EXPECT_EQ(reading.depth, 3);
  EXPECT_EQ(reading.oldest_seconds, 60);
  EXPECT_FALSE(reading.consumers);
}

TEST(RedisQueue, AGroupHasWhatItHasNotAcknowledged) {
  GroupWorld world{number(12), 5};
  world.redis.replies["XPENDING events g1"] =
      array({number(5), bulk(minute_ago), bulk("1699999990000-3"),
             array({array({bulk("a"), bulk("5")})})});
  const auto reading = world.seen();
  EXPECT_TRUE(reading.up) << reading.failure;
  EXPECT_EQ(reading.depth, 17);
  EXPECT_EQ(reading.oldest_seconds, 60);
  EXPECT_EQ(reading.consumers, 2) << "the third has not asked for an hour";
  EXPECT_EQ(reading.in_total, 52);
  EXPECT_EQ(reading.out_total, 35);
  EXPECT_THAT(reading.remarks, ElementsAre("5 delivered and not acknowledged, 12 not delivered yet",
                                           "1 of its consumers have not asked for more than 10m"));
  EXPECT_EQ(world.source->name(), "stream \"events\" of group \"g1\" on redis-1:6379");
}

TEST(RedisQueue, TheOldestOfWhatIsNotDeliveredIsAskedFor) {
  GroupWorld world{number(12)};
  const auto reading = world.seen();
  EXPECT_EQ(reading.depth, 12);
  EXPECT_EQ(reading.oldest_seconds, 9);
  world.redis.replies["XRANGE events 1699999990000-4 + COUNT 1"] = entries(1, 5);
  EXPECT_EQ(world.seen().oldest_seconds, std::nullopt) << "ids of the producer's own making";
}

TEST(RedisQueue, ALagThatIsNilIsCounted) {
  GroupWorld world{"$-1\r\n"};
  auto& page = world.redis.replies["XRANGE events 1699999990000-4 + COUNT 100"];
  page = entries(3);
  auto reading = world.seen();
  EXPECT_EQ(reading.depth, 3);
  EXPECT_EQ(reading.oldest_seconds, 9);
  EXPECT_FALSE(reading.in_total) << "nor is what came in";
  page = entries(0);
  EXPECT_EQ(world.seen().depth, 0);
  page = entries(100);
  world.redis.replies["XRANGE events 1699999991000-100 + COUNT 100"] = entries(1);
  EXPECT_EQ(world.seen().depth, 101);
}

TEST(RedisQueue, ALagThatIsTooLongToCountIsTheLength) {
  GroupWorld world{"$-1\r\n"};
  world.redis.replies["XRANGE events 1699999990000-4 + COUNT 100"] = entries(100);
  world.redis.replies["XRANGE events 1699999991000-100 + COUNT 100"] = entries(100);
  auto reading = world.seen();
  EXPECT_EQ(reading.depth, 500);
  EXPECT_THAT(reading.remarks, Contains(HasSubstr("its whole length stands for it")));
  world.redis.replies["XRANGE events 1699999990000-4 + COUNT 100"] = "$1073741824\r\n";
  world.redis.endless = std::string(4096, 'x');
  reading = world.seen();
  EXPECT_TRUE(reading.up);
  EXPECT_EQ(reading.depth, 500);
  EXPECT_LT(world.redis.heard, 3u << 20);
}

TEST(RedisQueue, WhatIsNotThereIsDown) {
  GroupWorld world{number(0)};
  world.redis.replies["XINFO GROUPS events"] = array({array({bulk("name"), bulk("g0")})});
  EXPECT_EQ(world.why_down(), "redis-1:6379 has no stream \"events\" of group \"g1\"");
  world.redis.replies["XPENDING events g1"] = "-NOGROUP No such key 'events'\r\n";
  EXPECT_EQ(world.why_down(), "redis-1:6379 has no stream \"events\" of group \"g1\"");
  world.redis.replies["XINFO GROUPS events"] = "-ERR no such key\r\n";
  EXPECT_EQ(world.why_down(), "redis-1:6379 has no stream \"events\" of group \"g1\"");
}

TEST(RedisQueue, WhatTheServerRefusesIsDownWithItsWords) {
  World world{list()};
  auto& reply = world.redis.replies["LLEN jobs"];
  reply = "-NOAUTH Authentication required.\r\n";
  EXPECT_THAT(world.why_down(), HasSubstr("wants a password"));
  reply = "-LOADING Redis is loading the dataset in memory\r\n";
  EXPECT_THAT(world.why_down(), HasSubstr("still loading"));
  reply = "";
  EXPECT_EQ(world.why_down(), "no answer from redis-1:6379 after 4.95s (asked for LLEN)");
  world.redis.fail(NetPhase::connect, Errc::unreachable,
                   "connect to redis-1:6379 failed: Connection refused");
  EXPECT_THAT(world.why_down(), HasSubstr("Connection refused"));
}

TEST(RedisQueue, WhatIsConfiguredWrongSaysNothingOfTheQueue) {
  World world{list()};
  auto& reply = world.redis.replies["LLEN jobs"];
  const auto error_of = [&](const std::string& text) {
    reply = text;
    const auto reading = world.look();
    EXPECT_FALSE(reading);
    return reading ? "" : reading.error().detail;
  };
  EXPECT_THAT(error_of("-WRONGTYPE Operation against a key holding the wrong kind of value\r\n"),
              HasSubstr("redis-1:6379 holds another type under that key"));
  EXPECT_THAT(error_of("-MOVED 3999 10.0.0.9:6381\r\n"),
              HasSubstr("another node of its cluster does: MOVED 3999 10.0.0.9:6381"));
  EXPECT_THAT(error_of("-NOPERM no permissions\r\n"), HasSubstr("does not let this user run LLEN"));
}

TEST(RedisQueue, AnswersOfTheWrongKindAreNoNumbers) {
  GroupWorld world{bulk("many"), 1};
  world.redis.replies["XPENDING events g1"] = number(3);
  world.redis.replies["XINFO CONSUMERS events g1"] = array({number(1), array({bulk("idle")})});
  world.redis.replies["XLEN events"] = array({});
  world.redis.replies["XRANGE events 1699999990000-4 + COUNT 100"] = array({number(1), bulk("x")});
  const auto reading = world.seen();
  EXPECT_TRUE(reading.up);
  EXPECT_EQ(reading.oldest_seconds, std::nullopt);
  EXPECT_EQ(reading.consumers, 0);
}

TEST(RedisQueue, IsABackEndOfTheQueueCheck) {
  ScriptedRedis redis;
  fakes::FakeHost host{&redis};
  redis.replies["LLEN jobs"] = number(3);
  const auto from = [](std::vector<std::pair<std::string, Node>> keys) {
    return map_of({{"from", map_of({{"redis", map_of(std::move(keys))}})}});
  };
  const auto check = made(queue_check(), from({{"address", word("r:1")}, {"list", word("jobs")}}));
  EXPECT_EQ(fakes::value_of(*check, *host.run(*check), "depth"), 3);
  const auto complaints = [&](std::vector<std::pair<std::string, Node>> keys) {
    return complaints_of(queue_check(), from(std::move(keys)));
  };
  EXPECT_THAT(complaints({{"list", word("jobs")}}),
              ElementsAre(HasSubstr("address or unix_socket")));
  EXPECT_THAT(complaints({{"address", word("r:1")}}), ElementsAre(HasSubstr("name one key")));
  EXPECT_THAT(complaints({{"address", word("r:1")}, {"list", word("l")}, {"stream", word("s")}}),
              ElementsAre(HasSubstr("name one key")));
  EXPECT_THAT(complaints({{"address", word("r:1")}, {"list", word("l")}, {"group", word("g")}}),
              ElementsAre(HasSubstr("a group is one of a stream")));
}

TEST(StreamId, IsReadAndWritten) {
  using checks::parse_stream_id;
  EXPECT_EQ(to_string(*parse_stream_id("12-34")), "12-34");
  EXPECT_EQ(to_string(next(*parse_stream_id("12-34"))), "12-35");
  EXPECT_EQ(to_string(next(*parse_stream_id("12-18446744073709551615"))), "13-0");
  for (const auto* bad : {"", "12", "-", "a-b", "12-", "-3", "99999999999999999999-1"})
    EXPECT_FALSE(parse_stream_id(bad)) << bad;
}

}  // namespace
}  // namespace tocsin
