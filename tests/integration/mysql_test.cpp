// A real MariaDB, primary and replica, under the mysql check: what people read when it is killed,
// full, locked, no longer lets us in, or no longer replicates, and that it ends when it is over.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include <boost/json/serialize.hpp>

#include "tests/integration/agent.hpp"
#include "tests/integration/mariadb.hpp"

namespace tocsin::integration {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* password = "hunter2-of-tocsin";

class MysqlServer : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (!Mariadb::installed()) return;
    certificate_ = std::make_unique<Folder>();
    const auto made = run({"/usr/bin/openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                           "ec_paramgen_curve:P-256", "-nodes", "-keyout", *certificate_ / "key",
                           "-out", *certificate_ / "pem", "-subj", "/CN=db", "-addext",
                           "subjectAltName=DNS:localhost", "-days", "2"});
    ASSERT_EQ(made.code, 0) << made.errors;
    primary_ = std::make_unique<Mariadb>(
        1, std::vector<std::string>{"--max-connections=10", "--ssl-cert=" + (*certificate_ / "pem"),
                                    "--ssl-key=" + (*certificate_ / "key")});
    primary_->start();
    primary_->sql(
        "CREATE USER tocsin@'%' IDENTIFIED BY '" + std::string{password} +
        "'; GRANT PROCESS, BINLOG MONITOR, SLAVE MONITOR ON *.* TO tocsin@'%';"
        "CREATE USER repl@'%' IDENTIFIED BY 'r'; GRANT REPLICATION SLAVE ON *.* TO repl@'%';"
        "CREATE DATABASE shop; GRANT ALL ON shop.* TO tocsin@'%';"
        "CREATE TABLE shop.orders (id INT PRIMARY KEY, note TEXT); INSERT INTO shop.orders VALUES "
        "(1, 'a')");
  }
  static void TearDownTestSuite() {
    primary_.reset();
    certificate_.reset();
  }

  void SetUp() override {
    if (!Mariadb::installed())
      GTEST_SKIP() << "MariaDB is not installed: apt-get install " << Mariadb::package;
  }

  std::string dsn(const Mariadb& server, const std::string& name) {
    return agent_.folder().write(name + ".dsn", "mysql://tocsin:" + std::string{password} + "@" +
                                                    server.address() + "/shop\n");
  }
  std::string check(const std::string& name, const std::string& dsn_file, const std::string& rule,
                    const std::string& more = {}) {
    return "  - {name: " + name +
           ", type: mysql, every: 1s, timeout: 900ms, dsn: {file: " + dsn_file +
           "}, critical: " + rule + more + "}\n";
  }
  void run_agent(const std::string& checks) {
    agent_.configure("checks:\n" + checks, "  recover_hold: 200ms\n");
    agent_.start();
    ASSERT_TRUE(eventually([&] { return agent_.get("/-/ready").status == 200; }));
  }
  /// All that is told of an incident, evidence too.
  std::string told(const json::value& incident) {
    const auto all = json::serialize(agent_.incident(text_at(incident, "id")));
    EXPECT_THAT(all, Not(HasSubstr(password)));
    return all;
  }
  double sample(const std::string& name, const std::string& check = "db") {
    return agent_.metric("tocsin_mysql_" + name + "{check=\"" + check + "\"}");
  }

  static inline std::unique_ptr<Folder> certificate_{};
  static inline std::unique_ptr<Mariadb> primary_{};
  Agent agent_;
};

TEST_F(MysqlServer, ThatIsKilledIsToldAndEndsWhenItIsBack) {
  run_agent(check("db", dsn(*primary_, "db"), "up < 1", ", clear: up == 1"));
  ASSERT_TRUE(eventually([&] { return sample("up") == 1; })) << agent_.get("/metrics").body;
  EXPECT_GT(sample("connect_seconds"), 0);
  EXPECT_GT(sample("query_seconds"), 0);
  EXPECT_EQ(sample("connections_used_ratio"), 0.1) << "ours";
  EXPECT_EQ(sample("longest_transaction_seconds"), 0);
  EXPECT_EQ(sample("replicas"), 0);
  EXPECT_TRUE(eventually([&] { return sample("deadlocks") == 0; }));

  primary_->kill();
  const auto open = agent_.wait_for_incident("db", "open");
  const auto why = "connect to " + primary_->address() + " failed: Connection refused";
  EXPECT_THAT(text_at(open, "title"), HasSubstr("CRITICAL: db on web-1: up 0 < 1"));
  EXPECT_EQ(text_at(open, "summary", "probable_cause"), why);
  EXPECT_EQ(text_at(open, "summary", "component"), "db");
  EXPECT_THAT(told(open), HasSubstr(why));

  primary_->start();
  agent_.wait_for_incident("db", "resolved");
  agent_.stop();
}

TEST_F(MysqlServer, ThatIsFullSaysSoAndHowFull) {
  run_agent(check("db", dsn(*primary_, "db"), "up < 1", ", clear: up == 1"));
  ASSERT_TRUE(eventually([&] { return sample("up") == 1; }));
  std::vector<std::unique_ptr<Program>> clients;
  for (int i = 0; i < 10; ++i) clients.push_back(primary_->client("SELECT SLEEP(60)"));
  const auto open = agent_.wait_for_incident("db", "open");
  EXPECT_EQ(text_at(open, "summary", "probable_cause"),
            primary_->address() + " has no connection left for us: Too many connections (1040)");
  EXPECT_THAT(told(open), HasSubstr("of 10 connections were in use when it last answered"));
  clients.clear();
  agent_.wait_for_incident("db", "resolved");
}

TEST_F(MysqlServer, ThatNoLongerTakesThePasswordSaysSo) {
  run_agent(check("db", dsn(*primary_, "db"), "up < 1", ", clear: up == 1"));
  ASSERT_TRUE(eventually([&] { return sample("up") == 1; }));
  primary_->sql("ALTER USER tocsin@'%' IDENTIFIED BY 'another'");
  const auto open = agent_.wait_for_incident("db", "open");
  EXPECT_EQ(text_at(open, "summary", "probable_cause"),
            "authentication at " + primary_->address() +
                " failed: Access denied for user 'tocsin'@'127.0.0.1' (using password: YES) "
                "(1045)");
  told(open);
  primary_->sql("ALTER USER tocsin@'%' IDENTIFIED BY '" + std::string{password} + "'");
  agent_.wait_for_incident("db", "resolved");
}

TEST_F(MysqlServer, WhoHoldsALockForLongIsNamed) {
  run_agent(check("db", dsn(*primary_, "db"), "longest_transaction_seconds >= 2s",
                  ", clear: longest_transaction_seconds < 2s"));
  const auto holder =
      primary_->client("BEGIN; SELECT id FROM shop.orders FOR UPDATE; SELECT SLEEP(60)");
  ASSERT_TRUE(holder->wait_for_line("1"));
  const auto waiter = primary_->client("UPDATE shop.orders SET note = 'private words'");
  const auto open = agent_.wait_for_incident("db", "open");
  EXPECT_THAT(text_at(open, "title"), HasSubstr("longest_transaction_seconds"));
  EXPECT_THAT(text_at(open, "summary", "probable_cause"),
              HasSubstr("holds a lock that others wait for"));
  EXPECT_THAT(text_at(open, "summary", "probable_cause"), HasSubstr("root@localhost"));
  const auto all = told(open);
  EXPECT_THAT(all, HasSubstr("for a lock of "));
  EXPECT_THAT(all, HasSubstr("SELECT SLEEP(60)"));
  EXPECT_THAT(all, HasSubstr("UPDATE shop.orders SET note = '"));
  EXPECT_THAT(all, Not(HasSubstr("private words")));
  holder->kill();
  primary_->sql("KILL " + primary_->sql("SELECT id FROM information_schema.processlist WHERE info "
                                        "LIKE 'SELECT SLEEP%' LIMIT 1"));
  agent_.wait_for_incident("db", "resolved");
}

TEST_F(MysqlServer, ADeadlockIsCounted) {
  primary_->sql("INSERT INTO shop.orders VALUES (2, 'b')");
  run_agent(check("db", dsn(*primary_, "db"), "deadlocks > 0", ", clear: deadlocks == 0"));
  ASSERT_TRUE(eventually([&] { return sample("deadlocks") == 0; }));
  // Each takes a row, waits at the gate for the other to have taken its own, and wants that.
  const auto gate = primary_->client("SELECT GET_LOCK('gate', 60); SELECT SLEEP(600)");
  ASSERT_TRUE(gate->wait_for_line("1"));
  const auto crossing = [&](const std::string& first, const std::string& second) {
    const auto take = [](const std::string& id) {
      return "UPDATE shop.orders SET note = 'z' WHERE id = " + id + "; ";
    };
    return primary_->client("BEGIN; " + take(first) +
                            "SELECT GET_LOCK('gate', 600); SELECT RELEASE_LOCK('gate'); " +
                            take(second) + "COMMIT");
  };
  const auto one = crossing("1", "2"), other = crossing("2", "1");
  ASSERT_TRUE(eventually([&] {
    return primary_->sql(
               "SELECT COUNT(*) FROM information_schema.processlist WHERE state = "
               "'User lock' AND info LIKE '%GET_LOCK%'") == "2\n";
  })) << primary_->sql("SHOW FULL PROCESSLIST");
  primary_->sql("KILL " + primary_->sql("SELECT IS_USED_LOCK('gate')"));
  const auto open = agent_.wait_for_incident("db", "open");
  EXPECT_THAT(text_at(open, "title"), HasSubstr("CRITICAL: db on web-1: deadlocks 1 > 0"));
  const auto all = told(open);
  EXPECT_THAT(all, HasSubstr("1 deadlock, counted "));
  EXPECT_THAT(all, HasSubstr("SHOW ENGINE INNODB STATUS at " + primary_->address()));
  const auto first = one->wait_for_exit(), second = other->wait_for_exit();
  ASSERT_TRUE(first && second);
  EXPECT_NE(first->code == 0, second->code == 0) << "one of them went through";
  agent_.wait_for_incident("db", "resolved");
  primary_->sql("UPDATE shop.orders SET note = 'a'; DELETE FROM shop.orders WHERE id = 2");
}

TEST_F(MysqlServer, QueriesOfOnesOwnBecomeSamples) {
  run_agent(check("db", dsn(*primary_, "db"), "orders > 1",
                  ", queries: {orders: SELECT COUNT(*) FROM shop.orders}"));
  ASSERT_TRUE(eventually([&] { return sample("orders") == 1; })) << agent_.get("/metrics").body;
  EXPECT_EQ(sample("up"), 1);
  primary_->sql("INSERT INTO shop.orders VALUES (2, 'b')");
  const auto open = agent_.wait_for_incident("db", "open");
  EXPECT_THAT(text_at(open, "title"), HasSubstr("orders 2 > 1"));
  told(open);
  primary_->sql("DELETE FROM shop.orders WHERE id = 2");
}

TEST_F(MysqlServer, QueriesThatGiveNoNumberAreUnknownAndDoNoHarm) {
  const std::vector<std::array<std::string, 3>> queries{
      {"nothing", "SELECT NULL", "gave NULL, expected a number"},
      {"endless", "SELECT a.id FROM shop.orders a, shop.orders b, shop.orders c",
       "gave 2 rows of 1 column"},
      {"slow", "SELECT SLEEP(30)", "query \"slow\" failed: "},
      {"writes", "INSERT INTO shop.orders VALUES (9, 'no')", "query \"writes\" failed: "},
      {"words", "SELECT 'x'", "gave \"x\", expected a number"},
      {"lacks", "SELECT 1 FROM shop.none", "doesn't exist (1146)"},
  };
  primary_->sql("INSERT INTO shop.orders VALUES (2, 'b'), (3, 'c')");
  std::string checks;
  for (const auto& [name, query, why] : queries)
    checks +=
        check(name, dsn(*primary_, name), "up < 1", ", queries: {" + name + ": \"" + query + "\"}");
  run_agent(checks);
  for (const auto& [name, query, why] : queries) {
    json::value last;
    EXPECT_TRUE(eventually([&] {
      for (const auto& each : items(agent_.get("/api/v1/checks").json()))
        if (text_at(each, "name") == name) last = each;
      return text_at(last, "why").find(why) != std::string::npos;
    })) << name
        << json::serialize(last);
    EXPECT_EQ(text_at(last, "severity"), "unknown") << name;
  }
  EXPECT_EQ(primary_->sql("SELECT COUNT(*) FROM shop.orders"), "3\n") << "nothing was written";
  primary_->sql("DELETE FROM shop.orders WHERE id > 1");
}

TEST_F(MysqlServer, ByTlsIsWhoItSaysItIsOrDown) {
  const auto keys = "/?ssl-ca=" + (*certificate_ / "pem");
  const auto login = "mysql://tocsin:" + std::string{password} + "@";
  const auto port = ":" + std::to_string(primary_->port());
  const auto named = agent_.folder().write("named", login + "localhost" + port + keys);
  const auto other = agent_.folder().write("other", login + "127.0.0.1" + port + keys);
  const auto anybody =
      agent_.folder().write("anybody", login + "127.0.0.1" + port + "/?ssl-mode=required");
  const auto authority =
      agent_.folder().write("authority", login + "127.0.0.1" + port + keys + "&ssl-mode=verify_ca");
  primary_->sql("ALTER USER tocsin@'%' REQUIRE SSL");
  run_agent(check("named", named, "up < 1") + check("other", other, "up < 1") +
            check("anybody", anybody, "up < 1") + check("authority", authority, "up < 1"));
  for (const auto* well : {"named", "anybody", "authority"})
    EXPECT_TRUE(eventually([&] { return sample("up", well) == 1; })) << well;
  const auto open = agent_.wait_for_incident("other", "open");
  EXPECT_THAT(text_at(open, "summary", "probable_cause"),
              HasSubstr("TLS with " + primary_->address() + " failed: "));
  EXPECT_THAT(told(open), HasSubstr("alidation of SSL server certificate failed"));
  primary_->sql("ALTER USER tocsin@'%' REQUIRE NONE");
}

TEST_F(MysqlServer, AQueueInATableIsWatched) {
  run_agent(
      "  - {name: jobs, type: queue, every: 1s, timeout: 900ms, from: {mysql: {dsn: {file: " +
      dsn(*primary_, "jobs") +
      "}, query: \"SELECT COUNT(*), MAX(id) * 60, 0 FROM shop.orders\"}}, critical: depth > 2 "
      "and consumers < 1, clear: depth < 2}\n");
  primary_->sql("INSERT INTO shop.orders VALUES (2, 'b'), (3, 'c')");
  const auto open = agent_.wait_for_incident("jobs", "open");
  EXPECT_THAT(text_at(open, "title"), HasSubstr("depth 3 > 2"));
  EXPECT_THAT(told(open), HasSubstr("database \\\"shop\\\" of " + primary_->address()));
  primary_->sql("DELETE FROM shop.orders WHERE id > 1");
  agent_.wait_for_incident("jobs", "resolved");
}

TEST_F(MysqlServer, ThatRefusesTheQueryOfAQueueIsNotDown) {
  const auto queue = [&](const std::string& name, const std::string& query) {
    return "  - {name: " + name + ", type: queue, every: 1s, timeout: 900ms, from: {mysql: " +
           "{dsn: {file: " + dsn(*primary_, name) + "}, query: \"" + query +
           "\"}}, critical: up < 1}\n";
  };
  const std::vector<std::array<std::string, 3>> queries{
      {"lacks", "SELECT COUNT(*) FROM shop.nowhere", "doesn't exist (1146)"},
      {"slow", "SELECT COUNT(*) FROM shop.orders WHERE SLEEP(30)", "(1969)"}};
  std::string checks;
  for (const auto& [name, query, why] : queries) checks += queue(name, query);
  run_agent(checks);
  json::value last;
  const auto becomes = [&](const std::string& name, const std::string& severity) {
    return eventually([&] {
      for (const auto& each : items(agent_.get("/api/v1/checks").json()))
        if (text_at(each, "name") == name) last = each;
      return text_at(last, "severity") == severity;
    });
  };
  for (const auto& [name, query, why] : queries) {
    EXPECT_TRUE(becomes(name, "unknown")) << json::serialize(last);
    EXPECT_THAT(text_at(last, "why"), HasSubstr(why));
    EXPECT_THAT(text_at(last, "why"), HasSubstr(primary_->address()));
  }
  primary_->kill();
  for (const auto* name : {"lacks", "slow"}) {
    EXPECT_TRUE(becomes(name, "critical")) << json::serialize(last);
    EXPECT_EQ(agent_.metric("tocsin_queue_up{check=\"" + std::string{name} + "\"}"), 0);
  }
  primary_->start();
  EXPECT_TRUE(becomes("lacks", "unknown"));
}

TEST_F(MysqlServer, AsAReplicaThatStopsApplyingOrReceivingSaysWhy) {
  Mariadb replica{2};
  replica.start();
  replica.sql(
      "CHANGE MASTER TO MASTER_HOST='127.0.0.1', MASTER_PORT=" + std::to_string(primary_->port()) +
      ", MASTER_USER='repl', MASTER_PASSWORD='r', MASTER_LOG_FILE='bin.000001', "
      "MASTER_LOG_POS=4, MASTER_CONNECT_RETRY=1; START SLAVE");
  ASSERT_TRUE(eventually([&] {
    return replica.sql("SHOW DATABASES").find("shop") != std::string::npos &&
           replica.sql("SELECT COUNT(*) FROM mysql.user WHERE user = 'tocsin'") == "1\n" &&
           replica.sql("SELECT COUNT(*) FROM shop.orders") == "1\n";
  })) << replica.sql("SHOW SLAVE STATUS");
  run_agent(check("db", dsn(*primary_, "db"), "up < 1") + check("copy", dsn(replica, "copy"),
                                                                "replica_running < 1",
                                                                ", clear: replica_running == 1"));
  ASSERT_TRUE(eventually([&] { return sample("replica_running", "copy") == 1; }))
      << agent_.get("/metrics").body;
  EXPECT_EQ(sample("replicas"), 1) << "on the primary";
  EXPECT_TRUE(std::isnan(sample("replica_running"))) << "the primary is none";
  EXPECT_TRUE(eventually([&] { return sample("replication_lag_seconds", "copy") == 0; }));
  EXPECT_TRUE(eventually([&] { return sample("replication_lag_bytes", "copy") == 0; }));

  replica.sql("INSERT INTO shop.orders VALUES (7, 'here')");
  primary_->sql("INSERT INTO shop.orders VALUES (7, 'there')");
  auto open = agent_.wait_for_incident("copy", "open");
  EXPECT_THAT(text_at(open, "title"), HasSubstr("CRITICAL: copy on web-1: replica_running 0 < 1"));
  EXPECT_THAT(text_at(open, "summary", "probable_cause"),
              HasSubstr("replication from " + primary_->address() +
                        " receives and does not apply: error 1062: "));
  EXPECT_THAT(told(open), HasSubstr("Duplicate entry"));
  EXPECT_TRUE(std::isnan(sample("replication_lag_seconds", "copy"))) << "NULL is not zero";

  replica.sql("SET GLOBAL sql_slave_skip_counter = 1; START SLAVE");
  agent_.wait_for_incident("copy", "resolved");

  replica.sql("STOP SLAVE IO_THREAD");
  open = agent_.wait_for_incident("copy", "open");
  EXPECT_TRUE(std::isnan(sample("replication_lag_seconds", "copy")))
      << "it applied all it had, and falls behind";
  EXPECT_EQ(sample("up", "copy"), 1);
  replica.sql("START SLAVE");
  agent_.wait_for_incident("copy", "resolved");
}

}  // namespace
}  // namespace tocsin::integration
