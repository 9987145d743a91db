#include "checks/redis_evidence.hpp"

#include <algorithm>

#include "tocsin/base/text.hpp"
#include "tocsin/base/unit.hpp"

namespace tocsin::checks {
namespace {

constexpr std::size_t replicas_told = 4;
constexpr std::size_t name_characters_max = 40;
/// From here on a server that does not evict refuses writes, or will in a moment.
constexpr double nearly_full = 0.95;

std::string bytes(std::uint64_t value) {
  return describe_quantity(static_cast<double>(value), Unit::bytes);
}
std::string seconds(double value) { return describe_quantity(std::max(0.0, value), Unit::seconds); }
std::string count(std::uint64_t value) { return describe_number(static_cast<double>(value)); }

bool refuses_when_full(const RedisInfo& info) {
  return info.maxmemory.value_or(0) > 0 && info.maxmemory_policy == "noeviction";
}

std::string memory_line(const RedisInfo& info) {
  if (!info.used_memory) return {};
  auto line = "memory: " + bytes(*info.used_memory);
  const auto ratio = redis_memory_ratio(info);
  const bool limited = info.maxmemory.value_or(0) > 0;
  if (ratio)
    line += " of " + bytes(limited ? *info.maxmemory : *info.system_memory) +
            (limited ? " (maxmemory)" : " (the host's; maxmemory is not set)") + ", " +
            describe_quantity(*ratio, Unit::ratio);
  if (!info.maxmemory_policy.empty()) line += ", policy " + info.maxmemory_policy;
  if (info.used_memory_peak) line += ", at most " + bytes(*info.used_memory_peak) + " so far";
  if (info.evicted_keys.value_or(0) > 0)
    line += ", " + count(*info.evicted_keys) + " keys evicted since it started";
  return line;
}

std::string saving_line(const RedisInfo& info, double now) {
  if (!info.last_save_time) return {};
  auto line = "last saved " + seconds(now - *info.last_save_time) + " ago";
  if (info.unsaved_changes) line += ", " + count(*info.unsaved_changes) + " changes since";
  if (info.last_save_ok && !*info.last_save_ok)
    line += "; the last save failed (rdb_last_bgsave_status: err)";
  if (info.aof_ok && !*info.aof_ok) line += "; the append-only file could not be written";
  return line;
}

std::string loading_line(const RedisInfo& info) {
  if (!info.loading.value_or(false)) return {};
  std::string line = "loading its data from disk";
  if (info.loaded_ratio)
    line += ", " + describe_quantity(*info.loaded_ratio, Unit::ratio) + " done";
  if (info.loading_eta_seconds) line += ", about " + seconds(*info.loading_eta_seconds) + " to go";
  return line;
}

std::string link_line(const RedisInfo& info) {
  auto line = "replica of " + info.primary;
  if (info.link_up) line += *info.link_up ? ": link up" : ": link down";
  if (info.link_down_seconds) line += " for " + seconds(*info.link_down_seconds);
  if (info.link_up.value_or(false) && info.primary_silent_seconds)
    line += ", heard from it " + seconds(*info.primary_silent_seconds) + " ago";
  if (info.sync_in_progress.value_or(false)) {
    line += ", a full synchronisation is under way";
    if (info.sync_left_bytes) line += " (" + bytes(*info.sync_left_bytes) + " left)";
  }
  return line;
}

std::string replica_line(const RedisInfo& info, const RedisInfo::Replica& replica) {
  auto line = "replica " + replica.address + ": " + replica.state;
  if (const auto behind = info.behind(replica)) line += ", " + bytes(*behind) + " behind";
  if (replica.silent_seconds) line += ", acknowledged " + seconds(*replica.silent_seconds) + " ago";
  return line;
}

std::string clients_line(const RedisInfo& info) {
  if (!info.clients) return {};
  auto line = "clients: " + count(*info.clients);
  if (info.clients_max) line += " of " + count(*info.clients_max);
  if (info.clients_blocked.value_or(0) > 0)
    line += ", " + count(*info.clients_blocked) + " blocked";
  if (info.rejected_connections.value_or(0) > 0)
    line += ", " + count(*info.rejected_connections) + " turned away since it started";
  return line;
}

}  // namespace

double redis_now(const RedisInfo& info, double ours) { return info.server_time.value_or(ours); }

std::optional<double> redis_memory_ratio(const RedisInfo& info) {
  const auto whole = info.maxmemory.value_or(0) > 0 ? info.maxmemory : info.system_memory;
  if (!info.used_memory || whole.value_or(0) == 0) return std::nullopt;
  return static_cast<double>(*info.used_memory) / static_cast<double>(*whole);
}

std::vector<std::string> describe_redis(const RedisInfo& info, double now) {
  std::vector<std::string> lines;
  const auto add = [&](std::string line) {
    if (!line.empty()) lines.push_back(std::move(line));
  };
  add(loading_line(info));
  if (info.is_replica()) add(link_line(info));
  if (info.role == "master")
    add("primary with " + count(info.connected_replicas.value_or(0)) + " replicas connected");
  for (std::size_t i = 0; i < std::min(replicas_told, info.replicas.size()); ++i)
    add(replica_line(info, info.replicas[i]));
  add(memory_line(info));
  add(saving_line(info, now));
  add(clients_line(info));
  return lines;
}

std::string redis_cause(const RedisInfo& info, const std::string& place) {
  if (info.is_replica() && !info.link_up.value_or(true)) {
    auto cause = place + " has lost its primary " + info.primary;
    if (info.link_down_seconds) cause += " for " + seconds(*info.link_down_seconds);
    return cause;
  }
  const auto ratio = redis_memory_ratio(info);
  if (refuses_when_full(info) && ratio.value_or(0) >= nearly_full)
    return place + " is at " + describe_quantity(*ratio, Unit::ratio) +
           " of maxmemory and evicts nothing (policy noeviction): it refuses writes when full";
  if (!info.last_save_ok.value_or(true))
    return place + " cannot save its data: the last save failed";
  if (!info.aof_ok.value_or(true)) return place + " cannot write its append-only file";
  return {};
}

std::string redis_recovery(const RedisInfo& info) {
  if (info.loading.value_or(false) && info.loading_eta_seconds)
    return "has loaded its data in about " + seconds(*info.loading_eta_seconds);
  return {};
}

std::vector<std::string> describe_slow_log(const RedisReply& reply, double now) {
  std::vector<std::string> lines;
  for (const auto& entry : reply.items) {
    if (entry.items.size() < 4 || entry.items[3].items.empty()) continue;
    const auto at = entry.items[1].as_number();
    const auto took = entry.items[2].as_number();
    if (!at || !took) continue;
    const auto& command = entry.items[3];
    lines.push_back(
        "slow: " + cut_characters(clean_utf8(command.items.front().text), name_characters_max) +
        " (" + count(command.items.size()) +
        (command.items.size() == 1 ? " word) took " : " words) took ") +
        seconds(static_cast<double>(*took) / 1e6) + ", " + seconds(now - static_cast<double>(*at)) +
        " ago");
  }
  return lines;
}

}  // namespace tocsin::checks
