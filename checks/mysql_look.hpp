#pragma once

#include <optional>
#include <string>
#include <vector>

#include "checks/mysql_dialect.hpp"
#include "checks/mysql_dsn.hpp"
#include "checks/mysql_fault.hpp"
#include "checks/mysql_replica.hpp"
#include "checks/mysql_session.hpp"
#include "checks/named_queries.hpp"
#include "tocsin/check/check.hpp"

namespace tocsin::checks {

/// What one look at a server told. What it may not see, or does not have, stays empty.
struct MysqlReading {
  std::optional<MysqlFault> fault{};  ///< It could not be talked to: the rest is what came before.
  std::optional<double> connect_seconds{}, query_seconds{};
  std::optional<double> connections{}, connections_max{};
  std::optional<double> oldest_transaction_seconds{};
  std::optional<double> replicas{};   ///< That read its binary log.
  std::optional<double> deadlocks{};  ///< Since it started.
  std::optional<MysqlReplica> replica{};
  /// Of each named query, in the order of their names.
  std::vector<double> numbers{};
  /// Why something is not known, one line each.
  std::vector<std::string> remarks{};
};

/// Connects, asks, closes. An Error is this host's own trouble, or a named query without a number.
/// `dsn` and `queries` outlive it.
Task<MysqlReading> look_at_mysql(Network& network, Clock& clock, const MysqlDsn& dsn,
                                 const NamedQueries& queries, SteadyTime deadline);

/// Who holds what now: the oldest transactions and who waits for whose lock. Nothing when it cannot
/// be found out in time.
struct MysqlHolders {
  std::vector<std::string> lines{};
  std::string cause{};  ///< The transaction that others wait for.
};
asio::awaitable<MysqlHolders> find_mysql_holders(Network& network, Clock& clock,
                                                 const MysqlDsn& dsn, SteadyTime deadline);

}  // namespace tocsin::checks
