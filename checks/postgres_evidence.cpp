#include "checks/postgres_evidence.hpp"

#include <utility>

#include "checks/words.hpp"
#include "tocsin/base/text.hpp"
#include "tocsin/base/unit.hpp"

namespace tocsin::checks {
namespace {

constexpr std::size_t name_characters = 40;

std::string text_of(const PostgresRow& row, std::size_t column) {
  if (column >= row.size() || !row[column]) return {};
  return cut_characters(clean_utf8(*row[column]), name_characters);
}

std::string span_of(const PostgresRow& row, std::size_t column) {
  const auto seconds = column < row.size() && row[column] ? to_real(*row[column]) : std::nullopt;
  return seconds ? describe_quantity(*seconds, Unit::seconds) : "an unknown time";
}

/// "shop (app, idle)": a role, its program and what it does.
std::string who(const PostgresRow& row, std::size_t role, std::size_t program) {
  auto text = text_of(row, role);
  const auto name = text_of(row, program);
  return name.empty() ? text : text + " (" + name + ")";
}

std::string statement_of(const PostgresRow& row, std::size_t column) {
  const auto head =
      column < row.size() && row[column] ? statement_head(*row[column]) : std::string{};
  return head.empty() ? head : ": " + head;
}

}  // namespace

asio::awaitable<std::vector<std::string>> connection_holders(PostgresSession& session) {
  auto asking = session.query(R"(
SELECT count(*), usename, application_name, coalesce(state, 'hidden')
  FROM pg_stat_activity
 WHERE datid IS NOT NULL AND usesysid IS NOT NULL
   AND coalesce(backend_type, 'client backend') = 'client backend'
 GROUP BY 2, 3, 4 ORDER BY 1 DESC, 2, 3, 4 LIMIT 3)");
  const auto rows = co_await std::move(asking);
  std::vector<std::string> lines;
  if (!rows) co_return lines;
  for (const auto& row : *rows)
    lines.push_back(text_of(row, 0) + " connections of " + who(row, 1, 2) + ", " + text_of(row, 3));
  co_return lines;
}

asio::awaitable<std::vector<std::string>> old_transactions(PostgresSession& session) {
  auto asking = session.query(R"(
SELECT pid, usename, application_name, state,
       extract(epoch FROM clock_timestamp() - xact_start), left(query, 400)
  FROM pg_stat_activity
 WHERE clock_timestamp() - xact_start > interval '1s' AND pid <> pg_backend_pid()
   AND backend_type = 'client backend'
 ORDER BY xact_start LIMIT 4)");
  const auto rows = co_await std::move(asking);
  std::vector<std::string> lines;
  if (!rows) co_return lines;
  for (const auto& row : *rows)
    lines.push_back("pid " + text_of(row, 0) + " of " + who(row, 1, 2) + ", " + text_of(row, 3) +
                    ", in a transaction for " + span_of(row, 4) + statement_of(row, 5));
  co_return lines;
}

asio::awaitable<std::vector<std::string>> blocked_sessions(PostgresSession& session) {
  auto asking = session.query(R"(
SELECT pid, usename, application_name,
       extract(epoch FROM clock_timestamp() - query_start),
       array_to_string(pg_blocking_pids(pid), ', '), left(query, 400)
  FROM pg_stat_activity
 WHERE wait_event_type = 'Lock' AND backend_type = 'client backend'
 ORDER BY query_start LIMIT 3)");
  const auto rows = co_await std::move(asking);
  std::vector<std::string> lines;
  if (!rows) co_return lines;
  for (const auto& row : *rows)
    lines.push_back("pid " + text_of(row, 0) + " of " + who(row, 1, 2) + " waits for a lock for " +
                    span_of(row, 3) + ", held back by pid " + text_of(row, 4) +
                    statement_of(row, 5));
  co_return lines;
}

std::string describe_statistics(const PostgresStatistics& found) {
  auto text = describe_number(found.connections) + " of " + describe_number(found.room) +
              " connections in use";
  if (found.longest_transaction)
    text += ", longest transaction " + describe_quantity(*found.longest_transaction, Unit::seconds);
  if (found.waiting && *found.waiting > 0)
    text += ", " + describe_number(*found.waiting) +
            (*found.waiting == 1 ? " session waits for a lock" : " sessions wait for locks");
  if (found.hidden > 0)
    text += ", the doings of " + describe_number(found.hidden) +
            " sessions are hidden from this role (grant it pg_monitor)";
  return text;
}

std::string describe_replica(const ReplicaReading& reading) {
  auto text =
      (reading.instance.empty() ? "replication" : "replica " + clean_utf8(reading.instance)) +
      ": " + reading.state;
  if (reading.lag_seconds && reading.running)
    text += ", " + describe_quantity(*reading.lag_seconds, Unit::seconds) + " behind";
  else if (reading.lag_seconds && reading.instance.empty())
    text += ", data " + describe_quantity(*reading.lag_seconds, Unit::seconds) + " old";
  if (reading.lag_bytes && *reading.lag_bytes > 0)
    text += ", " + describe_quantity(*reading.lag_bytes, Unit::bytes) + " not replayed";
  return text;
}

}  // namespace tocsin::checks
