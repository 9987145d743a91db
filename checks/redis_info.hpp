#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin::checks {

/// What a Redis server's INFO says, as far as anybody here asks. Versions and forks leave lines
/// out: what was not said is absent, never zero.
struct RedisInfo {
  using Count = std::optional<std::uint64_t>;

  std::string version{};                ///< "7.0.15".
  std::string run_id{};                 ///< Another one after a restart.
  std::optional<double> server_time{};  ///< Its own clock, seconds since 1970 (from Redis 7).
  Count uptime_seconds{};

  Count clients{}, clients_max{}, clients_blocked{};

  Count used_memory{}, used_memory_peak{}, maxmemory{}, system_memory{};
  std::string maxmemory_policy{};
  std::optional<double> fragmentation{};

  std::optional<bool> loading{};
  std::optional<double> loading_eta_seconds{};
  std::optional<double> loaded_ratio{};
  Count unsaved_changes{};
  std::optional<double> last_save_time{};  ///< Seconds since 1970.
  std::optional<bool> last_save_ok{}, aof_enabled{}, aof_ok{};

  Count commands_total{}, commands_per_second{};
  Count rejected_connections{}, evicted_keys{}, expired_keys{}, hits{}, misses{};

  std::string role{};     ///< "master" or "slave", as Redis writes it.
  std::string primary{};  ///< HOST:PORT that it replicates from.
  std::optional<bool> link_up{}, sync_in_progress{};
  std::optional<double> link_down_seconds{};  ///< Absent while the link is up, or was never.
  std::optional<double> primary_silent_seconds{};
  Count sync_left_bytes{};
  Count
      offset{};  ///< Of the replication stream: what a primary has written, a replica has applied.
  Count read_offset{};  ///< What a replica has received.
  Count connected_replicas{};

  struct Replica {
    std::string address{};  ///< HOST:PORT.
    std::string state{};    ///< "online", "wait_bgsave", "send_bulk".
    Count offset{};
    std::optional<double> silent_seconds{};  ///< Since it last acknowledged.
  };
  std::vector<Replica> replicas{};  ///< The first replicas_max.
  static constexpr std::size_t replicas_max = 64;

  bool is_replica() const { return role == "slave"; }
  /// How many bytes of the stream the replica has not acknowledged; absent when it did not say.
  Count behind(const Replica& replica) const;
};

/// Reads the text of INFO. Lines that are not known, or not as they should be, are passed over; so
/// a text of something else gives an empty one.
RedisInfo parse_redis_info(std::string_view text);

}  // namespace tocsin::checks
