#pragma once

#include <optional>
#include <string>
#include <vector>

#include "checks/mysql_session.hpp"

namespace tocsin::checks {

/// One source that a server replicates from, as SHOW … STATUS tells it.
struct MysqlChannel {
  std::string name{};                   ///< Empty for the only one.
  std::string source{};                 ///< "db-1:3306".
  std::string io_state{}, sql_state{};  ///< "Yes", "No", "Connecting", "Preparing".
  std::optional<double> seconds_behind{};
  /// Received and not yet applied. Known only while both positions are in the same log.
  std::optional<double> bytes_behind{};
  std::string io_error{}, sql_error{};  ///< "error 1236: …", or empty.
  double delay_seconds{0};              ///< That it lags on purpose.

  bool running() const { return io_state == "Yes" && sql_state == "Yes"; }
};

/// The state of a replica; no channels: the server is none.
struct MysqlReplica {
  std::vector<MysqlChannel> channels{};

  bool running() const;  ///< All of them, both threads.
  /// The largest lag. Nothing unless everything runs: a receiving thread that is down with all it
  /// had applied lags by "0" and falls behind for ever.
  std::optional<double> lag_seconds() const;
  std::optional<double> lag_bytes() const;
  /// What is wrong or behind, one line a channel.
  std::vector<std::string> lines() const;
  /// The one sentence that matters most; empty while all runs.
  std::string trouble() const;
};

/// Reads either dialect's column names (Master/Slave and Source/Replica), in any order.
MysqlReplica read_replica(const MysqlRows& status);

/// A statement for people: on one line, with what stands in quotes left out, for it may be
/// anybody's.
std::string mysql_statement_head(std::string_view statement);

}  // namespace tocsin::checks
