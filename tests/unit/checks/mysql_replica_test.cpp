#include "checks/mysql_replica.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "checks/mysql_dialect.hpp"

namespace tocsin::checks {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

/// A row of MariaDB 10.11's SHOW ALL SLAVES STATUS, with some of its columns.
MysqlRows mariadb_row() {
  MysqlRows rows;
  rows.columns = {
      "Connection_name",   "Slave_IO_State",      "Master_Host",           "Master_Port",
      "Master_Log_File",   "Read_Master_Log_Pos", "Relay_Master_Log_File", "Slave_IO_Running",
      "Slave_SQL_Running", "Exec_Master_Log_Pos", "Seconds_Behind_Master", "Last_IO_Errno",
      "Last_IO_Error",     "Last_SQL_Errno",      "Last_SQL_Error",        "SQL_Delay"};
  rows.rows = {{"", "Waiting for master to send event", "10.0.0.1", "3306", "bin.000002", "1500",
                "bin.000002", "Yes", "Yes", "500", "7", "0", "", "0", "", "0"}};
  return rows;
}

void set(MysqlRows& rows, std::string_view column, Cell value) {
  for (std::size_t i = 0; i < rows.columns.size(); ++i)
    if (rows.columns[i] == column) rows.rows[0][i] = std::move(value);
}

TEST(MysqlReplica, ThatRunsTellsItsLag) {
  const auto replica = read_replica(mariadb_row());
  ASSERT_EQ(replica.channels.size(), 1u);
  EXPECT_TRUE(replica.running());
  EXPECT_EQ(replica.lag_seconds(), 7);
  EXPECT_EQ(replica.lag_bytes(), 1000);
  EXPECT_EQ(replica.trouble(), "");
  EXPECT_THAT(replica.lines(),
              ElementsAre(HasSubstr("replication from 10.0.0.1:3306 is 7s behind")));
}

TEST(MysqlReplica, ThatReceivesNothingIsStoppedHoweverSmallItsLag) {
  auto rows = mariadb_row();
  set(rows, "Slave_IO_Running", "No");
  set(rows, "Seconds_Behind_Master", "0");
  set(rows, "Last_IO_Errno", "1236");
  set(rows, "Last_IO_Error", "Got fatal error 1236\nfrom master");
  const auto replica = read_replica(rows);
  EXPECT_FALSE(replica.running());
  EXPECT_FALSE(replica.lag_seconds()) << "zero would be a lie";
  EXPECT_THAT(replica.trouble(),
              HasSubstr("does not receive (it applies what it has): error 1236: Got fatal error"));
  EXPECT_THAT(replica.trouble(), Not(HasSubstr("\n")));
}

TEST(MysqlReplica, ThatDoesNotApplyTellsWhy) {
  auto rows = mariadb_row();
  set(rows, "Slave_SQL_Running", "No");
  set(rows, "Seconds_Behind_Master", std::nullopt);
  set(rows, "Last_SQL_Errno", "1062");
  set(rows, "Last_SQL_Error", "Duplicate entry '1' for key 'PRIMARY'");
  const auto replica = read_replica(rows);
  EXPECT_FALSE(replica.lag_seconds());
  EXPECT_THAT(replica.trouble(), HasSubstr("receives and does not apply: error 1062: Duplicate"));
}

TEST(MysqlReplica, ThatSomebodyStoppedSaysSo) {
  auto rows = mariadb_row();
  set(rows, "Slave_IO_Running", "No");
  set(rows, "Slave_SQL_Running", "No");
  EXPECT_THAT(read_replica(rows).trouble(), HasSubstr("is stopped: IO thread No, SQL thread No"));
  set(rows, "Slave_IO_Running", "Connecting");
  set(rows, "Slave_SQL_Running", "Yes");
  EXPECT_THAT(read_replica(rows).trouble(), HasSubstr("cannot connect to its source"));
}

TEST(MysqlReplica, WithUnknownLagIsNotAtZero) {
  auto rows = mariadb_row();
  set(rows, "Seconds_Behind_Master", std::nullopt);
  set(rows, "Relay_Master_Log_File", "bin.000001");
  const auto replica = read_replica(rows);
  EXPECT_TRUE(replica.running());
  EXPECT_FALSE(replica.lag_seconds());
  EXPECT_FALSE(replica.lag_bytes()) << "the sizes of the logs between are not known";
  EXPECT_THAT(replica.lines(), ElementsAre(HasSubstr("behind by an unknown time")));
}

TEST(MysqlReplica, OfMysql8HasOtherColumnNames) {
  MysqlRows rows;
  rows.columns = {"Seconds_Behind_Source",
                  "Replica_SQL_Running",
                  "Replica_IO_Running",
                  "Source_Host",
                  "Source_Port",
                  "Source_Log_File",
                  "Relay_Source_Log_File",
                  "Read_Source_Log_Pos",
                  "Exec_Source_Log_Pos",
                  "Channel_Name",
                  "SQL_Delay"};
  rows.rows = {{"0", "Yes", "Yes", "db-1", "3306", "b.1", "b.1", "20", "20", "", "0"},
               {"40", "Yes", "Yes", "db-2", "3306", "b.9", "b.9", "90", "20", "shop", "30"}};
  const auto replica = read_replica(rows);
  EXPECT_TRUE(replica.running());
  EXPECT_EQ(replica.lag_seconds(), 40);
  EXPECT_EQ(replica.lag_bytes(), 70);
  EXPECT_THAT(replica.lines(), ElementsAre(HasSubstr("db-2:3306 (shop) is 40s behind, 30s of it")));
}

TEST(MysqlReplica, NoRowsIsNoReplica) {
  EXPECT_THAT(read_replica(MysqlRows{}).channels, IsEmpty());
}

TEST(StatementHead, LeavesOutWhatIsInQuotes) {
  EXPECT_EQ(mysql_statement_head("UPDATE users\n  SET  mail='a\\'b@c', n = \"x\" WHERE id = 3"),
            "UPDATE users SET mail='…', n = \"…\" WHERE id = 3");
  EXPECT_EQ(mysql_statement_head("SELECT 'cut in the mid"), "SELECT '…");
  EXPECT_EQ(mysql_statement_head(""), "");
  EXPECT_LE(mysql_statement_head(std::string(10'000, 'x')).size(), 90u);
}

TEST(MysqlDialect, IsToldByTheVersion) {
  const auto mariadb = mysql_dialect("5.5.5-10.11.6-MariaDB-0+deb12u1");
  EXPECT_TRUE(mariadb.mariadb);
  EXPECT_EQ(mariadb.version, 101106);
  EXPECT_EQ(mariadb.replica_statement(), "SHOW ALL SLAVES STATUS");
  EXPECT_EQ(mariadb.timeout_statement(1500ms), "SET SESSION max_statement_time = 1.500");
  const auto mysql = mysql_dialect("8.4.2");
  EXPECT_FALSE(mysql.mariadb);
  EXPECT_EQ(mysql.replica_statement(), "SHOW REPLICA STATUS");
  EXPECT_EQ(mysql.timeout_statement(1500ms), "SET SESSION max_execution_time = 1500");
  EXPECT_THAT(std::string{mysql.lock_waits_statement()}, HasSubstr("data_lock_waits"));
  EXPECT_EQ(mysql_dialect("8.0.21-0ubuntu0").replica_statement(), "SHOW SLAVE STATUS");
  EXPECT_EQ(mysql_dialect("5.7.44-log").version, 50744);
  EXPECT_EQ(mysql_dialect("").version, 0);
  EXPECT_EQ(mysql_dialect("garbage").version, 0);
}

}  // namespace
}  // namespace tocsin::checks
