#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "checks/postgres_dsn.hpp"
#include "checks/postgres_fault.hpp"
#include "tocsin/async/clock.hpp"
#include "tocsin/async/task.hpp"
#include "tocsin/net/network.hpp"

namespace tocsin::checks {

/// What a query may cost; reaching a bound is Errc::too_large and ends the session.
struct PostgresBounds {
  std::size_t rows{64};
  std::size_t columns{32};
  std::size_t bytes{256u << 10};  ///< Of the answer as it comes over the wire.
};

/// The rows of an answer as text; NULL is nothing.
using PostgresRow = std::vector<std::optional<std::string>>;
using PostgresRows = std::vector<PostgresRow>;

/// One connection to a PostgreSQL server through libpq, on the loop: it waits by Network::ready and
/// never blocks. Everything ends at the deadline. Closed when dropped. What fails says why in
/// fault(); the errors are its sentence, without the password even if the server repeats it.
class PostgresSession {
 public:
  /// The network and the clock must outlive it.
  PostgresSession(Network& network, Clock& clock, SteadyTime deadline);
  ~PostgresSession();
  PostgresSession(const PostgresSession&) = delete;
  PostgresSession& operator=(const PostgresSession&) = delete;

  /// Resolves, connects and logs in. Once. The dsn must outlive the session. Errc::malformed when
  /// libpq does not take its options; Errc::internal when this host lacks what it needs.
  Task<void> open(const PostgresDsn& dsn);
  /// Begins a read-only transaction whose statements the server ends by itself a little before the
  /// deadline; a transaction that was begun before is ended. Nothing of it outlives the
  /// transaction, so that a connection pool may lie in between.
  Task<void> begin_read_only();
  /// One statement.
  Task<PostgresRows> query(std::string text, PostgresBounds bounds);
  Task<PostgresRows> query(std::string text) { return query(std::move(text), PostgresBounds{}); }

  /// Why the last call failed.
  const std::optional<PostgresFault>& fault() const { return fault_; }

 private:
  struct Connection;
  Task<void> start();
  Task<void> poll();
  Task<void> await_server(Readiness what);
  Task<PostgresRows> collect(PostgresBounds bounds);
  Task<void> read_more(std::size_t bytes_max);
  /// Keeps the fault, without secrets, and gives its error.
  Error keep(PostgresFault fault);
  /// The same, and nothing more is said or heard.
  Error give_up(PostgresFault fault);
  /// What a wait that failed means.
  Error unready(Error error);

  Network& network_;
  Clock& clock_;
  SteadyTime deadline_;
  const PostgresDsn* dsn_{nullptr};
  std::unique_ptr<Connection> connection_;
  PostgresPhase phase_{PostgresPhase::connect};
  std::optional<PostgresFault> fault_{};
};

}  // namespace tocsin::checks
