#include "checks/redis.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/checks/made_check.hpp"
#include "tests/unit/checks/scripted_redis.hpp"

namespace tocsin {
namespace {

using namespace std::chrono_literals;
using namespace checks_test;
using fakes::value_of;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr std::string_view calm_info =
    "# Server\r\nredis_version:7.0.15\r\nrun_id:aaaa\r\nserver_time_usec:1700000100000000\r\n"
    "uptime_in_seconds:60\r\n\r\n# Clients\r\nconnected_clients:3\r\nmaxclients:100\r\n"
    "blocked_clients:1\r\n# Memory\r\nused_memory:1048576\r\nused_memory_peak:2097152\r\n"
    "total_system_memory:10485760\r\nmaxmemory:0\r\nmaxmemory_policy:noeviction\r\n"
    "mem_fragmentation_ratio:1.50\r\n# "
    "Persistence\r\nloading:0\r\nrdb_changes_since_last_save:7\r\n"
    "rdb_last_save_time:1700000000\r\nrdb_last_bgsave_status:ok\r\naof_enabled:0\r\n"
    "aof_last_bgrewrite_status:ok\r\naof_last_write_status:ok\r\n# Stats\r\n"
    "instantaneous_ops_per_sec:12\r\nrejected_connections:0\r\nevicted_keys:0\r\n"
    "keyspace_hits:10\r\nkeyspace_misses:0\r\n# Replication\r\nrole:master\r\n"
    "connected_slaves:2\r\n"
    "slave0:ip=10.0.0.2,port=6379,state=online,offset=900,lag=1\r\n"
    "slave1:ip=10.0.0.3,port=6380,state=wait_bgsave,offset=0,lag=0\r\n"
    "master_repl_offset:1000\r\n";

class GivenSecret final : public SecretSource {
 public:
  Result<Secret> from_file(const std::string&) const override { return Secret{"s3cret!"}; }
  Result<Secret> from_env(const std::string&) const override { return Secret{"s3cret!"}; }
  Result<Secret> from_credential(const std::string&) const override { return Secret{"s3cret!"}; }
};

struct World {
  ScriptedRedis redis{};
  fakes::FakeHost host{&redis};
  std::unique_ptr<Check> check;

  explicit World(std::vector<std::pair<std::string, Node>> keys = {}) {
    redis.replies["INFO"] = bulk(calm_info);
    keys.emplace_back("address", word("redis-1:6379"));
    Complaints complaints;
    const GivenSecret secrets;
    Decoding decoding{complaints, secrets, {}};
    check = redis_check().build("test", map_of(std::move(keys)), decoding);
  }
  void info(std::string_view changed) {
    // The first line of a key counts last, so what was calm is replaced by what follows it.
    redis.replies["INFO"] = bulk(std::string{calm_info} + std::string{changed});
  }
  Samples run() {
    auto samples = host.run(*check);
    EXPECT_TRUE(samples) << samples.error().detail;
    return samples.value_or({});
  }
  std::optional<double> value(const Samples& samples, std::string_view name) const {
    return value_of(*check, samples, name);
  }
  /// Runs once and expects it down; why.
  std::string why_down() {
    const auto samples = run();
    EXPECT_EQ(value(samples, "up"), 0);
    const auto evidence = host.evidence(*check);
    EXPECT_THAT(evidence.lines, Not(IsEmpty()));
    EXPECT_EQ(evidence.probable_cause, evidence.lines.at(0));
    return evidence.lines.at(0);
  }
};

TEST(Redis, TellsItsState) {
  World world;
  world.redis.times = {.connect = 2ms};
  const auto samples = world.run();
  EXPECT_EQ(world.value(samples, "up"), 1);
  EXPECT_EQ(world.value(samples, "connect_seconds"), 0.002);
  EXPECT_EQ(world.value(samples, "ping_seconds"), 0);
  EXPECT_EQ(world.value(samples, "loading"), 0);
  EXPECT_EQ(world.value(samples, "memory_used_bytes"), 1048576);
  EXPECT_EQ(world.value(samples, "memory_used_ratio"), 0.1) << "of the host's without maxmemory";
  EXPECT_EQ(world.value(samples, "memory_fragmentation_ratio"), 1.5);
  EXPECT_EQ(world.value(samples, "clients_used_ratio"), 0.03);
  EXPECT_EQ(world.value(samples, "blocked_clients"), 1);
  EXPECT_EQ(world.value(samples, "connected_replicas"), 2);
  EXPECT_EQ(world.value(samples, "replication_lag_bytes"), 100) << "of those that are online";
  EXPECT_EQ(world.value(samples, "replication_lag_seconds"), 1);
  EXPECT_EQ(world.value(samples, "replication_link_up"), std::nullopt) << "a primary has none";
  EXPECT_EQ(world.value(samples, "last_save_age_seconds"), 100) << "by the server's clock";
  EXPECT_EQ(world.value(samples, "last_save_ok"), 1);
  EXPECT_EQ(world.value(samples, "unsaved_changes"), 7);
  EXPECT_EQ(world.value(samples, "aof_ok"), std::nullopt) << "there is none";
  EXPECT_EQ(world.value(samples, "evicted_per_second"), std::nullopt) << "nothing to compare with";
  EXPECT_THAT(world.redis.commands, ElementsAre("PING", "INFO"));
  EXPECT_EQ(world.redis.open_now, 0);
  EXPECT_LT(world.redis.opened.at(0).deadline, world.host.clock.steady() + 5s);
}

TEST(Redis, MakesRatesOfTwoLooks) {
  World world;
  world.run();
  world.host.clock.advance(10s);
  world.info("evicted_keys:50\r\nkeyspace_hits:13\r\nkeyspace_misses:1\r\n");
  auto samples = world.run();
  EXPECT_EQ(world.value(samples, "evicted_per_second"), 5);
  EXPECT_EQ(world.value(samples, "hit_ratio"), 0.75);
  EXPECT_EQ(world.value(samples, "rejected_clients_per_second"), 0);

  world.host.clock.advance(10s);
  world.info("run_id:bbbb\r\nevicted_keys:60\r\n");
  samples = world.run();
  EXPECT_EQ(world.value(samples, "evicted_per_second"), std::nullopt) << "it was started anew";
  world.host.clock.advance(10s);
  world.info("run_id:bbbb\r\nevicted_keys:70\r\n");
  const auto after_gap = world.host.run(*world.check, true);
  EXPECT_EQ(value_of(*world.check, *after_gap, "evicted_per_second"), std::nullopt);
}

TEST(Redis, HearsAByteAtATime) {
  World world;
  world.redis.piece = 1;
  EXPECT_EQ(world.value(world.run(), "connected_replicas"), 2);
}

TEST(Redis, EntersWithUserPasswordAndDatabase) {
  World world{{{"username", word("monitor")},
               {"password", map_of({{"file", word("/p")}})},
               {"database", word("3")},
               {"tls", map_of({{"server_name", word("redis.example")}})}}};
  world.redis.replies["AUTH monitor s3cret!"] = "+OK\r\n";
  world.redis.replies["SELECT 3"] = "+OK\r\n";
  EXPECT_EQ(world.value(world.run(), "up"), 1);
  EXPECT_THAT(world.redis.commands,
              ElementsAre("AUTH monitor s3cret!", "SELECT 3", "PING", "INFO"));
  EXPECT_EQ(world.redis.said.size(), 3u) << "the first two in one go";
  EXPECT_EQ(world.redis.opened.at(0).tls->server_name, "redis.example");
}

TEST(Redis, AWrongPasswordIsSaidAndNotShown) {
  World world{{{"password", map_of({{"file", word("/p")}})}}};
  world.redis.replies["AUTH s3cret!"] =
      "-WRONGPASS invalid username-password pair or user is disabled.\r\n";
  const auto why = world.why_down();
  EXPECT_EQ(why,
            "redis-1:6379 refused the user name or password: WRONGPASS invalid "
            "username-password pair or user is disabled.");
  world.redis.replies["AUTH s3cret!"] = "-ERR invalid password\r\n";
  EXPECT_THAT(world.why_down(), HasSubstr("refused the user name or password"));
  world.redis.replies["AUTH s3cret!"] =
      "-ERR AUTH <password> called without any password configured for the default user.\r\n";
  EXPECT_THAT(world.why_down(), HasSubstr("has no password, but one is configured here"));
  for (const auto& line : world.host.evidence(*world.check).lines)
    EXPECT_THAT(line, Not(HasSubstr("s3cret")));
}

TEST(Redis, APasswordThatTheServerRepeatsIsNotShown) {
  World world{{{"password", map_of({{"file", word("/p")}})}}};
  for (const auto* reply : {"-ERR unknown command 'AUTH', with args beginning with: 's3cret!' \r\n",
                            "-ERR unknown command `AUTH`, with args beginning with: `s3cr\r\n",
                            "-ERR no s3cret! here, nor s3cret! there\r\n"}) {
    world.redis.replies["AUTH s3cret!"] = reply;
    const auto samples = world.host.run(*world.check);
    std::string said = samples ? "" : samples.error().detail;
    for (const auto& line : world.host.evidence(*world.check).lines) said += line;
    EXPECT_THAT(said, HasSubstr(": ERR "));
    EXPECT_THAT(said, Not(HasSubstr("s3cr")));
  }
}

TEST(Redis, StatesOfTheServerAreToldApart) {
  World world;
  const auto words_for = [&](const std::string& reply) {
    world.redis.replies["PING"] = reply;
    return world.why_down();
  };
  EXPECT_THAT(words_for("-NOAUTH Authentication required.\r\n"),
              HasSubstr("wants a password and none is configured here"));
  EXPECT_THAT(words_for("-MASTERDOWN Link with MASTER is down and replica-serve-stale-data\r\n"),
              HasSubstr("is a replica that has lost its primary"));
  EXPECT_THAT(words_for("-MISCONF Redis is configured to save RDB snapshots, but …\r\n"),
              HasSubstr("takes no writes because it cannot save to disk"));
  EXPECT_THAT(words_for("-BUSY Redis is busy running a script.\r\n"), HasSubstr("held up by"));
  EXPECT_THAT(words_for("-ERR max number of clients reached\r\n"),
              HasSubstr("takes no more clients"));
  EXPECT_THAT(words_for("-DENIED Redis is running in protected mode\r\n"),
              HasSubstr("protected mode"));
  EXPECT_THAT(words_for("-ODD something new\r\n"),
              HasSubstr("answered PING with an error: ODD something new"));
  EXPECT_THAT(words_for("+PANG\r\n"), HasSubstr("answered PING with \"PANG\""));
  EXPECT_THAT(words_for("*0\r\n"), HasSubstr("answered PING with"));
}

TEST(Redis, LoadingIsDownWithAnEstimate) {
  World world;
  world.redis.replies["PING"] = "-LOADING Redis is loading the dataset in memory\r\n";
  world.info("loading:1\r\nloading_loaded_perc:40.00\r\nloading_eta_seconds:90\r\n");
  const auto samples = world.run();
  EXPECT_EQ(world.value(samples, "up"), 0);
  EXPECT_EQ(world.value(samples, "loading"), 1);
  const auto evidence = world.host.evidence(*world.check);
  EXPECT_THAT(evidence.lines.at(0), HasSubstr("is still loading its data from disk"));
  EXPECT_THAT(evidence.lines.at(1), AllOf(HasSubstr("40% done"), HasSubstr("1m 30s to go")));
  EXPECT_EQ(evidence.recovery_estimate, "has loaded its data in about 1m 30s");
}

TEST(Redis, WhatFailsOnTheWayIsNamed) {
  World world;
  world.redis.fail(NetPhase::connect, Errc::unreachable,
                   "connect to redis-1:6379 failed: Connection refused");
  EXPECT_EQ(world.why_down(), "connect to redis-1:6379 failed: Connection refused");
  world.redis.failure.reset();

  world.redis.replies["PING"] = "";
  EXPECT_EQ(world.why_down(), "no answer from redis-1:6379 after 4.95s (asked for PING)");
  world.redis.closes = true;
  EXPECT_EQ(world.why_down(), "redis-1:6379 closed the connection (asked for PING)");
  world.redis.closes = false;
  world.redis.replies["PING"] = "+PONG\r\n";
  world.redis.cut_after = 200;
  EXPECT_EQ(world.why_down(), "redis-1:6379 closed the connection (asked for INFO)");
  world.redis.cut_after.reset();
  world.redis.replies["INFO"] = "$90000\r\nabc";
  EXPECT_THAT(world.why_down(), HasSubstr("no answer from redis-1:6379"));
}

TEST(Redis, PartingWordsAreHeardThoughOursWereNotTaken) {
  World world;
  world.redis.deaf = true;
  world.redis.greeting = "-ERR max number of clients reached\r\n";
  EXPECT_THAT(world.why_down(), HasSubstr("takes no more clients"));
  world.redis.greeting.clear();
  EXPECT_EQ(world.why_down(), "sending to redis-1:6379 failed: Broken pipe (asked for PING)");
}

TEST(Redis, AnotherProtocolIsSaid) {
  World world;
  world.redis.peer = [](std::string_view) { return "HTTP/1.1 400 Bad Request\r\n\r\n"; };
  EXPECT_THAT(world.why_down(), HasSubstr("redis-1:6379 does not speak Redis's protocol"));
}

TEST(Redis, WhatAnAnswerMayCostIsBounded) {
  World world;
  world.redis.replies["INFO"] = "$1073741824\r\n";
  world.redis.endless = std::string(4096, 'x');
  EXPECT_THAT(world.why_down(), HasSubstr("redis-1:6379 answered more than 1 MiB"));
  EXPECT_LT(world.redis.heard, 2u << 20);
  world.redis.replies["PING"] = "+";
  EXPECT_THAT(world.why_down(), HasSubstr("answered more than 1 MiB"));
  world.redis.replies["PING"] = "*2147483647\r\n";
  EXPECT_THAT(world.why_down(), HasSubstr("a list of more than 50000 values"));
  world.redis.replies["PING"] = "";
  for (int i = 0; i < 30; ++i) world.redis.replies["PING"] += "*9000\r\n";
  EXPECT_THAT(world.why_down(), HasSubstr("a list of more than 50000 values"));
  world.redis.replies["PING"] = "";
  for (int i = 0; i < 30; ++i) world.redis.replies["PING"] += "*1\r\n";
  EXPECT_THAT(world.why_down(), HasSubstr("does not speak Redis's protocol"));
}

TEST(Redis, WhatIsOursIsNotItsFault) {
  World world;
  world.redis.fail(NetPhase::connect, Errc::internal, "Too many open files");
  EXPECT_FALSE(world.host.run(*world.check));
  world.redis.failure.reset();
  world.redis.replies["INFO"] =
      "-NOPERM this user has no permissions to run the 'info' command\r\n";
  const auto refused = world.host.run(*world.check);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().detail, HasSubstr("does not let this user run INFO: NOPERM"));
}

TEST(Redis, ALostPrimaryIsTheCause) {
  World world;
  world.info(
      "role:slave\r\nmaster_host:10.0.0.1\r\nmaster_port:6379\r\nmaster_link_status:down\r\n"
      "master_last_io_seconds_ago:-1\r\nmaster_link_down_since_seconds:42\r\n");
  const auto samples = world.run();
  EXPECT_EQ(world.value(samples, "up"), 1);
  EXPECT_EQ(world.value(samples, "replication_link_up"), 0);
  EXPECT_EQ(world.value(samples, "replication_lag_seconds"), 42);
  const auto evidence = world.host.evidence(*world.check);
  EXPECT_EQ(evidence.probable_cause, "redis-1:6379 has lost its primary 10.0.0.1:6379 for 42s");
  EXPECT_EQ(evidence.lines.at(0), "replica of 10.0.0.1:6379: link down for 42s");
}

TEST(Redis, ALinkThatNeverWasHasNoAge) {
  World world;
  world.redis.replies["INFO"] = bulk(
      "role:slave\r\nmaster_host:::1\r\nmaster_port:6379\r\nmaster_link_status:down\r\n"
      "master_last_io_seconds_ago:-1\r\nmaster_link_down_since_seconds:-1\r\n");
  const auto samples = world.run();
  EXPECT_EQ(world.value(samples, "replication_link_up"), 0);
  EXPECT_EQ(world.value(samples, "replication_lag_seconds"), std::nullopt) << "-1 is no time";
  EXPECT_EQ(world.host.evidence(*world.check).lines.at(0), "replica of [::1]:6379: link down");
}

TEST(Redis, FullMemoryAndFailedSavesAreTheCause) {
  World world;
  world.info("maxmemory:1050000\r\n");
  EXPECT_GT(world.value(world.run(), "memory_used_ratio"), 0.99);
  auto evidence = world.host.evidence(*world.check);
  EXPECT_THAT(evidence.probable_cause, HasSubstr("refuses writes when full"));
  world.info("maxmemory:1050000\r\nmaxmemory_policy:allkeys-lru\r\n");
  world.run();
  EXPECT_EQ(world.host.evidence(*world.check).probable_cause, "") << "a cache is meant to be full";
  world.info("rdb_last_bgsave_status:err\r\naof_enabled:1\r\naof_last_write_status:err\r\n");
  const auto samples = world.run();
  EXPECT_EQ(world.value(samples, "last_save_ok"), 0);
  EXPECT_EQ(world.value(samples, "aof_ok"), 0);
  EXPECT_THAT(world.host.evidence(*world.check).probable_cause, HasSubstr("the last save failed"));
}

TEST(Redis, TheEvidenceTellsWhatAPersonNeeds) {
  World world;
  world.redis.replies["SLOWLOG GET 3"] = array({
      array({number(7), number(1'700'000'040), number(1'200'000),
             array({bulk("KEYS"), bulk("secret*")}), bulk("10.0.0.9:555"), bulk("")}),
      array({number(6)}),
      bulk("nonsense"),
  });
  world.run();
  const auto evidence = world.host.evidence(*world.check);
  EXPECT_THAT(evidence.lines,
              ElementsAre("primary with 2 replicas connected",
                          "replica 10.0.0.2:6379: online, 100 B behind, acknowledged 1s ago",
                          HasSubstr("replica 10.0.0.3:6380: wait_bgsave"),
                          HasSubstr("memory: 1 MiB of 10 MiB (the host's; maxmemory is not set)"),
                          "last saved 1m 40s ago, 7 changes since", "clients: 3 of 100, 1 blocked",
                          "slow: KEYS (2 words) took 1.2s, 1m ago"));
  EXPECT_EQ(evidence.probable_cause, "");
}

TEST(Redis, AnswersOfTheWrongKindDoNoHarm) {
  World world;
  world.redis.replies["INFO"] = array({number(1), bulk("x")});
  EXPECT_EQ(world.value(world.run(), "up"), 1);
  world.redis.replies["INFO"] = bulk(std::string_view{"\0\xff:\x80\r\n:::\r\nslave0:,,=,\r\n", 24});
  world.run();
  world.redis.replies["SLOWLOG GET 3"] = number(1);
  world.host.evidence(*world.check);
}

TEST(Redis, BadKeysAreComplainedOf) {
  const auto type = redis_check();
  EXPECT_THAT(complaints_of(type, map_of({})), ElementsAre(HasSubstr("address or unix_socket")));
  EXPECT_THAT(complaints_of(type, map_of({{"address", word("r:1")}, {"unix_socket", word("/s")}})),
              ElementsAre(HasSubstr("not both")));
  EXPECT_THAT(complaints_of(type, map_of({{"address", word("r:1")}, {"database", word("-1")}})),
              ElementsAre(HasSubstr("database: expected the number")));
  EXPECT_THAT(complaints_of(type, map_of({{"address", word("r:1")}, {"username", word("u")}})),
              ElementsAre(HasSubstr("a user needs a password")));
  EXPECT_THAT(complaints_of(type, map_of({{"unix_socket", word("/s")}, {"tls", map_of({})}})),
              ElementsAre(HasSubstr("without TLS")));
}

}  // namespace
}  // namespace tocsin
