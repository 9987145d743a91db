#include "checks/mysql_dialect.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "checks/words.hpp"
#include "tocsin/base/text.hpp"

namespace tocsin::checks {
namespace {

/// 8.0.22: SHOW REPLICA STATUS, performance_schema's lock waits.
constexpr int mysql_renamed = 80022;
constexpr int mysql_8 = 80000;

int version_of(std::string_view text) {
  int version = 0;
  int parts = 0;
  for (const auto part : split(text.substr(0, text.find('-')), '.')) {
    const auto digits = part.substr(0, part.find_first_not_of("0123456789"));
    const auto number = to_number(digits);
    if (!number || *number > 99 || parts == 3) break;
    version = version * 100 + static_cast<int>(*number);
    ++parts;
  }
  for (; parts > 0 && parts < 3; ++parts) version *= 100;
  return version;
}

}  // namespace

MysqlDialect mysql_dialect(std::string_view server_version) {
  MysqlDialect dialect;
  std::string lower{server_version};
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  dialect.mariadb = lower.find("mariadb") != std::string::npos;
  std::string_view text{lower};
  constexpr std::string_view disguise{"5.5.5-"};
  if (dialect.mariadb && text.starts_with(disguise)) text.remove_prefix(disguise.size());
  dialect.version = version_of(text);
  return dialect;
}

std::string_view MysqlDialect::replica_statement() const {
  if (mariadb) return "SHOW ALL SLAVES STATUS";
  return version >= mysql_renamed ? "SHOW REPLICA STATUS" : "SHOW SLAVE STATUS";
}

std::string MysqlDialect::timeout_statement(Duration limit) const {
  const auto seconds = std::chrono::duration<double>(limit).count();
  if (mariadb) return fmt::format("SET SESSION max_statement_time = {:.3f}", seconds);
  return fmt::format("SET SESSION max_execution_time = {:.0f}", std::max(1.0, seconds * 1000));
}

std::string_view MysqlDialect::lock_waits_statement() const {
  if (mariadb || version < mysql_8)
    return "SELECT r.trx_mysql_thread_id, TIMESTAMPDIFF(SECOND, r.trx_wait_started, NOW()),"
           " COALESCE(LEFT(r.trx_query, 300), ''), b.trx_mysql_thread_id,"
           " CONCAT(p.USER, '@', p.HOST), COALESCE(LEFT(b.trx_query, 300), '')"
           " FROM information_schema.INNODB_LOCK_WAITS w"
           " JOIN information_schema.INNODB_TRX r ON r.trx_id = w.requesting_trx_id"
           " JOIN information_schema.INNODB_TRX b ON b.trx_id = w.blocking_trx_id"
           " LEFT JOIN information_schema.PROCESSLIST p ON p.ID = b.trx_mysql_thread_id"
           " ORDER BY r.trx_wait_started LIMIT 3";
  return "SELECT r.trx_mysql_thread_id, TIMESTAMPDIFF(SECOND, r.trx_wait_started, NOW()),"
         " COALESCE(LEFT(r.trx_query, 300), ''), b.trx_mysql_thread_id,"
         " CONCAT(p.USER, '@', p.HOST), COALESCE(LEFT(b.trx_query, 300), '')"
         " FROM performance_schema.data_lock_waits w"
         " JOIN information_schema.INNODB_TRX r"
         " ON r.trx_id = w.REQUESTING_ENGINE_TRANSACTION_ID"
         " JOIN information_schema.INNODB_TRX b ON b.trx_id = w.BLOCKING_ENGINE_TRANSACTION_ID"
         " LEFT JOIN information_schema.PROCESSLIST p ON p.ID = b.trx_mysql_thread_id"
         " ORDER BY r.trx_wait_started LIMIT 3";
}

std::string_view MysqlDialect::deadlocks_statement() const {
  if (mariadb)
    return "SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS"
           " WHERE VARIABLE_NAME = 'INNODB_DEADLOCKS'";
  return "SELECT COUNT FROM information_schema.INNODB_METRICS WHERE NAME = 'lock_deadlocks'";
}

}  // namespace tocsin::checks
