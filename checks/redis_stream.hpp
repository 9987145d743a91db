#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "checks/redis_reply.hpp"

namespace tocsin::checks {

/// An entry's id in a stream: milliseconds and a sequence number. Usually the time at which it was
/// added, unless the producer makes ids of its own.
struct StreamId {
  std::uint64_t milliseconds{0};
  std::uint64_t sequence{0};
  friend bool operator==(const StreamId&, const StreamId&) = default;
};
std::optional<StreamId> parse_stream_id(std::string_view text);
std::string to_string(const StreamId& id);
/// The least id after this one.
StreamId next(const StreamId& id);

/// A group as XINFO GROUPS tells of it. The lag is absent before Redis 7, and nil once entries that
/// the group has not read were deleted: then only counting helps.
struct StreamGroup {
  std::optional<double> pending{}, lag{}, entries_read{};
  std::optional<StreamId> last_delivered{};
};
/// Nothing when the reply has no group of the name.
std::optional<StreamGroup> find_stream_group(const RedisReply& groups, std::string_view name);

/// Who reads in a group, as XINFO CONSUMERS tells. Redis keeps those that are gone until somebody
/// removes them, so they are told apart by how long they have not asked.
struct StreamConsumers {
  double active{0};
  double idle{0};
};
StreamConsumers count_stream_consumers(const RedisReply& consumers, double idle_seconds_max);

/// The id of the first entry of an XRANGE, or the least pending one of an XPENDING.
std::optional<StreamId> first_entry_id(const RedisReply& range);
std::optional<StreamId> last_entry_id(const RedisReply& range);
std::optional<StreamId> least_pending_id(const RedisReply& pending);

/// How long ago a moment was that people write as seconds or milliseconds since 1970: 0 for one to
/// come, nothing when the number is neither (before 2001, or beyond 2286).
std::optional<double> age_of_moment(double moment, double now_seconds);

}  // namespace tocsin::checks
