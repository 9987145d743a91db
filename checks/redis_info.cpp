#include "checks/redis_info.hpp"

#include <span>
#include <utility>

#include "checks/words.hpp"
#include "tocsin/base/text.hpp"

namespace tocsin::checks {
namespace {

constexpr std::size_t word_bytes_max = 200;

void take(std::string_view value, std::string& into) {
  into = clean_utf8(value.substr(0, word_bytes_max));
}
void take(std::string_view value, RedisInfo::Count& into) { into = to_number(value); }
/// A time or a share; Redis writes -1 for "none".
void take(std::string_view value, std::optional<double>& into) {
  const auto number = to_real(value);
  if (number && *number >= 0) into = number;
}
void take(std::string_view value, std::optional<bool>& into) {
  if (value == "1" || value == "ok" || value == "up") into = true;
  if (value == "0" || value == "err" || value == "down") into = false;
}

template <class T>
using Place = std::pair<std::string_view, T RedisInfo::*>;

constexpr Place<std::string> words[] = {
    {"redis_version", &RedisInfo::version},
    {"run_id", &RedisInfo::run_id},
    {"maxmemory_policy", &RedisInfo::maxmemory_policy},
    {"role", &RedisInfo::role},
};
constexpr Place<RedisInfo::Count> counts[] = {
    {"uptime_in_seconds", &RedisInfo::uptime_seconds},
    {"connected_clients", &RedisInfo::clients},
    {"maxclients", &RedisInfo::clients_max},
    {"blocked_clients", &RedisInfo::clients_blocked},
    {"used_memory", &RedisInfo::used_memory},
    {"used_memory_peak", &RedisInfo::used_memory_peak},
    {"maxmemory", &RedisInfo::maxmemory},
    {"total_system_memory", &RedisInfo::system_memory},
    {"rdb_changes_since_last_save", &RedisInfo::unsaved_changes},
    {"total_commands_processed", &RedisInfo::commands_total},
    {"instantaneous_ops_per_sec", &RedisInfo::commands_per_second},
    {"rejected_connections", &RedisInfo::rejected_connections},
    {"evicted_keys", &RedisInfo::evicted_keys},
    {"expired_keys", &RedisInfo::expired_keys},
    {"keyspace_hits", &RedisInfo::hits},
    {"keyspace_misses", &RedisInfo::misses},
    {"connected_slaves", &RedisInfo::connected_replicas},
    {"master_sync_left_bytes", &RedisInfo::sync_left_bytes},
    {"master_repl_offset", &RedisInfo::offset},
    {"slave_read_repl_offset", &RedisInfo::read_offset},
};
constexpr Place<std::optional<double>> numbers[] = {
    {"mem_fragmentation_ratio", &RedisInfo::fragmentation},
    {"loading_eta_seconds", &RedisInfo::loading_eta_seconds},
    {"loading_loaded_perc", &RedisInfo::loaded_ratio},
    {"rdb_last_save_time", &RedisInfo::last_save_time},
    {"server_time_usec", &RedisInfo::server_time},
    {"master_link_down_since_seconds", &RedisInfo::link_down_seconds},
    {"master_last_io_seconds_ago", &RedisInfo::primary_silent_seconds},
};
constexpr Place<std::optional<bool>> states[] = {
    {"loading", &RedisInfo::loading},
    {"rdb_last_bgsave_status", &RedisInfo::last_save_ok},
    {"aof_enabled", &RedisInfo::aof_enabled},
    {"master_link_status", &RedisInfo::link_up},
    {"master_sync_in_progress", &RedisInfo::sync_in_progress},
};

template <class T, std::size_t n>
bool take_one(const Place<T> (&places)[n], std::string_view key, std::string_view value,
              RedisInfo& into) {
  for (const auto& [name, member] : places) {
    if (name != key) continue;
    take(value, into.*member);
    return true;
  }
  return false;
}

std::string place_of(std::string_view host, std::string_view port) {
  const bool bracketed = host.find(':') != std::string_view::npos;
  const auto shown = clean_utf8(host.substr(0, word_bytes_max));
  return (bracketed ? "[" + shown + "]" : shown) + ":" + clean_utf8(port.substr(0, word_bytes_max));
}

/// "slave0": a replica's line has this for a key.
bool is_replica_key(std::string_view key) {
  return starts_with(key, "slave") && key.size() > 5 && to_number(key.substr(5)).has_value();
}

/// "ip=10.0.0.2,port=6379,state=online,offset=1042,lag=0"
RedisInfo::Replica parse_replica(std::string_view text) {
  RedisInfo::Replica replica;
  std::string_view host;
  std::string_view port;
  while (!text.empty()) {
    const auto comma = text.find(',');
    const auto part = text.substr(0, comma);
    text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
    const auto equals = part.find('=');
    if (equals == std::string_view::npos) continue;
    const auto key = part.substr(0, equals);
    const auto value = part.substr(equals + 1);
    if (key == "ip") host = value;
    if (key == "port") port = value;
    if (key == "state") take(value, replica.state);
    if (key == "offset") take(value, replica.offset);
    if (key == "lag") take(value, replica.silent_seconds);
  }
  replica.address = place_of(host, port);
  return replica;
}

}  // namespace

RedisInfo::Count RedisInfo::behind(const Replica& replica) const {
  if (!offset || !replica.offset) return std::nullopt;
  return *offset > *replica.offset ? *offset - *replica.offset : 0;
}

RedisInfo parse_redis_info(std::string_view text) {
  RedisInfo info;
  std::string_view primary_host;
  std::string_view primary_port;
  std::optional<bool> aof_write_ok;
  std::optional<bool> aof_rewrite_ok;
  while (!text.empty()) {
    auto line = take_line(text);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    const auto colon = line.find(':');
    if (line.empty() || line.front() == '#' || colon == std::string_view::npos) continue;
    const auto key = line.substr(0, colon);
    const auto value = line.substr(colon + 1);
    if (take_one(words, key, value, info) || take_one(counts, key, value, info) ||
        take_one(numbers, key, value, info) || take_one(states, key, value, info))
      continue;
    if (key == "master_host") primary_host = value;
    if (key == "master_port") primary_port = value;
    if (key == "aof_last_write_status") take(value, aof_write_ok);
    if (key == "aof_last_bgrewrite_status") take(value, aof_rewrite_ok);
    if (is_replica_key(key) && info.replicas.size() < RedisInfo::replicas_max)
      info.replicas.push_back(parse_replica(value));
  }
  if (!primary_host.empty()) info.primary = place_of(primary_host, primary_port);
  if (info.server_time) *info.server_time /= 1e6;
  if (info.loaded_ratio) *info.loaded_ratio /= 100;
  if (aof_write_ok || aof_rewrite_ok)
    info.aof_ok = aof_write_ok.value_or(true) && aof_rewrite_ok.value_or(true);
  return info;
}

}  // namespace tocsin::checks
