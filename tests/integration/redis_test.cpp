// Real Redis servers that die, change their password, lose their primary, fill up, cannot save and
// take long to load.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <csignal>
#include <filesystem>

#include <boost/json/serialize.hpp>

#include "tests/integration/agent.hpp"
#include "tests/integration/redis_server.hpp"

namespace tocsin::integration {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::string_view quick = "    every: 300ms\n    confirm_every: 100ms\n";
/// The default rules, and an end as soon as it answers.
const std::string back_at_once = "    clear: up == 1\n";

class Redis : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!RedisServer::installed())
      GTEST_SKIP() << "Redis is not installed: apt-get install " << RedisServer::package;
  }
  /// Starts the agent with these lines below `checks:` and waits for the first look.
  void watch(const std::string& checks) {
    agent_.configure("checks:\n" + checks, "  recover_hold: 1s\n");
    agent_.start();
  }
  /// A check of type redis, by name and address, with more keys.
  static std::string check(const std::string& name, const std::string& where,
                           const std::string& more) {
    return "  - name: " + name + "\n    type: redis\n" + std::string{quick} + "    " + where +
           "\n" + more;
  }
  double sample(const std::string& name, const std::string& of = "cache") const {
    return agent_.metric("tocsin_redis_" + name + "{check=\"" + of + "\"}");
  }
  bool reaches(const std::string& name, double value, const std::string& of = "cache") const {
    return eventually([&] { return sample(name, of) == value; });
  }
  std::string evidence(const json::value& incident) const {
    return json::serialize(agent_.incident(text_at(incident, "id")));
  }

  Agent agent_;
};

TEST_F(Redis, AKilledServerIsRefusedAndComesBack) {
  RedisServer server;
  server.start();
  watch(check("cache", "address: " + server.address(), back_at_once));
  ASSERT_TRUE(reaches("up", 1)) << agent_.get("/metrics").body;
  EXPECT_GT(sample("ping_seconds"), 0);
  EXPECT_GT(sample("memory_used_ratio"), 0);
  EXPECT_EQ(sample("connected_replicas"), 0);
  EXPECT_GE(sample("last_save_age_seconds"), 0);
  server.kill();
  const auto open = agent_.wait_for_incident("cache", "open");
  EXPECT_THAT(text_at(open, "title"), HasSubstr("CRITICAL: cache on web-1: up 0 < 1"));
  EXPECT_EQ(text_at(open, "summary", "probable_cause"),
            "connect to " + server.address() + " failed: Connection refused");
  server.start();
  agent_.wait_for_incident("cache", "resolved");
}

TEST_F(Redis, AServerThatHangsIsNamedWithWhatItWasAsked) {
  RedisServer server;
  server.start();
  watch(check("cache", "address: " + server.address(), back_at_once));
  ASSERT_TRUE(reaches("up", 1));
  server.program().signal(SIGSTOP);
  const auto open = agent_.wait_for_incident("cache", "open");
  server.program().signal(SIGCONT);
  EXPECT_THAT(text_at(open, "summary", "probable_cause"),
              HasSubstr("no answer from " + server.address()));
  EXPECT_THAT(text_at(open, "summary", "probable_cause"), HasSubstr("(asked for PING)"));
  agent_.wait_for_incident("cache", "resolved");
}

TEST_F(Redis, AChangedPasswordIsToldFromAnOutageAndNeverShown) {
  RedisServer server{{"--requirepass", "first-secret"}};
  server.start();
  const auto password = agent_.folder().write("redis.password", "first-secret\n");
  std::filesystem::permissions(password, std::filesystem::perms::owner_read);
  watch(check("cache", "unix_socket: " + server.socket(),
              "    password: {file: " + password + "}\n" + back_at_once));
  ASSERT_TRUE(reaches("up", 1)) << agent_.program().text();
  EXPECT_EQ(server.ask({"CONFIG", "SET", "requirepass", "second-secret"}, "first-secret"), "OK");
  const auto open = agent_.wait_for_incident("cache", "open");
  EXPECT_EQ(text_at(open, "summary", "probable_cause"),
            server.socket() +
                " refused the user name or password: WRONGPASS invalid "
                "username-password pair or user is disabled.");
  for (const auto& said : {evidence(open), agent_.program().text(), agent_.get("/metrics").body})
    EXPECT_THAT(said, Not(HasSubstr("-secret")));
  EXPECT_EQ(server.ask({"CONFIG", "SET", "requirepass", "first-secret"}, "second-secret"), "OK");
  agent_.wait_for_incident("cache", "resolved");
}

TEST_F(Redis, AReplicaThatLostItsPrimarySaysWhichOne) {
  RedisServer primary;
  primary.start();
  RedisServer replica{{"--replicaof", "127.0.0.1 " + std::to_string(primary.port())}};
  replica.start();
  ASSERT_TRUE(eventually([&] {
    return replica.ask({"INFO", "replication"}).find("master_link_status:up") != std::string::npos;
  }));
  watch(check("primary", "address: " + primary.address(), "") +
        check("cache", "address: " + replica.address(),
              "    critical: replication_link_up < 1 for 500ms\n"
              "    clear: replication_link_up == 1\n"));
  ASSERT_TRUE(reaches("replication_link_up", 1));
  EXPECT_TRUE(reaches("connected_replicas", 1, "primary"));
  EXPECT_TRUE(eventually([&] { return sample("replication_lag_bytes", "primary") >= 0; }));
  EXPECT_TRUE(std::isnan(sample("replication_link_up", "primary")));

  const auto dead = std::to_string(free_port());
  EXPECT_EQ(replica.ask({"REPLICAOF", "127.0.0.1", dead}), "OK");
  const auto open = agent_.wait_for_incident("cache", "open");
  EXPECT_THAT(text_at(open, "title"), HasSubstr("replication_link_up 0 < 1"));
  EXPECT_THAT(text_at(open, "summary", "probable_cause"),
              HasSubstr(replica.address() + " has lost its primary 127.0.0.1:" + dead));
  EXPECT_THAT(evidence(open), HasSubstr("replica of 127.0.0.1:" + dead + ": link down"));
  EXPECT_TRUE(reaches("connected_replicas", 0, "primary"));
  EXPECT_EQ(sample("up"), 1) << "it answers all the same";

  EXPECT_EQ(replica.ask({"REPLICAOF", "127.0.0.1", std::to_string(primary.port())}), "OK");
  agent_.wait_for_incident("cache", "resolved");
}

TEST_F(Redis, MemoryThatIsFullIsSaidWithItsPolicy) {
  RedisServer server;
  server.start();
  watch(check("cache", "address: " + server.address(),
              "    critical: memory_used_ratio > 90% for 500ms\n"
              "    clear: memory_used_ratio < 80%\n"));
  ASSERT_TRUE(reaches("up", 1));
  // Debian's Redis takes a little under 1 MB when it is empty.
  ASSERT_EQ(server.ask({"CONFIG", "SET", "maxmemory", "3mb"}), "OK");
  std::string said;
  for (int i = 0; i < 400 && said.find("OOM") == std::string::npos; ++i)
    said = server.ask({"SET", "key" + std::to_string(i), std::string(64 << 10, 'x')});
  ASSERT_THAT(said, HasSubstr("OOM"));
  const auto open = agent_.wait_for_incident("cache", "open");
  EXPECT_THAT(text_at(open, "title"), HasSubstr("memory_used_ratio"));
  EXPECT_THAT(text_at(open, "summary", "probable_cause"), HasSubstr("of maxmemory"));
  EXPECT_THAT(text_at(open, "summary", "probable_cause"), HasSubstr("(policy noeviction)"));
  EXPECT_THAT(evidence(open), HasSubstr("of 3 MiB (maxmemory), "));
  ASSERT_EQ(server.ask({"CONFIG", "SET", "maxmemory", "0"}), "OK");
  agent_.wait_for_incident("cache", "resolved");
  EXPECT_LT(sample("memory_used_ratio"), 0.9) << "of the host's memory now";
}

TEST_F(Redis, AServerThatCannotSaveRefusesWritesAndThatIsSaid) {
  RedisServer server{{"--save", "3600 1"}};
  server.start();
  watch(check("cache", "address: " + server.address(), back_at_once));
  ASSERT_TRUE(reaches("last_save_ok", 1));
  std::filesystem::remove_all(server.folder() / "data");
  server.ask({"SET", "a", "1"});
  server.ask({"BGSAVE"});
  const auto open = agent_.wait_for_incident("cache", "open");
  EXPECT_THAT(text_at(open, "summary", "probable_cause"),
              HasSubstr(server.address() + " takes no writes because it cannot save to disk"));
  EXPECT_THAT(evidence(open), HasSubstr("the last save failed (rdb_last_bgsave_status: err)"));
  EXPECT_EQ(sample("last_save_ok"), 0);
  std::filesystem::create_directories(server.folder() / "again");
  ASSERT_EQ(server.ask({"CONFIG", "SET", "dir", server.folder() / "again"}), "OK");
  ASSERT_TRUE(eventually([&] { return server.ask({"SAVE"}) == "OK"; }));
  agent_.wait_for_incident("cache", "resolved");
}

TEST_F(Redis, AServerThatLoadsItsDataSaysSoAndComesUpWhenItHas) {
  // It answers after each kilobyte that it has loaded, and rests 50 ms after each key of two.
  RedisServer server{{"--rdbcompression", "no", "--loading-process-events-interval-bytes", "1024",
                      "--key-load-delay", "50000", "--enable-debug-command", "local"}};
  server.start();
  ASSERT_EQ(server.ask({"DEBUG", "POPULATE", "4000", "key", "2048"}), "OK");
  ASSERT_EQ(server.ask({"SAVE"}), "OK");
  server.kill();
  server.launch();
  ASSERT_TRUE(eventually([&] {
    return server.ask({"INFO", "persistence"}).find("loading:1") != std::string::npos;
  })) << server.program().text();
  watch(check("cache", "address: " + server.address(), back_at_once));
  const auto open = agent_.wait_for_incident("cache", "open");
  EXPECT_THAT(text_at(open, "title"), HasSubstr("CRITICAL: cache on web-1: up 0 < 1"));
  EXPECT_THAT(text_at(open, "summary", "probable_cause"),
              HasSubstr(server.address() + " is still loading its data from disk: LOADING"));
  EXPECT_THAT(evidence(open), HasSubstr("loading its data from disk, "));
  EXPECT_EQ(sample("loading"), 1);
  // Nothing but the rest that we gave it holds it up.
  ASSERT_TRUE(eventually([&] {
    return server.ask({"CONFIG", "SET", "key-load-delay", "0"}) == "OK";
  }));
  ASSERT_TRUE(reaches("up", 1)) << server.program().text();
  EXPECT_TRUE(reaches("loading", 0));
  agent_.wait_for_incident("cache", "resolved");
}

TEST_F(Redis, TlsIsSpokenWhereItIsWanted) {
  Folder keys;
  const auto made = run({"/usr/bin/openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                         "ec_paramgen_curve:prime256v1", "-nodes", "-days", "5", "-subj",
                         "/CN=redis.test", "-addext", "subjectAltName=DNS:redis.test", "-keyout",
                         keys / "key.pem", "-out", keys / "cert.pem"});
  ASSERT_EQ(made.code, 0) << made.errors;
  const auto port = std::to_string(free_port());
  RedisServer server{{"--tls-port", port, "--tls-cert-file", keys / "cert.pem", "--tls-key-file",
                      keys / "key.pem", "--tls-ca-cert-file", keys / "cert.pem",
                      "--tls-auth-clients", "no"}};
  server.start();
  watch(check("cache", "address: 127.0.0.1:" + port,
              "    tls: {ca_file: " + (keys / "cert.pem") + ", server_name: redis.test}\n") +
        check("plain", "address: 127.0.0.1:" + port, ""));
  ASSERT_TRUE(reaches("up", 1)) << evidence(agent_.wait_for_incident("cache", "open"));
  EXPECT_GT(sample("tls_seconds"), 0);
  EXPECT_TRUE(reaches("up", 0, "plain"));
  EXPECT_THAT(text_at(agent_.wait_for_incident("plain", "open"), "summary", "probable_cause"),
              HasSubstr("(asked for PING)"));
}

}  // namespace
}  // namespace tocsin::integration
