#pragma once

#include <memory>
#include <string>
#include <tuple>

#include "checks/queue_source.hpp"
#include "checks/redis_session.hpp"

namespace tocsin::checks {

/// The keys of `from: {redis: …}`.
struct RedisQueue : RedisServer {
  std::string list{};
  std::string sorted_set{};
  std::string stream{};
  std::string group{};
  Duration consumer_idle{std::chrono::minutes{10}};
  std::string workers{};
  static constexpr auto fields() {
    using Self = RedisQueue;
    return std::tuple_cat(
        RedisServer::fields(),
        std::tuple{
            field("list", &Self::list, "The key of a list."),
            field("sorted_set", &Self::sorted_set,
                  "Or of a sorted set; scores that are times (seconds or milliseconds since 1970) "
                  "give the oldest."),
            field("stream", &Self::stream, "Or of a stream."),
            field("group", &Self::group,
                  "The consumer group of the stream; empty: all that the stream holds counts."),
            field("consumer_idle", &Self::consumer_idle,
                  "A consumer of the group that has not asked for longer counts as gone."),
            field("workers", &Self::workers,
                  "The key of a set of workers, as Resque, RQ and Sidekiq keep one. Without it the "
                  "consumers of a list or sorted set are not known: write rules on its depth or "
                  "drain_seconds.")});
  }
  friend bool operator==(const RedisQueue&, const RedisQueue&) = default;
};

/// Complains of what the fields cannot see. `map` is that of the back end.
void judge_source(const RedisQueue& params, const Node& map, Decoding& decoding);
std::unique_ptr<QueueSource> make_source(RedisQueue params);

}  // namespace tocsin::checks
