#include "checks/postgres_statistics.hpp"

#include <algorithm>

#include "checks/named_queries.hpp"
#include "checks/words.hpp"
#include "tocsin/base/text.hpp"

namespace tocsin::checks {
namespace {

constexpr std::size_t statement_characters = 80;

Error strange(std::string_view what) {
  return {Errc::protocol,
          "PostgreSQL answered the question for its " + std::string{what} + " in an unknown form"};
}

std::string text_of(const PostgresRow& row, std::size_t column) {
  return row[column] ? clean_utf8(*row[column]) : std::string{};
}

std::optional<double> number_of(const PostgresRow& row, std::size_t column) {
  return row[column] ? to_real(*row[column]) : std::nullopt;
}

bool truth_of(const PostgresRow& row, std::size_t column) { return row[column] == "t"; }

/// Ages may be a little below zero when clocks or snapshots differ.
std::optional<double> age_of(const PostgresRow& row, std::size_t column) {
  const auto age = number_of(row, column);
  return age ? std::optional{std::max(*age, 0.0)} : std::nullopt;
}

}  // namespace

// Sessions of clients are those with a database and a role; the type of the others' is hidden from
// roles without pg_read_all_stats. A log sender holds no client's connection (since 12).
std::string statistics_query() {
  return R"(
SELECT pg_is_in_recovery(),
       count(*),
       current_setting('max_connections')::int
         - current_setting('superuser_reserved_connections')::int
         - coalesce(current_setting('reserved_connections', true), '0')::int,
       count(*) FILTER (WHERE query = '<insufficient privilege>'),
       extract(epoch FROM greatest(
         max(clock_timestamp() - xact_start) FILTER (WHERE pid <> pg_backend_pid()),
         (SELECT max(clock_timestamp() - prepared) FROM pg_prepared_xacts))),
       extract(epoch FROM max(clock_timestamp() - state_change)
         FILTER (WHERE state LIKE 'idle in transaction%')),
       count(*) FILTER (WHERE wait_event_type = 'Lock'),
       (SELECT coalesce(sum(deadlocks), 0) FROM pg_stat_database),
       (SELECT max(age(datfrozenxid)) / 2147483648.0 FROM pg_database)
  FROM pg_stat_activity
 WHERE datid IS NOT NULL AND usesysid IS NOT NULL
   AND coalesce(backend_type, 'client backend') = 'client backend')";
}

Result<PostgresStatistics> read_statistics(const PostgresRows& rows) {
  if (rows.size() != 1 || rows[0].size() != 9) return strange("statistics");
  const auto& row = rows[0];
  const auto connections = number_of(row, 1), room = number_of(row, 2), hidden = number_of(row, 3),
             deadlocks = number_of(row, 7), wraparound = number_of(row, 8);
  if (!row[0] || !connections || !room || !hidden || !deadlocks || !wraparound)
    return strange("statistics");
  PostgresStatistics found;
  found.replica = truth_of(row, 0);
  found.connections = *connections;
  found.room = *room;
  found.hidden = *hidden;
  found.deadlocks = *deadlocks;
  found.wraparound = *wraparound;
  if (*hidden > 0) return found;
  // Nobody has a transaction open: that is none, not unknown.
  found.longest_transaction = age_of(row, 4).value_or(0);
  found.idle_in_transaction = age_of(row, 5).value_or(0);
  found.waiting = number_of(row, 6);
  return found;
}

std::string standbys_query() {
  return R"(
SELECT application_name, host(client_addr), state, extract(epoch FROM replay_lag),
       pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_receive_lsn()
                            ELSE pg_current_wal_lsn() END, replay_lsn),
       pg_wal_lsn_diff(replay_lsn, '0/0')
  FROM pg_stat_replication
 WHERE state IS NOT NULL AND state <> 'backup' AND application_name NOT LIKE 'pg\_%'
 ORDER BY application_name, client_addr, pid
 LIMIT 32)";
}

Result<std::vector<PostgresStandby>> read_standbys(const PostgresRows& rows) {
  std::vector<PostgresStandby> found;
  for (const auto& row : rows) {
    if (row.size() != 6) return strange("replicas");
    PostgresStandby standby{text_of(row, 0), text_of(row, 1), text_of(row, 2),
                            age_of(row, 3),  age_of(row, 4),  number_of(row, 5)};
    standby.name = cut_characters(standby.name, 63);
    found.push_back(std::move(standby));
  }
  return found;
}

std::string replica_query() {
  return R"(
SELECT CASE WHEN pg_is_in_recovery() THEN pg_is_wal_replay_paused() END,
       receiver.pid IS NOT NULL,
       receiver.status,
       coalesce((SELECT setting = '' FROM pg_settings WHERE name = 'primary_conninfo'), false),
       extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()),
       pg_wal_lsn_diff(greatest(pg_last_wal_receive_lsn(), receiver.latest_end_lsn),
                       pg_last_wal_replay_lsn())
  FROM (SELECT 1) AS once LEFT JOIN pg_stat_wal_receiver AS receiver ON true)";
}

Result<PostgresReplica> read_replica(const PostgresRows& rows) {
  if (rows.size() != 1 || rows[0].size() != 6) return strange("replication");
  const auto& row = rows[0];
  PostgresReplica found;
  found.paused = truth_of(row, 0);
  found.receiving = truth_of(row, 1);
  found.status = text_of(row, 2);
  found.by_archive = truth_of(row, 3);
  found.age = age_of(row, 4);
  found.bytes = age_of(row, 5);
  return found;
}

Result<double> number_of_answer(const PostgresRows& rows) {
  const auto columns = rows.empty() ? 1 : rows[0].size();
  const auto first = rows.empty() || rows[0].empty() ? Cell{} : rows[0][0];
  const auto value = number_of_result(rows.size(), columns, first);
  if (!value) return value.error();
  if (!*value)
    return Error{Errc::malformed, "gave NULL, expected a number (coalesce makes NULL one)"};
  return **value;
}

std::string statement_head(std::string_view text) {
  const auto literal = text.find_first_of("'$");
  std::string head;
  for (Words words{text.substr(0, literal)};;) {
    const auto word = words.next();
    if (word.empty()) break;
    head += (head.empty() ? "" : " ") + std::string{word};
  }
  head = clean_utf8(head);
  if (literal != std::string_view::npos) head += head.empty() ? "…" : " …";
  return cut_characters(head, statement_characters);
}

}  // namespace tocsin::checks
