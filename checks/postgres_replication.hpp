#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "checks/postgres_statistics.hpp"
#include "tocsin/base/time.hpp"

namespace tocsin::checks {

/// How one replica is doing. What cannot be told is empty.
struct ReplicaReading {
  std::string instance{};  ///< The replica's name as the primary sees it; empty: this server.
  std::string peer{};      ///< The same with its address: "web-2@10.0.0.7".
  bool running{false};
  std::optional<double> lag_seconds{};
  std::optional<double> lag_bytes{};
  std::string state{};  ///< In words, for people.
};

/// Tells how far replicas are behind, from readings over time: what a server says of one moment
/// misleads when nothing is written (the age of the last transaction grows), when replay stands
/// still (the lag that the primary measures does not), and when a replica is gone (so is its row).
class ReplicationWatch {
 public:
  /// On a replica: itself.
  ReplicaReading see_itself(const PostgresReplica& replica, SteadyTime now);
  /// On a server that feeds others. A replica that was seen and is gone is told as not running for
  /// a day.
  std::vector<ReplicaReading> see_standbys(const std::vector<PostgresStandby>& standbys,
                                           SteadyTime now);
  /// When it will have caught up at the rate of the last two readings, where it does.
  std::optional<double> catch_up_seconds() const { return catch_up_seconds_; }
  /// The host slept, or the server was away: spans over that mean nothing.
  void forget_spans();

 private:
  struct Known {
    std::string name{};
    SteadyTime seen{};
    SteadyTime moved{};
    std::optional<SteadyTime> behind_since{};
    double position{-1};
  };
  struct Backlog {
    double bytes{};
    SteadyTime at{};
  };
  std::optional<double> lag_of(const PostgresStandby& standby, Known& known, SteadyTime now);
  void take_over(const PostgresStandby& standby, const std::string& key,
                 const std::set<std::string>& here);
  void add_missing(std::vector<ReplicaReading>& readings, SteadyTime now);
  void note_backlog(std::optional<double> bytes, SteadyTime now);

  std::optional<SteadyTime> caught_up_{};  ///< When this replica was last seen so.
  std::map<std::string, Known> known_{};
  std::optional<Backlog> backlog_{};
  std::optional<double> catch_up_seconds_{};
};

}  // namespace tocsin::checks
