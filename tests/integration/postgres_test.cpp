// A real PostgreSQL, with a real replica, under the postgres check: what fails, and what people are
// told of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include <boost/json/serialize.hpp>

#include "tests/integration/agent.hpp"
#include "tests/integration/postgres.hpp"

namespace tocsin::integration {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* password = "correct-horse";

class PostgresServer : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (!Postgres::installed()) return;
    server_ = std::make_unique<Postgres>(
        std::vector<std::string>{"max_connections=8", "superuser_reserved_connections=3"});
    server_->start();
    server_->sql(std::string{"CREATE ROLE tocsin LOGIN PASSWORD '"} + password +
                 "'; GRANT pg_monitor TO tocsin; CREATE ROLE app LOGIN;"
                 "CREATE TABLE orders (id int, note text); INSERT INTO orders VALUES (1, 'x');"
                 "GRANT ALL ON orders TO app; GRANT SELECT ON orders TO tocsin");
  }
  static void TearDownTestSuite() { server_.reset(); }

  void SetUp() override {
    if (!Postgres::installed())
      GTEST_SKIP() << "PostgreSQL is not installed: apt-get install " << Postgres::package;
    dsn_ = agent_.folder().write("db.dsn", server_->dsn("tocsin", password) + "\n");
  }

  static std::string check(const std::string& name, const std::string& dsn,
                           const std::string& more) {
    return "  - {name: " + name +
           ", type: postgres, every: 1s, timeout: 900ms, dsn: {file: " + dsn +
           "}, clear: up == 1, " + more + "}\n";
  }
  void run_agent(const std::string& checks) {
    agent_.configure("checks:\n" + checks, "  recover_hold: 300ms\n");
    agent_.start();
  }
  json::value look(const std::string& name) const {
    for (const auto& each : items(agent_.get("/api/v1/checks").json()))
      if (text_at(each, "name") == name) return each;
    return {};
  }
  testing::AssertionResult becomes(const std::string& name, const std::string& severity) const {
    json::value last;
    if (eventually([&] { return text_at(last = look(name), "severity") == severity; }))
      return testing::AssertionSuccess();
    return testing::AssertionFailure() << json::serialize(last);
  }
  /// A sample's value; -1 when the last run did not yield it.
  double sample(const std::string& check, const std::string& name,
                const std::string& instance = "") const {
    const auto all = look(check);
    for (const auto& each : items(at(all, "samples")))
      if (text_at(each, "name") == name && text_at(each, "instance") == instance)
        return at(each, "value").to_number<double>();
    return -1;
  }
  /// All that is known of the newest incident of a topic, once it is open.
  std::string opened(const std::string& topic) {
    incident_ = agent_.wait_for_incident(topic, "open");
    return json::serialize(agent_.incident(text_at(incident_, "id")));
  }
  std::string cause() const {
    return text_at(agent_.incident(text_at(incident_, "id")), "summary", "probable_cause");
  }

  static inline std::unique_ptr<Postgres> server_;
  std::string dsn_;
  Agent agent_;
  json::value incident_;
};

TEST_F(PostgresServer, ThatWasKilledIsDownUntilItIsBack) {
  run_agent(check("db", dsn_, "critical: up < 1"));
  ASSERT_TRUE(becomes("db", "ok"));
  EXPECT_GT(sample("db", "connect_seconds"), 0);
  EXPECT_GT(sample("db", "query_seconds"), 0);
  EXPECT_EQ(sample("db", "connections"), 1) << "its own";
  EXPECT_NEAR(sample("db", "connections_used_ratio"), 0.2, 0.001)
      << "of the five that are not reserved";
  EXPECT_EQ(sample("db", "longest_transaction_seconds"), 0);
  EXPECT_EQ(sample("db", "hidden_sessions"), 0);
  EXPECT_TRUE(eventually([&] { return sample("db", "deadlocks") == 0; }));

  server_->kill();
  const auto told = opened("db");
  const auto sentence = "connect to " + server_->address() + " failed: Connection refused";
  EXPECT_THAT(told, HasSubstr(sentence));
  EXPECT_THAT(told, HasSubstr("of 5 connections in use"));
  EXPECT_EQ(cause(), sentence);
  server_->start();
  EXPECT_TRUE(becomes("db", "ok"));
  agent_.wait_for_incident("db", "resolved");
}

TEST_F(PostgresServer, WithoutAFreeConnectionSaysWhoHoldsThem) {
  run_agent(check("db", dsn_, "critical: up < 1"));
  ASSERT_TRUE(becomes("db", "ok"));
  std::vector<std::unique_ptr<Program>> holders;
  for (int i = 0; i < 4; ++i)
    holders.push_back(server_->client("app", "shop", {"SELECT pg_sleep(600)"}));
  EXPECT_TRUE(eventually([&] { return sample("db", "connections_used_ratio") == 1; }));
  // The check's own connection comes and goes: the last place is taken when it is free.
  ASSERT_TRUE(eventually([&] {
    holders.push_back(server_->client("app", "shop", {"SELECT pg_sleep(600)"}));
    return !holders.back()->wait_for_exit(500ms);
  }));
  const auto told = opened("db");
  EXPECT_THAT(told, HasSubstr(server_->address() + " has too many connections: "));
  EXPECT_THAT(told, HasSubstr("(53300)"));
  EXPECT_THAT(told, HasSubstr("connections of app (shop), active"));
  EXPECT_THAT(cause(), HasSubstr("too many connections"));
  holders.clear();
  server_->sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'app'");
  EXPECT_TRUE(becomes("db", "ok"));
  agent_.wait_for_incident("db", "resolved");
}

TEST_F(PostgresServer, WithAnotherPasswordRefusesAndNobodySeesIt) {
  run_agent(check("db", dsn_, "critical: up < 1"));
  ASSERT_TRUE(becomes("db", "ok"));
  server_->sql("ALTER ROLE tocsin PASSWORD 'battery-staple'");
  const auto told = opened("db");
  EXPECT_THAT(told, HasSubstr("authentication at " + server_->address() + " failed: "));
  EXPECT_THAT(told, HasSubstr("(28P01)"));
  EXPECT_THAT(cause(), HasSubstr("password authentication failed"));
  for (const auto& text : {told, agent_.get("/metrics").body, agent_.program().text()})
    EXPECT_THAT(text, AllOf(Not(HasSubstr(password)), Not(HasSubstr("battery-staple"))));
  agent_.folder().write("db.dsn", server_->dsn("tocsin", "battery-staple"));
  EXPECT_EQ(agent_.post("/-/reload").status, 200);
  EXPECT_TRUE(becomes("db", "ok"));
  agent_.wait_for_incident("db", "resolved");
  server_->sql(std::string{"ALTER ROLE tocsin PASSWORD '"} + password + "'");
}

TEST_F(PostgresServer, NamesTheStepThatFailed) {
  const auto dsn = server_->dsn("tocsin", password);
  const std::vector<std::array<std::string, 3>> steps{
      {"tls", dsn + " sslmode=require", "TLS with " + server_->address() + " failed: "},
      {"away", "host=nobody.invalid user=tocsin", "resolve nobody.invalid failed: "},
      {"base", dsn + " dbname=nothing", "database \\\"nothing\\\" does not exist (3D000)"},
      {"role", server_->dsn("nobody", password), "authentication at "}};
  std::string checks;
  for (const auto& [name, text, words] : steps)
    checks += check(name, agent_.folder().write(name + ".dsn", text), "critical: up < 1");
  run_agent(checks);
  for (const auto& [name, text, words] : steps) EXPECT_THAT(opened(name), HasSubstr(words));
}

TEST_F(PostgresServer, ShowsWhoWaitsForWhom) {
  run_agent("  - {name: db, type: postgres, every: 1s, timeout: 900ms, dsn: {file: " + dsn_ +
            "}, critical: waiting_sessions > 0, clear: waiting_sessions == 0}\n");
  ASSERT_TRUE(becomes("db", "ok"));
  const auto holder = server_->client(
      "app", "billing",
      {"BEGIN", "UPDATE orders SET note = 'jane@example.com'", "SELECT pg_sleep(600)"});
  ASSERT_TRUE(eventually([&] { return sample("db", "longest_transaction_seconds") > 1; }));
  const auto waiter =
      server_->client("app", "shop", {"UPDATE orders SET note = 'joe@example.com'"});
  const auto told = opened("db");
  EXPECT_THAT(told, HasSubstr("of app (shop) waits for a lock"));
  EXPECT_THAT(told, HasSubstr("held back by pid "));
  EXPECT_THAT(told, HasSubstr("UPDATE orders SET note = …"));
  EXPECT_THAT(told, HasSubstr("of app (billing), active, in a transaction for "));
  EXPECT_THAT(told, Not(HasSubstr("example.com"))) << "somebody's data stays where it is";
  EXPECT_THAT(cause(), HasSubstr("held back by pid "));
  server_->sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'app'");
  EXPECT_TRUE(becomes("db", "ok"));
}

TEST_F(PostgresServer, CountsADeadlock) {
  server_->sql("INSERT INTO orders VALUES (2, 'y')");
  run_agent("  - {name: db, type: postgres, every: 1s, timeout: 900ms, dsn: {file: " + dsn_ +
            "}, critical: deadlocks > 0, clear: deadlocks == 0}\n");
  ASSERT_TRUE(eventually([&] { return sample("db", "deadlocks") == 0; }));
  // Each takes a row, waits at the gate for the other to have taken its own, and wants that.
  const auto gate =
      server_->client("postgres", "gate", {"SELECT pg_advisory_lock(7)", "SELECT pg_sleep(600)"});
  const auto waiting_at_the_gate = [&](const std::string& granted, const std::string& count) {
    return eventually([&] {
      return server_->sql(
                 "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted = " +
                 granted) == count + "\n";
    });
  };
  ASSERT_TRUE(waiting_at_the_gate("true", "1"));
  const auto crossing = [&](const std::string& first, const std::string& second) {
    const auto take = [](const std::string& id) {
      return "UPDATE orders SET note = 'z' WHERE id = " + id;
    };
    return server_->client(
        "app", "shop",
        {"BEGIN", take(first), "SELECT pg_advisory_xact_lock_shared(7)", take(second), "COMMIT"});
  };
  const auto one = crossing("1", "2"), other = crossing("2", "1");
  ASSERT_TRUE(waiting_at_the_gate("false", "2"));
  server_->sql(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = "
      "'gate'");
  const auto told = opened("db");
  EXPECT_THAT(text_at(incident_, "title"), HasSubstr("CRITICAL: db on web-1: deadlocks 1 > 0"));
  EXPECT_THAT(told, HasSubstr("1 deadlock, counted "));
  EXPECT_THAT(told, HasSubstr("the log of " + server_->address() + " names the statements"));
  const auto first = one->wait_for_exit(), second = other->wait_for_exit();
  ASSERT_TRUE(first && second);
  EXPECT_NE(first->code == 0, second->code == 0) << "one of them went through";
  EXPECT_TRUE(becomes("db", "ok"));
  agent_.wait_for_incident("db", "resolved");
  server_->sql("DELETE FROM orders WHERE id = 2");
}

TEST_F(PostgresServer, AnswersQueriesOfOnesOwn) {
  server_->sql("CREATE ROLE plain LOGIN PASSWORD 'plain-secret'");
  const auto plain = agent_.folder().write("plain.dsn", server_->dsn("plain", "plain-secret"));
  const auto with = [&](const std::string& name, const std::string& query) {
    return "  - {name: " + name +
           ", type: postgres, every: 1s, timeout: 900ms, dsn: {file: " + dsn_ + "}, queries: {" +
           query + "}}\n";
  };
  run_agent(with("good", "orders: SELECT count(*) FROM orders, age_seconds: SELECT 90.5") +
            with("nothing", "age: SELECT max(id) FROM orders WHERE id > 99") +
            with("word", "age: \"SELECT 'old'\"") +
            with("rows", "age: \"SELECT generate_series(1, 100000000)\"") +
            with("slow", "age: SELECT pg_sleep(30)") +
            with("writes", "age: DELETE FROM orders RETURNING 1") +
            with("two", "age: \"SELECT 1; DROP TABLE orders\"") +
            check("plain", plain, "critical: up < 1"));
  ASSERT_TRUE(becomes("good", "ok"));
  EXPECT_EQ(sample("good", "orders"), 1);
  EXPECT_EQ(sample("good", "age_seconds"), 90.5);
  EXPECT_EQ(agent_.metric("tocsin_postgres_age_seconds{check=\"good\"}"), 90.5);
  const std::vector<std::pair<std::string, std::string>> expected{
      {"nothing", "gave NULL"},
      {"word", "expected a number"},
      {"rows", "has more than 2 rows"},
      {"slow", "statement timeout (57014)"},
      {"writes", "(25006)"},
      {"two", "(42601)"}};
  for (const auto& [name, words] : expected) {
    EXPECT_TRUE(becomes(name, "unknown"));
    EXPECT_THAT(text_at(look(name), "why"), AllOf(HasSubstr("query \"age\""), HasSubstr(words)));
  }
  ASSERT_TRUE(becomes("plain", "ok")) << "without any grant it can log in all the same";
  EXPECT_EQ(server_->sql("SELECT count(*) FROM orders"), "1\n");
}

TEST_F(PostgresServer, ThatIsFollowedKnowsWhenItsReplicaStops) {
  Postgres replica{*server_, "web-2"};
  replica.start();
  const auto replica_dsn = agent_.folder().write("replica.dsn", replica.dsn("tocsin", password));
  const std::string rules =
      ", critical: [up < 1, replica_running < 1, replication_lag_bytes > 4MB], "
      "clear: replica_running == 1 and replication_lag_bytes == 0";
  const auto watch = [&](const std::string& name, const std::string& dsn) {
    return "  - {name: " + name +
           ", type: postgres, every: 1s, timeout: 900ms, dsn: {file: " + dsn + "}" + rules + "}\n";
  };
  run_agent(watch("primary", dsn_) + watch("replica", replica_dsn));
  ASSERT_TRUE(eventually([&] { return sample("primary", "replication_lag_bytes", "web-2") == 0; }));
  ASSERT_TRUE(eventually([&] { return sample("replica", "replication_lag_bytes") == 0; }));
  EXPECT_EQ(sample("primary", "replica_running", "web-2"), 1);
  EXPECT_EQ(sample("primary", "replication_lag_seconds", "web-2"), 0);
  EXPECT_EQ(sample("replica", "replica_running"), 1);
  EXPECT_EQ(sample("replica", "replication_lag_seconds"), 0) << "an idle primary is no lag";

  replica.sql("SELECT pg_wal_replay_pause()");
  server_->sql("CREATE TABLE bulk AS SELECT repeat('x', 200) FROM generate_series(1, 40000)");
  EXPECT_THAT(opened("replica"), HasSubstr("replay is paused"));
  EXPECT_THAT(cause(), HasSubstr("replication: replay is paused"));
  EXPECT_THAT(opened("primary"), HasSubstr("replica web-2: streaming"));
  EXPECT_TRUE(eventually([&] {
    return sample("primary", "replication_lag_seconds", "web-2") > 1 &&
           sample("replica", "replication_lag_seconds") > 1;
  })) << "it goes on growing on either side";
  replica.sql("SELECT pg_wal_replay_resume()");
  EXPECT_TRUE(becomes("replica", "ok"));
  EXPECT_TRUE(becomes("primary", "ok"));
  agent_.wait_for_incident("primary", "resolved");

  replica.kill();
  ASSERT_TRUE(becomes("primary", "critical"));
  EXPECT_THAT(opened("primary"), HasSubstr("replica web-2: not connected for "));
  EXPECT_THAT(cause(), HasSubstr("replica web-2: not connected"));
  EXPECT_THAT(opened("replica"), HasSubstr("connect to " + replica.address() + " failed"));
  replica.start();
  EXPECT_TRUE(becomes("primary", "ok"));
  EXPECT_TRUE(becomes("replica", "ok"));
}

TEST_F(PostgresServer, KeepsAQueue) {
  server_->sql("CREATE TABLE jobs (queued_at timestamptz); GRANT SELECT ON jobs TO tocsin");
  run_agent(
      "  - {name: jobs, type: queue, every: 1s, from: {postgres: {dsn: {file: " + dsn_ +
      "}, query: \"SELECT count(*), extract(epoch FROM now() - min(queued_at)), 0 FROM jobs\"}}, "
      "critical: consumers < 1 and depth > 0, clear: depth == 0}\n");
  ASSERT_TRUE(becomes("jobs", "ok"));
  EXPECT_EQ(sample("jobs", "depth"), 0);
  EXPECT_EQ(sample("jobs", "oldest_seconds"), -1) << "an empty one has no oldest";
  server_->sql("INSERT INTO jobs SELECT now() - interval '10min' FROM generate_series(1, 40)");
  const auto told = opened("jobs");
  EXPECT_THAT(told, HasSubstr("40 in the queue in database \\\"postgres\\\" of " +
                              server_->address() + ", 0 consumers, the oldest 10m"));
  EXPECT_THAT(cause(), HasSubstr("nobody consumes the queue in database"));
  EXPECT_GE(sample("jobs", "oldest_seconds"), 600);
  server_->sql("DELETE FROM jobs");
  EXPECT_TRUE(becomes("jobs", "ok"));
  agent_.wait_for_incident("jobs", "resolved");
}

TEST_F(PostgresServer, ThatRefusesTheQueryOfAQueueIsNotDown) {
  const auto queue = [&](const std::string& name, const std::string& query) {
    return "  - {name: " + name +
           ", type: queue, every: 1s, timeout: 900ms, from: {postgres: " + "{dsn: {file: " + dsn_ +
           "}, query: \"" + query + "\"}}, critical: up < 1}\n";
  };
  run_agent(queue("lacks", "SELECT count(*) FROM nowhere") +
            queue("slow", "SELECT count(pg_sleep(30))"));
  ASSERT_TRUE(becomes("lacks", "unknown"));
  EXPECT_THAT(text_at(look("lacks"), "why"),
              AllOf(HasSubstr(server_->address()), HasSubstr("does not exist (42P01)")));
  ASSERT_TRUE(becomes("slow", "unknown"));
  EXPECT_THAT(text_at(look("slow"), "why"), HasSubstr("statement timeout (57014)"));
  server_->kill();
  for (const auto* name : {"lacks", "slow"}) {
    EXPECT_TRUE(becomes(name, "critical"));
    EXPECT_EQ(sample(name, "up"), 0);
  }
  server_->start();
  EXPECT_TRUE(becomes("lacks", "unknown"));
}

}  // namespace
}  // namespace tocsin::integration
