#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "checks/postgres_session.hpp"
#include "tocsin/base/error.hpp"

namespace tocsin::checks {

/// What a PostgreSQL server (10 or newer) says of itself; times in seconds. What the role may not
/// see is empty, never zero.
struct PostgresStatistics {
  bool replica{false};    ///< It is in recovery.
  double connections{0};  ///< Of clients, of all databases.
  double room{0};         ///< Connections that ordinary roles may have in all.
  double hidden{0};       ///< Sessions whose doings are hidden from the role.
  std::optional<double> longest_transaction{};  ///< Prepared transactions counted too.
  std::optional<double> idle_in_transaction{};  ///< The longest that did nothing.
  std::optional<double> waiting{};              ///< Sessions that wait for a lock.
  double deadlocks{0};                          ///< Since the statistics were reset.
  /// Share of the transaction ids that is used up; at 1 the server stops taking writes.
  double wraparound{0};
};
std::string statistics_query();
Result<PostgresStatistics> read_statistics(const PostgresRows& rows);

/// A replica that is fed by this server, as pg_stat_replication shows it.
struct PostgresStandby {
  std::string name{};     ///< application_name.
  std::string address{};  ///< Empty for a unix socket.
  std::string state{};    ///< startup, catchup, streaming, stopping.
  std::optional<double> replay_lag{};
  std::optional<double> bytes{};     ///< What it has not replayed yet.
  std::optional<double> position{};  ///< In the log, of what it has replayed.
};
std::string standbys_query();
/// Base backups and rows that the role may not see are left out.
Result<std::vector<PostgresStandby>> read_standbys(const PostgresRows& rows);

/// What a replica says of its own replication.
struct PostgresReplica {
  bool paused{false};             ///< Replay was paused by hand.
  bool receiving{false};          ///< A receiver is connected to the primary, or connects.
  std::string status{};           ///< Of the receiver; empty when the role may not see it.
  bool by_archive{false};         ///< It has no primary to stream from: files are fetched.
  std::optional<double> age{};    ///< Of the last transaction that was replayed.
  std::optional<double> bytes{};  ///< Known to it and not replayed yet.
  bool streams() const { return receiving && (status.empty() || status == "streaming"); }
};
std::string replica_query();
Result<PostgresReplica> read_replica(const PostgresRows& rows);

/// The number of a named query's answer; the error says what it gave instead. NULL is an error too:
/// a rule on a number that is not there would find nothing to object to.
Result<double> number_of_answer(const PostgresRows& rows);

/// The beginning of a statement, on one line, cut where its first literal begins: what follows may
/// be a password or somebody's data.
std::string statement_head(std::string_view text);

}  // namespace tocsin::checks
