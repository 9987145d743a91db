// What the postgres check is made of, as far as it needs no server.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "checks/postgres_dsn.hpp"
#include "checks/postgres_evidence.hpp"
#include "checks/postgres_fault.hpp"
#include "checks/postgres_replication.hpp"
#include "checks/postgres_statistics.hpp"

namespace tocsin::checks {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

Result<PostgresDsn> parsed(const std::string& text) { return parse_postgres_dsn(Secret{text}); }

std::string option(const PostgresDsn& dsn, std::string_view keyword) {
  for (const auto& [name, value] : dsn.options)
    if (name == keyword) return value.reveal();
  return "(none)";
}

/// A variable for the length of a test.
class Variable {
 public:
  Variable(const char* name, const char* value) : name_{name} { setenv(name, value, 1); }
  ~Variable() { unsetenv(name_); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  const char* name_;
};

TEST(PostgresDsn, IsAConnectionStringOrAUri) {
  const auto words = parsed("host=db-1 port=5433 user=tocsin password='a b' dbname=shop");
  ASSERT_TRUE(words) << words.error().detail;
  EXPECT_EQ(words->place(), "db-1:5433");
  EXPECT_EQ(words->user, "tocsin");
  EXPECT_EQ(option(*words, "password"), "a b");
  EXPECT_EQ(option(*words, "dbname"), "shop");
  const auto uri = parsed("postgresql://tocsin:s%20t@[::1]:6432/shop?sslmode=require");
  ASSERT_TRUE(uri) << uri.error().detail;
  EXPECT_EQ(uri->place(), "[::1]:6432");
  EXPECT_EQ(option(*uri, "password"), "s t");
  EXPECT_EQ(option(*uri, "sslmode"), "require");
  const auto socket = parsed("host=/run/postgresql user=tocsin");
  ASSERT_TRUE(socket);
  EXPECT_EQ(socket->place(), "/run/postgresql:5432");
  EXPECT_EQ(socket->socket_path, "/run/postgresql");
  const auto address = parsed("host=db-1 hostaddr=10.0.0.5 user=tocsin");
  EXPECT_EQ(address->place(), "db-1:5432");
  EXPECT_EQ(address->address, "10.0.0.5");
}

TEST(PostgresDsn, LeavesNothingToFilesAndVariablesOfTheAgent) {
  const Variable mode{"PGSSLMODE", "disable"};
  const Variable name{"PGAPPNAME", "other"};
  const Variable database{"PGDATABASE", "other"};
  const auto dsn = parsed("host=db-1 user=tocsin");
  ASSERT_TRUE(dsn) << dsn.error().detail;
  EXPECT_EQ(option(*dsn, "sslmode"), "prefer");
  EXPECT_EQ(option(*dsn, "application_name"), "tocsin");
  EXPECT_EQ(option(*dsn, "dbname"), "tocsin");
  EXPECT_EQ(option(*dsn, "passfile"), "/dev/null/none");
  EXPECT_EQ(option(*dsn, "sslcert"), "/dev/null/none");
  EXPECT_EQ(option(*dsn, "sslrootcert"), "/dev/null/none");
  EXPECT_EQ(option(*dsn, "gssencmode"), "disable");
  EXPECT_EQ(option(*parsed("host=db-1 user=u sslmode=verify-full"), "sslrootcert"),
            "/etc/ssl/certs/ca-certificates.crt");
  EXPECT_EQ(option(*parsed("host=d user=u sslmode=verify-ca sslrootcert=/a.pem"), "sslrootcert"),
            "/a.pem");
}

TEST(PostgresDsn, SaysSoWhenAVariableCannotBeOverruled) {
  const Variable service{"PGSERVICE", "shop"};
  const auto dsn = parsed("host=db-1 user=tocsin");
  ASSERT_FALSE(dsn);
  EXPECT_THAT(dsn.error().detail, HasSubstr("PGSERVICE"));
}

TEST(PostgresDsn, APasswordOfTheEnvironmentIsNotUsed) {
  const Variable password{"PGPASSWORD", "hunter2"};
  EXPECT_TRUE(parsed("host=db-1 user=tocsin password=x"));
  const auto without = parsed("host=db-1 user=tocsin");
  ASSERT_FALSE(without);
  EXPECT_THAT(without.error().detail, AllOf(HasSubstr("PGPASSWORD"), Not(HasSubstr("hunter2"))));
}

TEST(PostgresDsn, FaultsNeverQuoteIt) {
  for (const auto* text :
       {"hunter2", "host=db-1 user=t password='hunter2", "host=db-1 hunter2 user=t",
        "postgresql://t:hunter2@db-1:hunter2/x", "postgresql://t:hunter2@db-1/x?hunter2",
        "postgresql://t:hunter2", "host=db-1 password=hunter2", "user=t password=hunter2",
        "host=a,b user=t password=hunter2", "host=a port=0 user=t password=hunter2",
        "host=a port=70000 user=t", "service=hunter2 host=a user=t", "", "nonsense=hunter2"}) {
    const auto dsn = parsed(text);
    ASSERT_FALSE(dsn) << text;
    EXPECT_THAT(dsn.error().detail, AllOf(HasSubstr("the dsn "), Not(HasSubstr("hunter2"))));
  }
}

PostgresFault failed(std::string_view message,
                     PostgresPhase reached = PostgresPhase::authentication) {
  return connection_fault(reached, "db-1:5432", message);
}

TEST(PostgresFault, NamesThePhase) {
  const auto refused = failed(
      "connection to server at \"db-1\" (10.0.0.5), port 5432 failed: Connection refused\n\tIs the "
      "server running on that host and accepting TCP/IP connections?\n",
      PostgresPhase::connect);
  EXPECT_EQ(refused.phase, PostgresPhase::connect);
  EXPECT_EQ(refused.error.detail, "connect to db-1:5432 failed: Connection refused");
  const auto password = failed(
      "connection to server at \"10.0.0.5\", port 5432 failed: FATAL:  28P01: password "
      "authentication failed for user \"t\"\nLOCATION:  auth_failed, auth.c:335\n");
  EXPECT_EQ(password.phase, PostgresPhase::authentication);
  EXPECT_EQ(password.sqlstate, "28P01");
  EXPECT_EQ(password.error.detail,
            "authentication at db-1:5432 failed: password authentication failed for user \"t\" "
            "(28P01)");
  const auto full = failed("… failed: FATAL:  53300: sorry, too many clients already\n");
  EXPECT_EQ(full.phase, PostgresPhase::too_many_connections);
  EXPECT_EQ(full.error.detail,
            "db-1:5432 has too many connections: sorry, too many clients already (53300)");
  const auto starting = failed("… failed: FATAL:  57P03: the database system is starting up\n");
  EXPECT_EQ(starting.phase, PostgresPhase::starting_up);
  EXPECT_THAT(starting.error.detail, HasSubstr("starting up (57P03)"));
  const auto missing = failed("… failed: FATAL:  3D000: database \"x\" does not exist\n");
  EXPECT_EQ(missing.phase, PostgresPhase::session);
  EXPECT_EQ(missing.error.code, Errc::refused);
  const auto tls = failed("… failed: SSL error: certificate verify failed\n", PostgresPhase::tls);
  EXPECT_EQ(tls.error.detail, "TLS with db-1:5432 failed: SSL error: certificate verify failed");
  EXPECT_EQ(tls.error.code, Errc::tls);
  const auto none = failed("… failed: fe_sendauth: no password supplied\n");
  EXPECT_EQ(none.phase, PostgresPhase::authentication);
  const auto cut = failed("… failed: server closed the connection unexpectedly\n\tThis probably\n");
  EXPECT_EQ(cut.phase, PostgresPhase::session);
  EXPECT_EQ(cut.error.code, Errc::disconnected);
  const auto other =
      failed("… failed: expected authentication request from server, but received 2\n");
  EXPECT_EQ(other.phase, PostgresPhase::session);
}

TEST(PostgresFault, ReadsAnyLanguage) {
  const auto fault = failed("… failed: FATAL:  28P01: Passwort-Authentifizierung fehlgeschlagen\n");
  EXPECT_EQ(fault.phase, PostgresPhase::authentication);
  EXPECT_EQ(connection_words("x failed: VERHÄNGNISVOLL:  53300: zu viele\n").sqlstate, "53300");
}

TEST(PostgresFault, TheFirstAnswerOfSeveralAttemptsCounts) {
  const auto words = connection_words(
      "connection to server at \"::1\", port 5432 failed: Connection refused\nconnection to server "
      "at \"127.0.0.1\", port 5432 failed: FATAL:  28P01: no\nconnection to server at "
      "\"127.0.0.1\", port 5432 failed: FATAL:  28000: no encryption\n");
  EXPECT_EQ(words.sqlstate, "28P01");
}

TEST(PostgresFault, OurOwnTroubleIsNotTheServers) {
  EXPECT_EQ(failed("… failed: could not create socket: Too many open files\n").error.code,
            Errc::internal);
}

TEST(PostgresFault, ABadQueryIsNotTheServersFault) {
  EXPECT_TRUE(blames_server(query_fault("db-1:5432", "57P01", "terminating connection")));
  EXPECT_TRUE(blames_server(query_fault("db-1:5432", "", "server closed the connection")));
  EXPECT_TRUE(blames_server(silence_fault(PostgresPhase::query, "db-1:5432")));
  EXPECT_TRUE(blames_server(failed("… failed: FATAL:  28P01: no\n")));
  EXPECT_FALSE(blames_server(query_fault("db-1:5432", "57014", "it took too long")));
  EXPECT_FALSE(blames_server(query_fault("db-1:5432", "42P01", "no such table")));
  EXPECT_FALSE(blames_server(failed("… failed: could not create socket: Too many open files\n")));
}

TEST(PostgresFault, StaysOneLineWhateverComes) {
  const auto fault = failed("… failed: " + std::string(100'000, 'x') + "\n\x01\xff");
  EXPECT_LT(fault.error.detail.size(), 400u);
  EXPECT_EQ(failed("").error.detail, "opening a session at db-1:5432 failed: no reason was given");
  EXPECT_EQ(query_fault("db-1:5432", "", "").error.detail,
            "the query at db-1:5432 failed: no reason was given");
}

const PostgresRow statistics_row{"f", "12", "97", "0", "3.5", std::nullopt, "2", "7", "0.25"};

TEST(PostgresStatistics, AreRead) {
  const auto found = read_statistics({statistics_row});
  ASSERT_TRUE(found);
  EXPECT_FALSE(found->replica);
  EXPECT_EQ(found->connections, 12);
  EXPECT_EQ(found->longest_transaction, 3.5);
  EXPECT_EQ(found->idle_in_transaction, 0) << "nobody is";
  EXPECT_THAT(describe_statistics(*found),
              "12 of 97 connections in use, longest transaction 3.5s, 2 sessions wait for locks");
}

TEST(PostgresStatistics, WhatIsHiddenIsUnknown) {
  auto row = statistics_row;
  row[3] = "4";
  row[4] = std::nullopt;
  const auto found = read_statistics({row});
  ASSERT_TRUE(found);
  EXPECT_FALSE(found->longest_transaction);
  EXPECT_FALSE(found->waiting);
  EXPECT_THAT(describe_statistics(*found), HasSubstr("pg_monitor"));
}

TEST(PostgresStatistics, OtherFormsAreFaults) {
  EXPECT_FALSE(read_statistics({}));
  EXPECT_FALSE(read_statistics({statistics_row, statistics_row}));
  EXPECT_FALSE(read_statistics({{"f", "12"}}));
  auto row = statistics_row;
  row[1] = "many";
  EXPECT_FALSE(read_statistics({row}));
  EXPECT_FALSE(read_standbys({{"web"}}));
  EXPECT_FALSE(read_replica({}));
}

TEST(PostgresQuery, GivesOneNumberOrSaysWhatElse) {
  EXPECT_EQ(*number_of_answer({{"42.5"}}), 42.5);
  EXPECT_THAT(number_of_answer({{std::nullopt}}).error().detail, HasSubstr("gave NULL"));
  EXPECT_FALSE(number_of_answer({}));
  EXPECT_FALSE(number_of_answer({{"1"}, {"2"}}));
  EXPECT_FALSE(number_of_answer({{"1", "2"}}));
  EXPECT_FALSE(number_of_answer({{"old"}}));
  EXPECT_FALSE(number_of_answer({PostgresRow{}}));
}

TEST(PostgresQuery, TheHeadOfAStatementHoldsNoData) {
  EXPECT_EQ(statement_head("SELECT  *\n\tFROM orders"), "SELECT * FROM orders");
  EXPECT_EQ(statement_head("ALTER ROLE x PASSWORD 'hunter2'"), "ALTER ROLE x PASSWORD …");
  EXPECT_EQ(statement_head("SELECT $$hunter2$$"), "SELECT …");
  EXPECT_EQ(statement_head("'x"), "…");
  EXPECT_EQ(statement_head(""), "");
  EXPECT_LE(statement_head(std::string(1000, 'x')).size(), 82u);
}

constexpr SteadyTime start{1000h};

PostgresReplica streaming(double age, double bytes) {
  return {.receiving = true, .status = "streaming", .age = age, .bytes = bytes};
}

TEST(Replication, OfAnIdlePrimaryIsNoLag) {
  ReplicationWatch watch;
  const auto idle = watch.see_itself(streaming(7200, 0), start);
  EXPECT_TRUE(idle.running);
  EXPECT_EQ(idle.lag_seconds, 0);
  // The first write after two idle hours is on its way, and is not two hours late.
  EXPECT_EQ(watch.see_itself(streaming(7201, 100), start + 1s).lag_seconds, 1);
  EXPECT_EQ(watch.see_itself(streaming(7205, 100), start + 5s).lag_seconds, 5);
  // What was replayed since is nearer.
  EXPECT_EQ(watch.see_itself(streaming(2, 100), start + 60s).lag_seconds, 2);
}

TEST(Replication, ThatIsCutGrowsThoughNothingWaits) {
  ReplicationWatch watch;
  auto cut = streaming(30, 0);
  EXPECT_EQ(watch.see_itself(cut, start).lag_seconds, 0);
  cut.receiving = false;
  const auto later = watch.see_itself(cut, start + 20s);
  EXPECT_FALSE(later.running);
  EXPECT_EQ(later.lag_seconds, 20);
  EXPECT_EQ(describe_replica(later),
            "replication: no receiver is connected to the primary, data 20s old");
  watch.forget_spans();
  EXPECT_EQ(watch.see_itself(cut, start + 21s).lag_seconds, 30) << "nothing is known of when";
}

TEST(Replication, ByArchiveOrPausedOrConnecting) {
  ReplicationWatch watch;
  EXPECT_TRUE(watch.see_itself({.by_archive = true, .age = 60}, start).running);
  auto paused = streaming(5, 1000);
  paused.paused = true;
  EXPECT_FALSE(watch.see_itself(paused, start).running);
  auto waiting = streaming(5, 0);
  waiting.status = "waiting";
  EXPECT_FALSE(watch.see_itself(waiting, start).running);
  const auto unknown = watch.see_itself({.receiving = true}, start);
  EXPECT_TRUE(unknown.running) << "the status is hidden from the role";
  EXPECT_FALSE(unknown.lag_seconds);
}

PostgresStandby standby(const std::string& name, double bytes, double position,
                        std::optional<double> lag = {}, const std::string& address = "10.0.0.7") {
  return {name, address, "streaming", lag, bytes, position};
}

TEST(Replication, ThatStandsStillGrowsOnThePrimary) {
  ReplicationWatch watch;
  EXPECT_EQ(watch.see_standbys({standby("a", 0, 100)}, start)[0].lag_seconds, 0);
  EXPECT_EQ(watch.see_standbys({standby("a", 50, 100, 0.1)}, start + 10s)[0].lag_seconds, 0.1);
  // The server goes on saying what it measured last.
  EXPECT_EQ(watch.see_standbys({standby("a", 90, 100, 0.1)}, start + 40s)[0].lag_seconds, 30);
  EXPECT_EQ(watch.see_standbys({standby("a", 60, 130, 2)}, start + 41s)[0].lag_seconds, 2);
  EXPECT_EQ(watch.see_standbys({standby("a", 0, 190)}, start + 42s)[0].lag_seconds, 0);
}

TEST(Replication, OfAReplicaThatIsGoneIsRemembered) {
  ReplicationWatch watch;
  watch.see_standbys({standby("a", 0, 100), standby("b", 0, 100)}, start);
  const auto readings = watch.see_standbys({standby("b", 0, 100)}, start + 5s);
  ASSERT_EQ(readings.size(), 2u);
  EXPECT_EQ(readings[1].instance, "a");
  EXPECT_FALSE(readings[1].running);
  EXPECT_EQ(readings[1].lag_seconds, 5);
  EXPECT_EQ(describe_replica(readings[1]), "replica a: not connected for 5s");
  // It comes back from elsewhere and is the same.
  EXPECT_EQ(watch.see_standbys({standby("a", 0, 1, {}, "10.0.0.9"), standby("b", 0, 1)}, start + 6s)
                .size(),
            2u);
  EXPECT_EQ(watch.see_standbys({standby("b", 0, 100)}, start + 36h).size(), 1u) << "not for ever";
}

TEST(Replication, TwoOfOneNameAreToldApart) {
  ReplicationWatch watch;
  const auto readings = watch.see_standbys(
      {standby("main", 0, 1, {}, "10.0.0.1"), standby("main", 5, 1, {}, "10.0.0.2")}, start);
  ASSERT_EQ(readings.size(), 2u);
  EXPECT_EQ(readings[0].instance, "main@10.0.0.1");
  EXPECT_EQ(readings[1].instance, "main@10.0.0.2");
}

TEST(Replication, SaysWhenItHasCaughtUp) {
  ReplicationWatch watch;
  watch.see_itself(streaming(5, 1000), start);
  EXPECT_FALSE(watch.catch_up_seconds());
  watch.see_itself(streaming(5, 600), start + 2s);
  ASSERT_TRUE(watch.catch_up_seconds());
  EXPECT_EQ(*watch.catch_up_seconds(), 3);
  watch.see_itself(streaming(5, 700), start + 4s);
  EXPECT_FALSE(watch.catch_up_seconds());
}

}  // namespace
}  // namespace tocsin::checks
