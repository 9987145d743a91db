#include "checks/queue_postgres.hpp"

#include <utility>

#include "checks/named_queries.hpp"
#include "checks/reply_by.hpp"
#include "tocsin/base/text.hpp"

namespace tocsin::checks {
namespace {

constexpr std::size_t name_characters_max = 60;

class PostgresSource final : public QueueSource {
 public:
  explicit PostgresSource(PostgresQueue params) : params_{std::move(params)} {
    // It was parsed before, when it was judged.
    if (auto dsn = parse_postgres_dsn(params_.dsn)) dsn_ = *std::move(dsn);
    for (const auto& [keyword, value] : dsn_.options)
      if (keyword == "dbname")
        name_ = cut_characters(clean_utf8(value.reveal()), name_characters_max);
    name_ = "the queue in database \"" + name_ + "\" of " + dsn_.place();
  }

  std::string name() const override { return name_; }

  Task<QueueReading> look(CheckContext& context) override {
    PostgresSession session{context.network, context.clock, reply_by(context)};
    auto asking = ask(session);
    const auto rows = co_await std::move(asking);
    if (!rows) {
      if (!session.fault() || !blames_server(*session.fault())) co_return rows.error();
      QueueReading reading;
      reading.up = false;
      reading.failure = rows.error().detail;
      co_return reading;
    }
    auto reading = read_queue_row(*rows);
    if (!reading)
      co_return Error{reading.error().code, "the query of " + name_ + " " + reading.error().detail};
    co_return reading;
  }

 private:
  Task<PostgresRows> ask(PostgresSession& session) {
    auto opening = session.open(dsn_);
    const auto opened = co_await std::move(opening);
    if (!opened) co_return opened.error();
    auto beginning = session.begin_read_only();
    const auto begun = co_await std::move(beginning);
    if (!begun) co_return begun.error();
    auto asking = session.query(params_.query, {.rows = 2, .columns = 8});
    co_return co_await std::move(asking);
  }

  PostgresQueue params_;
  PostgresDsn dsn_{};
  std::string name_{};
};

}  // namespace

Result<QueueReading> read_queue_row(const PostgresRows& rows) {
  const auto wrong = [](std::string found) {
    return Error{
        Errc::malformed,
        "gave " + std::move(found) +
            ", expected one row of one to three numbers: depth, oldest_seconds, consumers"};
  };
  if (rows.size() != 1) return wrong(rows.empty() ? "no row" : "more than one row");
  const auto& row = rows[0];
  if (row.empty() || row.size() > 3) return wrong(std::to_string(row.size()) + " columns");
  std::optional<double> values[3];
  for (std::size_t i = 0; i < row.size(); ++i) {
    if (!row[i]) continue;
    const auto value = number_of_cell(*row[i]);
    if (!value) return value.error();
    values[i] = *value;
  }
  if (!values[0]) return wrong("NULL for the depth");
  QueueReading reading;
  reading.depth = *values[0];
  reading.oldest_seconds = values[1];
  reading.consumers = values[2];
  return reading;
}

void judge_source(const PostgresQueue& params, const Node& map, Decoding& decoding) {
  const auto complain = [&](std::string_view key, std::string message) {
    auto inner = decoding.at(key);
    const auto* node = map.find(key);
    inner.complain(node != nullptr ? *node : map, std::move(message));
  };
  if (const auto dsn = parse_postgres_dsn(params.dsn); !dsn) complain("dsn", dsn.error().detail);
  if (trim(params.query).empty() || params.query.size() > named_query_characters)
    complain("query", "expected a statement of at most " + std::to_string(named_query_characters) +
                          " characters");
}

std::unique_ptr<QueueSource> make_source(PostgresQueue params) {
  return std::make_unique<PostgresSource>(std::move(params));
}

}  // namespace tocsin::checks
