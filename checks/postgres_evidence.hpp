#pragma once

#include <string>
#include <vector>

#include "checks/postgres_replication.hpp"
#include "checks/postgres_session.hpp"
#include "checks/postgres_statistics.hpp"

namespace tocsin::checks {

/// Who holds the connections, most first: "41 of shop (app, idle)". In an open transaction; empty
/// when it cannot be found out.
asio::awaitable<std::vector<std::string>> connection_holders(PostgresSession& session);
/// The oldest transactions of clients, a line each, with the heads of their statements.
asio::awaitable<std::vector<std::string>> old_transactions(PostgresSession& session);
/// Who waits for a lock, and who holds it.
asio::awaitable<std::vector<std::string>> blocked_sessions(PostgresSession& session);

/// "96 of 97 connections in use, longest transaction 12m 5s, 3 sessions wait for locks".
std::string describe_statistics(const PostgresStatistics& statistics);
/// "replica web-2: streaming, 4s and 12 MiB behind"; for this server "replication: …".
std::string describe_replica(const ReplicaReading& reading);

}  // namespace tocsin::checks
