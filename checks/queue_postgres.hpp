#pragma once

#include <memory>
#include <optional>
#include <string>
#include <tuple>

#include "checks/postgres_session.hpp"
#include "checks/queue_source.hpp"

namespace tocsin::checks {

/// The keys of `from: {postgres: …}`.
struct PostgresQueue {
  Secret dsn{};
  std::string query{};
  static constexpr auto fields() {
    using Self = PostgresQueue;
    return std::tuple{
        required_field("dsn", &Self::dsn,
                       "Where and as whom to log in: a connection string of libpq or a "
                       "postgresql:// URI."),
        required_field("query", &Self::query,
                       "A query of one row: the depth, then, if wanted, the age of the oldest in "
                       "seconds (NULL: there is none) and the number of consumers.")};
  }
  friend bool operator==(const PostgresQueue&, const PostgresQueue&) = default;
};

/// Complains of what the fields cannot see. `map` is that of the back end.
void judge_source(const PostgresQueue& params, const Node& map, Decoding& decoding);
std::unique_ptr<QueueSource> make_source(PostgresQueue params);

/// What the row says. A depth that is not there is an error, and so is whatever is no number.
Result<QueueReading> read_queue_row(const PostgresRows& rows);

}  // namespace tocsin::checks
