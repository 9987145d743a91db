#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "tocsin/base/time.hpp"

namespace tocsin::checks {

/// What differs between MariaDB and MySQL, and between their versions.
struct MysqlDialect {
  bool mariadb{false};
  int version{0};  ///< 10.11.6 is 101106, 8.0.22 is 80022; 0 when it could not be read.

  /// MariaDB: every connection of a multi-source replica in one answer. MySQL renamed the statement
  /// in 8.0.22 and dropped the old name in 8.4.
  std::string_view replica_statement() const;
  /// Ends statements of this session that run longer: MariaDB counts seconds, MySQL milliseconds
  /// and SELECT alone.
  std::string timeout_statement(Duration limit) const;
  /// Who waits for whose lock, the longest first: waiting id, seconds, its statement, blocking id,
  /// blocking user, what that one runs.
  std::string_view lock_waits_statement() const;
  /// The number of deadlocks since the server started, as one row with one number.
  std::string_view deadlocks_statement() const;
};

/// From what the server calls itself: "10.11.6-MariaDB-0+deb12u1", "8.0.36-0ubuntu0", and with the
/// prefix "5.5.5-" that MariaDB put before its own for old replicas.
MysqlDialect mysql_dialect(std::string_view server_version);

/// Sessions see times in the server's own zone, as InnoDB writes them: otherwise a zone set for the
/// server would make a transaction hours old.
inline constexpr std::string_view zone_statement = "SET SESSION time_zone = 'SYSTEM'";
/// The light statement that is timed: limits, and how many are connected.
inline constexpr std::string_view limits_statement = "SELECT @@GLOBAL.max_connections";
inline constexpr std::string_view connected_statement =
    "SHOW GLOBAL STATUS WHERE Variable_name = 'Threads_connected'";
/// The age of the oldest transaction but our own, and how many replicas read the binary log. Needs
/// PROCESS, and fails without it rather than telling of our own sessions only.
inline constexpr std::string_view activity_statement =
    "SELECT (SELECT MAX(TIMESTAMPDIFF(SECOND, trx_started, NOW()))"
    " FROM information_schema.INNODB_TRX"
    " WHERE trx_mysql_thread_id NOT IN (0, CONNECTION_ID())) AS oldest,"
    " (SELECT COUNT(*) FROM information_schema.PROCESSLIST"
    " WHERE COMMAND LIKE 'Binlog Dump%') AS replicas";
/// The oldest transactions: id, seconds, user, what it runs now.
inline constexpr std::string_view transactions_statement =
    "SELECT t.trx_mysql_thread_id, TIMESTAMPDIFF(SECOND, t.trx_started, NOW()),"
    " CONCAT(p.USER, '@', p.HOST), COALESCE(LEFT(t.trx_query, 300), '')"
    " FROM information_schema.INNODB_TRX t"
    " LEFT JOIN information_schema.PROCESSLIST p ON p.ID = t.trx_mysql_thread_id"
    " WHERE t.trx_mysql_thread_id NOT IN (0, CONNECTION_ID())"
    " ORDER BY t.trx_started LIMIT 3";

}  // namespace tocsin::checks
