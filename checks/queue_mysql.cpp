#include "checks/queue_mysql.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "checks/mysql_dialect.hpp"
#include "checks/mysql_session.hpp"
#include "checks/named_queries.hpp"
#include "checks/queue_postgres.hpp"
#include "checks/reply_by.hpp"
#include "tocsin/base/text.hpp"

namespace tocsin::checks {
namespace {

constexpr std::size_t name_characters_max = 60;
/// One more than is wanted, to tell that there are too many.
constexpr std::size_t rows_max = 2;
/// The server gives up a little before we do, so that it does not work on for nobody.
constexpr Duration statement_least = std::chrono::milliseconds{50};
constexpr Duration answer_margin = std::chrono::milliseconds{100};

class MysqlSource final : public QueueSource {
 public:
  explicit MysqlSource(MysqlQueue params) : params_{std::move(params)} {
    // It was parsed before, when it was judged.
    if (auto dsn = parse_mysql_dsn(params_.dsn)) dsn_ = *std::move(dsn);
    name_ = "the queue in database \"" +
            cut_characters(clean_utf8(dsn_.database), name_characters_max) + "\" of " +
            dsn_.place();
  }

  std::string name() const override { return name_; }

  Task<QueueReading> look(CheckContext& context) override {
    MysqlSession session{context.network, context.clock, dsn_};
    const auto deadline = reply_by(context);
    const auto limit =
        std::max<Duration>(deadline - context.clock.steady() - answer_margin, statement_least);
    auto asking = ask(session, deadline, limit);
    const auto rows = co_await std::move(asking);
    if (!rows) {
      if (!blames_server(session.fault())) co_return rows.error();
      QueueReading reading;
      reading.up = false;
      reading.failure = rows.error().detail;
      co_return reading;
    }
    auto reading = read_queue_row(rows->rows);
    if (!reading)
      co_return Error{reading.error().code, "the query of " + name_ + " " + reading.error().detail};
    co_return reading;
  }

 private:
  /// A query that the server refuses, or gives more rows than one, is wrong here and says nothing
  /// of the queue.
  static bool blames_server(const MysqlFault& fault) {
    const auto code = fault.error.code;
    if (code == Errc::internal || code == Errc::cancelled) return false;
    return fault.phase != MysqlPhase::query || (code != Errc::refused && code != Errc::too_large);
  }

  Task<MysqlRows> ask(MysqlSession& session, SteadyTime deadline, Duration limit) {
    auto connecting = session.connect(deadline);
    const auto connected = co_await std::move(connecting);
    if (!connected) co_return connected.error();
    // An old server may know neither variable; the connection's own bounds hold all the same.
    const auto dialect = mysql_dialect(session.server_version());
    const std::array settings{dialect.timeout_statement(limit),
                              std::string{"SET SESSION sql_select_limit = 2"}};
    for (const auto& setting : settings) {
      auto setting_up = session.query(setting, deadline);
      const auto set = co_await std::move(setting_up);
      if (!set && !session.usable()) co_return set.error();
    }
    auto beginning = session.query("START TRANSACTION READ ONLY", deadline);
    const auto begun = co_await std::move(beginning);
    if (!begun) co_return begun.error();
    auto asking = session.query(params_.query, deadline, rows_max);
    co_return co_await std::move(asking);
  }

  MysqlQueue params_;
  MysqlDsn dsn_{};
  std::string name_{};
};

}  // namespace

void judge_source(const MysqlQueue& params, const Node& map, Decoding& decoding) {
  const auto complain = [&](std::string_view key, std::string message) {
    auto inner = decoding.at(key);
    const auto* node = map.find(key);
    inner.complain(node != nullptr ? *node : map, std::move(message));
  };
  if (const auto dsn = parse_mysql_dsn(params.dsn); !dsn) complain("dsn", dsn.error().detail);
  if (trim(params.query).empty() || params.query.size() > named_query_characters)
    complain("query", "expected a statement of at most " + std::to_string(named_query_characters) +
                          " characters");
}

std::unique_ptr<QueueSource> make_source(MysqlQueue params) {
  return std::make_unique<MysqlSource>(std::move(params));
}

}  // namespace tocsin::checks
