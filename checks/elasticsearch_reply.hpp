#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "tocsin/base/error.hpp"

namespace tocsin::checks {

/// What Elasticsearch and OpenSearch tell of a cluster (GET /_cluster/health). What an answer does
/// not say stays empty.
struct ClusterHealth {
  std::string cluster{};
  double status{};        ///< 0 green, 1 yellow, 2 red.
  bool timed_out{false};  ///< The cluster could not tell in time; the numbers are its last ones.
  std::optional<double> nodes{}, data_nodes{};
  std::optional<double> active_shards{}, active_primary_shards{};
  std::optional<double> relocating_shards{}, initializing_shards{};
  std::optional<double> unassigned_shards{}, delayed_unassigned_shards{};
  std::optional<double> pending_tasks{}, in_flight_fetches{};
  std::optional<double> task_queue_seconds{};  ///< How long the oldest pending task has waited.
  std::optional<double> active_shards_ratio{};
};

/// "green", "yellow", "red".
std::string_view status_word(double status);

/// Errc::malformed when it is not the health of a cluster.
Result<ClusterHealth> parse_cluster_health(std::string_view body);

/// Why a shard is not assigned, in one line, out of GET /_cluster/allocation/explain; "" when the
/// answer does not say.
std::string describe_allocation(std::string_view body);

/// The reason of an answer that is an error ("master_not_discovered_exception"); "" when there is
/// none in it.
std::string elasticsearch_reason(std::string_view body);

}  // namespace tocsin::checks
