#pragma once

#include <string>
#include <vector>

#include "checks/redis_info.hpp"
#include "checks/redis_reply.hpp"

namespace tocsin::checks {

/// Seconds since 1970 by the server's own clock where it tells it, else `ours`.
double redis_now(const RedisInfo& info, double ours);

/// How full the server is: of maxmemory, or of the host's memory when that is not set. Absent when
/// neither is known.
std::optional<double> redis_memory_ratio(const RedisInfo& info);

/// The state of a server for people: memory, saving, replication, clients; one line each, at most
/// nine. `now` is redis_now's.
std::vector<std::string> describe_redis(const RedisInfo& info, double now);

/// Why it is unwell, when INFO makes that plain; else "".
std::string redis_cause(const RedisInfo& info, const std::string& place);
/// When it will be well again, when INFO tells; else "".
std::string redis_recovery(const RedisInfo& info);

/// The newest entries of SLOWLOG GET, as "KEYS (2 words) took 1.2s, 3m ago". Only the command's
/// name is told: its arguments may be anybody's data.
std::vector<std::string> describe_slow_log(const RedisReply& reply, double now);

}  // namespace tocsin::checks
