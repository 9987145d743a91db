#pragma once

#include <memory>
#include <string>
#include <tuple>

#include "checks/queue_source.hpp"
#include "tocsin/base/secret.hpp"

namespace tocsin::checks {

/// The keys of `from: {mysql: …}`.
struct MysqlQueue {
  Secret dsn{};
  std::string query{};
  static constexpr auto fields() {
    using Self = MysqlQueue;
    return std::tuple{
        required_field("dsn", &Self::dsn,
                       "Where and as whom to log in: mysql://USER:PASSWORD@HOST:PORT/DATABASE, as "
                       "for the mysql check."),
        required_field("query", &Self::query,
                       "A query of one row: the depth, then, if wanted, the age of the oldest in "
                       "seconds (NULL: there is none) and the number of consumers.")};
  }
  friend bool operator==(const MysqlQueue&, const MysqlQueue&) = default;
};

/// Complains of what the fields cannot see. `map` is that of the back end.
void judge_source(const MysqlQueue& params, const Node& map, Decoding& decoding);
std::unique_ptr<QueueSource> make_source(MysqlQueue params);

}  // namespace tocsin::checks
