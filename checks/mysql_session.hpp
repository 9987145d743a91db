#pragma once

#include <memory>
#include <string>
#include <vector>

#include "checks/mysql_call.hpp"
#include "checks/mysql_dsn.hpp"
#include "checks/mysql_fault.hpp"
#include "checks/named_queries.hpp"
#include "tocsin/async/clock.hpp"
#include "tocsin/async/task.hpp"
#include "tocsin/net/network.hpp"

namespace tocsin::checks {

/// The rows of a statement, all as text.
struct MysqlRows {
  std::vector<std::string> columns{};
  std::vector<std::vector<Cell>> rows{};
  bool cut{false};  ///< There were more rows than were asked for.

  /// The cell of that row and column, by name and whatever the case; nothing for NULL and for what
  /// is not there.
  const std::string* find(std::size_t row, std::string_view column) const;
};

/// A connection to a MariaDB or MySQL server: connects, asks, closes. On the loop, each step by its
/// deadline, bounded in what it takes in. It must not outlive the network, the clock and the DSN.
///
/// The name is resolved first, since the library would block. Under verify_identity the certificate
/// is still compared with the name. Encryption without ssl-ca makes the library read the system's
/// authorities at each connection, which takes some 20 ms.
class MysqlSession {
 public:
  MysqlSession(Network& network, Clock& clock, const MysqlDsn& dsn);

  /// Tries the host's addresses in turn. Errc::internal is this host's own trouble; what failed is
  /// in fault().
  Task<void> connect(SteadyTime deadline);
  /// At most `rows_max` rows; a statement that gives more costs the connection. What failed is in
  /// fault(); the session goes on when the server merely refused.
  Task<MysqlRows> query(std::string statement, SteadyTime deadline, std::size_t rows_max = 100);
  /// Whether statements can still be sent.
  bool usable() const { return usable_; }
  /// Why the last of them failed.
  const MysqlFault& fault() const { return fault_; }
  /// "10.11.6-MariaDB-log", once connected.
  std::string server_version() const { return call_ ? call_->server_version() : std::string{}; }
  /// When this host was resolved and reached: the time of logging in counts from here.
  SteadyTime resolved_at() const { return resolved_at_; }

 private:
  Task<void> connect_to(std::string address, SteadyTime deadline, SteadyTime connect_deadline);
  /// Brings the call that was begun to its end; false when its time was over.
  asio::awaitable<bool> end_call(bool ended, SteadyTime deadline, SteadyTime connect_deadline);
  Error fail(MysqlFault fault);
  Error fail_call(bool in_time);

  Network& network_;
  Clock& clock_;
  const MysqlDsn& dsn_;
  std::unique_ptr<MysqlCall> call_{};
  MysqlFault fault_{};
  bool usable_{false};
  SteadyTime resolved_at_{};
};

}  // namespace tocsin::checks
