#include "checks/mysql_look.hpp"

#include <algorithm>
#include <utility>

#include "checks/words.hpp"
#include "tocsin/base/text.hpp"
#include "tocsin/base/unit.hpp"

namespace tocsin::checks {
namespace {

/// The server ends a statement this long before we stop listening, so that it does not work on for
/// nobody; at least `statement_least`.
constexpr Duration answer_margin = std::chrono::milliseconds{100};
constexpr Duration statement_least = std::chrono::milliseconds{50};
/// One more than a named query may give, to tell that it gave too many.
constexpr std::size_t query_rows_max = 2;

double seconds_between(SteadyTime from, SteadyTime to) {
  return std::chrono::duration<double>(to - from).count();
}

std::optional<double> number_in(const MysqlRows& rows, std::size_t row, std::size_t column) {
  if (row >= rows.rows.size() || column >= rows.rows[row].size() || !rows.rows[row][column])
    return std::nullopt;
  return to_real(*rows.rows[row][column]);
}

std::string text_in(const std::vector<Cell>& row, std::size_t column) {
  return column < row.size() && row[column] ? clean_utf8(*row[column]) : std::string{};
}

/// One look, statement by statement.
class Look {
 public:
  Look(Network& network, Clock& clock, const MysqlDsn& dsn, const NamedQueries& queries,
       SteadyTime deadline)
      : clock_{clock},
        dsn_{dsn},
        queries_{queries},
        deadline_{deadline},
        session_{network, clock, dsn} {}

  Task<MysqlReading> all() {
    const auto began = clock_.steady();
    auto connecting = session_.connect(deadline_);
    const auto connected = co_await std::move(connecting);
    if (!connected) {
      if (connected.error().code == Errc::internal || connected.error().code == Errc::cancelled)
        co_return connected.error();
      reading_.fault = session_.fault();
      co_return std::move(reading_);
    }
    reading_.connect_seconds = seconds_between(began, clock_.steady());
    dialect_ = mysql_dialect(session_.server_version());
    auto asking = ask_all();
    co_await std::move(asking);
    auto numbers = ask_numbers();
    const auto numbered = co_await std::move(numbers);
    if (!numbered) co_return numbered.error();
    co_return std::move(reading_);
  }

 private:
  asio::awaitable<void> ask_all() {
    auto limits = ask_limits();
    co_await std::move(limits);
    auto activity = ask_activity();
    co_await std::move(activity);
    auto replica = ask_replica();
    co_await std::move(replica);
  }

  /// The rows; nothing when the server refused, which is remarked on with `unknown`, or was lost,
  /// which is the fault of the whole look.
  asio::awaitable<std::optional<MysqlRows>> ask(std::string statement, std::string unknown,
                                                std::size_t rows_max = 100) {
    if (!session_.usable()) co_return std::nullopt;
    auto asking = session_.query(std::move(statement), deadline_, rows_max);
    auto rows = co_await std::move(asking);
    if (rows && !rows->cut) co_return *std::move(rows);
    if (!session_.usable())
      reading_.fault = session_.fault();
    else if (!unknown.empty())
      reading_.remarks.push_back(unknown + ": " + rows.error().detail);
    co_return std::nullopt;
  }

  asio::awaitable<void> ask_limits() {
    const auto asked_at = clock_.steady();
    auto first = ask(std::string{limits_statement}, "the limit of connections is not known");
    const auto limits = co_await std::move(first);
    if (!limits) co_return;
    reading_.query_seconds = seconds_between(asked_at, clock_.steady());
    reading_.connections_max = number_in(*limits, 0, 0);
    auto second = ask(std::string{connected_statement}, "the connections are not known");
    const auto connected = co_await std::move(second);
    if (connected) reading_.connections = number_in(*connected, 0, 1);
    // Neither of these is worth a word when an old server lacks it.
    auto third = ask(std::string{zone_statement}, {});
    co_await std::move(third);
    const auto left = std::max(deadline_ - clock_.steady() - answer_margin, statement_least);
    auto fourth = ask(dialect_.timeout_statement(left), {});
    co_await std::move(fourth);
  }

  asio::awaitable<void> ask_activity() {
    auto first = ask(std::string{activity_statement}, "the oldest transaction is not known");
    const auto activity = co_await std::move(first);
    if (activity && activity->rows.size() == 1) {
      reading_.oldest_transaction_seconds = std::max(0.0, number_in(*activity, 0, 0).value_or(0));
      reading_.replicas = number_in(*activity, 0, 1);
    }
    auto second = ask(std::string{dialect_.deadlocks_statement()}, {});
    const auto deadlocks = co_await std::move(second);
    if (deadlocks) reading_.deadlocks = number_in(*deadlocks, 0, 0);
  }

  asio::awaitable<void> ask_replica() {
    auto asking = ask(std::string{dialect_.replica_statement()}, "replication is not known");
    const auto status = co_await std::move(asking);
    if (status) reading_.replica = read_replica(*status);
  }

  Task<void> ask_numbers() {
    if (queries_.empty() || !session_.usable()) co_return Result<void>{};
    // The server stops at two rows by itself, so that a query without a LIMIT costs no connection.
    auto bounding = ask("SET SESSION sql_select_limit = 2", {});
    co_await std::move(bounding);
    for (const auto& [name, statement] : queries_) {
      auto asking = ask_number(name, statement);
      const auto number = co_await std::move(asking);
      if (!number && reading_.fault) co_return Result<void>{};
      if (!number) co_return number.error();
      reading_.numbers.push_back(*number);
    }
    auto ending = ask("ROLLBACK", {});
    co_await std::move(ending);
    co_return Result<void>{};
  }

  Task<double> ask_number(const std::string& name, const std::string& statement) {
    const auto fault = [&](const Error& error) {
      return Error{error.code, "query \"" + name + "\" at " + dsn_.place() + " " + error.detail};
    };
    // A statement that ended the transaction takes the next one's protection with it.
    auto protecting = session_.query("START TRANSACTION READ ONLY", deadline_);
    const auto protection = co_await std::move(protecting);
    if (!protection)
      co_return lost_or(Error{protection.error().code,
                              "query \"" + name + "\" was not run: " + protection.error().detail});
    auto asking = session_.query(statement, deadline_, query_rows_max);
    const auto rows = co_await std::move(asking);
    if (!rows)
      co_return lost_or(
          Error{rows.error().code, "query \"" + name + "\" failed: " + rows.error().detail});
    const bool any = !rows->rows.empty() && !rows->rows.front().empty();
    const auto number = number_of_result(rows->rows.size(), rows->columns.size(),
                                         any ? rows->rows.front().front() : Cell{});
    if (!number) co_return fault(number.error());
    if (!*number)
      co_return fault({Errc::malformed, "gave NULL, expected a number (COALESCE makes NULL one)"});
    co_return **number;
  }

  /// A server that went away in the middle is down; one that was only slow is not.
  Error lost_or(Error error) {
    if (session_.fault().error.code == Errc::disconnected) reading_.fault = session_.fault();
    return error;
  }

  Clock& clock_;
  const MysqlDsn& dsn_;
  const NamedQueries& queries_;
  SteadyTime deadline_;
  MysqlSession session_;
  MysqlDialect dialect_{};
  MysqlReading reading_{};
};

std::string seconds_in_words(const std::vector<Cell>& row, std::size_t column) {
  const auto seconds = to_real(text_in(row, column));
  return seconds ? describe_quantity(*seconds, Unit::seconds) : std::string{"an unknown time"};
}

std::string doing(const std::string& statement) {
  const auto head = mysql_statement_head(statement);
  return head.empty() ? std::string{"idle in between"} : "\"" + head + "\"";
}

}  // namespace

Task<MysqlReading> look_at_mysql(Network& network, Clock& clock, const MysqlDsn& dsn,
                                 const NamedQueries& queries, SteadyTime deadline) {
  Look look{network, clock, dsn, queries, deadline};
  auto looking = look.all();
  auto reading = co_await std::move(looking);
  co_return reading;
}

asio::awaitable<MysqlHolders> find_mysql_holders(Network& network, Clock& clock,
                                                 const MysqlDsn& dsn, SteadyTime deadline) {
  MysqlHolders holders;
  MysqlSession session{network, clock, dsn};
  auto connecting = session.connect(deadline);
  const auto connected = co_await std::move(connecting);
  if (!connected) co_return holders;
  const auto dialect = mysql_dialect(session.server_version());
  auto zoning = session.query(std::string{zone_statement}, deadline);
  (void)co_await std::move(zoning);
  if (!session.usable()) co_return holders;
  auto waits = session.query(std::string{dialect.lock_waits_statement()}, deadline);
  const auto waiting = co_await std::move(waits);
  if (waiting)
    for (const auto& row : waiting->rows) {
      const auto blocker = text_in(row, 3) + " of " + text_in(row, 4);
      holders.lines.push_back(text_in(row, 0) + " has waited " + seconds_in_words(row, 1) +
                              " for a lock of " + blocker + ": " + doing(text_in(row, 2)));
      if (holders.cause.empty())
        holders.cause = "transaction " + blocker + " (" + doing(text_in(row, 5)) +
                        ") holds a lock that others wait for";
    }
  if (!session.usable()) co_return holders;
  auto oldest = session.query(std::string{transactions_statement}, deadline);
  const auto transactions = co_await std::move(oldest);
  if (transactions)
    for (const auto& row : transactions->rows)
      holders.lines.push_back("transaction " + text_in(row, 0) + " of " + text_in(row, 2) +
                              " is open for " + seconds_in_words(row, 1) + ": " +
                              doing(text_in(row, 3)));
  co_return holders;
}

}  // namespace tocsin::checks
