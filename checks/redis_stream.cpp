#include "checks/redis_stream.hpp"

#include <algorithm>
#include <limits>

#include "checks/words.hpp"

namespace tocsin::checks {
namespace {

using Kind = RedisReply::Kind;

std::optional<double> count_of(const RedisReply& map, std::string_view name) {
  const auto* value = map.member(name);
  const auto number = value != nullptr ? value->as_number() : std::nullopt;
  if (!number || *number < 0) return std::nullopt;
  return static_cast<double>(*number);
}

std::optional<StreamId> id_of(const RedisReply& entry) {
  if (!entry.is(Kind::list) || entry.items.empty()) return std::nullopt;
  return parse_stream_id(entry.items.front().text);
}

}  // namespace

std::optional<StreamId> parse_stream_id(std::string_view text) {
  const auto dash = text.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const auto milliseconds = to_number(text.substr(0, dash));
  const auto sequence = to_number(text.substr(dash + 1));
  if (!milliseconds || !sequence) return std::nullopt;
  return StreamId{*milliseconds, *sequence};
}

std::string to_string(const StreamId& id) {
  return std::to_string(id.milliseconds) + "-" + std::to_string(id.sequence);
}

StreamId next(const StreamId& id) {
  if (id.sequence < std::numeric_limits<std::uint64_t>::max())
    return {id.milliseconds, id.sequence + 1};
  return {id.milliseconds + 1, 0};
}

std::optional<StreamGroup> find_stream_group(const RedisReply& groups, std::string_view name) {
  for (const auto& one : groups.items) {
    const auto* called = one.member("name");
    if (called == nullptr || called->text != name) continue;
    StreamGroup group;
    group.pending = count_of(one, "pending");
    group.lag = count_of(one, "lag");
    group.entries_read = count_of(one, "entries-read");
    if (const auto* id = one.member("last-delivered-id"))
      group.last_delivered = parse_stream_id(id->text);
    return group;
  }
  return std::nullopt;
}

StreamConsumers count_stream_consumers(const RedisReply& consumers, double idle_seconds_max) {
  StreamConsumers count;
  for (const auto& one : consumers.items) {
    const auto idle = count_of(one, "idle");
    if (!idle) continue;
    ++(*idle / 1000 > idle_seconds_max ? count.idle : count.active);
  }
  return count;
}

std::optional<StreamId> first_entry_id(const RedisReply& range) {
  if (range.items.empty()) return std::nullopt;
  return id_of(range.items.front());
}

std::optional<StreamId> last_entry_id(const RedisReply& range) {
  if (range.items.empty()) return std::nullopt;
  return id_of(range.items.back());
}

std::optional<StreamId> least_pending_id(const RedisReply& pending) {
  // [count, least id, greatest id, [[consumer, count], …]]
  if (pending.items.size() < 2) return std::nullopt;
  return parse_stream_id(pending.items[1].text);
}

std::optional<double> age_of_moment(double moment, double now_seconds) {
  constexpr double seconds_least = 1e9;
  constexpr double seconds_most = 1e10;
  if (moment >= seconds_least * 1000 && moment < seconds_most * 1000) moment /= 1000;
  if (!(moment >= seconds_least && moment < seconds_most)) return std::nullopt;
  return std::max(0.0, now_seconds - moment);
}

}  // namespace tocsin::checks
