#include "checks/postgres.hpp"

#include <optional>
#include <utility>

#include "checks/named_queries.hpp"
#include "checks/net_samples.hpp"
#include "checks/postgres_dsn.hpp"
#include "checks/postgres_evidence.hpp"
#include "checks/postgres_replication.hpp"
#include "checks/postgres_session.hpp"
#include "checks/postgres_statistics.hpp"
#include "checks/reply_by.hpp"
#include "checks/seen_deadlocks.hpp"
#include "tocsin/base/text.hpp"

namespace tocsin {
namespace {

using namespace checks;

/// From here on it is worth knowing who holds the connections: once they are all taken, it cannot
/// be asked any more.
constexpr double nearly_full = 0.8;
constexpr double full = 0.95;

struct PostgresParams {
  Secret dsn{};
  NamedQueries queries{};
  static constexpr auto fields() {
    using Self = PostgresParams;
    return std::tuple{
        required_field("dsn", &Self::dsn,
                       "Where and as whom to log in: a connection string of libpq or a "
                       "postgresql:// URI. Nothing else is read: no PG* variable, no ~/.pgpass, no "
                       "service file. The role needs LOGIN, and pg_monitor to see the sessions of "
                       "others and the replicas."),
        field("queries", &Self::queries,
              "Queries of one row with one number, by name; each is a sample of its name, in "
              "seconds, bytes or as a ratio when the name ends so.")};
  }
};

enum : std::uint16_t {
  up,
  connect_seconds,
  query_seconds,
  connections,
  connections_used_ratio,
  longest_transaction_seconds,
  idle_in_transaction_seconds,
  waiting_sessions,
  hidden_sessions,
  deadlocks,
  transaction_ids_used_ratio,
  replication_lag_seconds,
  replication_lag_bytes,
  replica_running,
  first_query
};

const std::vector<SampleSpec>& postgres_specs() {
  static const std::vector<SampleSpec> specs{
      {"up", Unit::none, "1 when it lets one in and answers, else 0."},
      {"connect_seconds", Unit::seconds, "Time until the session is open, login and TLS included."},
      {"query_seconds", Unit::seconds, "Time of one small exchange in the open session."},
      {"connections", Unit::none, "Connections of clients, its own included."},
      {"connections_used_ratio", Unit::ratio,
       "Share in use of the connections that ordinary roles may have."},
      {"longest_transaction_seconds", Unit::seconds,
       "Age of the oldest open transaction of a client, prepared ones included; needs pg_monitor."},
      {"idle_in_transaction_seconds", Unit::seconds,
       "How long a session has sat idle in a transaction, at most; needs pg_monitor."},
      {"waiting_sessions", Unit::none, "Sessions that wait for a lock; needs pg_monitor."},
      {"hidden_sessions", Unit::none,
       "Sessions whose doings the role may not see: 0 once it is granted pg_monitor."},
      {"deadlocks", Unit::none, "Deadlocks since the previous run."},
      {"transaction_ids_used_ratio", Unit::ratio,
       "Share of the transaction ids that is used up; near 1 the server stops taking writes."},
      {"replication_lag_seconds", Unit::seconds,
       "How far behind a replica is: on a primary each one (needs pg_monitor), on a replica "
       "itself.",
       "replica"},
      {"replication_lag_bytes", Unit::bytes,
       "What a replica has not replayed yet of the log that is known where it is measured.",
       "replica"},
      {"replica_running", Unit::none,
       "1 when a replica receives and replays, else 0; one that has gone counts as 0 for a day.",
       "replica"},
  };
  return specs;
}

class PostgresCheck final : public Check {
 public:
  PostgresCheck(std::string /*name*/, PostgresParams params)
      : params_{std::move(params)}, specs_{specs_with_queries(postgres_specs(), params_.queries)} {
    // It was parsed before, when it was judged.
    if (auto dsn = parse_postgres_dsn(params_.dsn)) dsn_ = *std::move(dsn);
  }

  std::span<const SampleSpec> specs() const override { return specs_; }

  Task<Samples> run(CheckContext& context) override {
    if (context.gap) forget_spans();
    failure_.clear();
    samples_.clear();
    at_queries_ = false;
    put(samples_, up, 0);
    PostgresSession session{context.network, context.clock, reply_by(context)};
    auto measuring = measure(context, session);
    const auto measured = co_await std::move(measuring);
    if (measured) {
      samples_.front().value = 1;
      co_return std::exchange(samples_, {});
    }
    if (!session.fault() || !is_down(*session.fault())) co_return measured.error();
    failure_ = measured.error().detail;
    forget_spans();
    co_return std::exchange(samples_, {});
  }

  asio::awaitable<Evidence> evidence(CheckContext& context) override {
    Evidence evidence;
    if (!failure_.empty()) {
      evidence.lines.push_back(failure_);
      evidence.probable_cause = failure_;
      if (statistics_)
        evidence.lines.push_back("when it last answered, " +
                                 describe(context.clock.steady() - looked_at_) +
                                 " ago: " + describe_statistics(*statistics_));
      append(evidence, holders_);
      cut_to_size(evidence);
      co_return evidence;
    }
    if (auto line = seen_deadlocks_.describe_at(
            context.clock.steady(), "the log of " + dsn_.place() + " names the statements");
        !line.empty())
      evidence.lines.push_back(std::move(line));
    PostgresSession session{context.network, context.clock, reply_by(context)};
    auto collecting = collect(session, evidence);
    co_await std::move(collecting);
    cut_to_size(evidence);
    co_return evidence;
  }

 private:
  static void append(Evidence& evidence, const std::vector<std::string>& lines) {
    evidence.lines.insert(evidence.lines.end(), lines.begin(), lines.end());
  }

  static void cut_to_size(Evidence& evidence) {
    if (evidence.lines.size() > limits::evidence_lines)
      evidence.lines.resize(limits::evidence_lines);
    for (auto& line : evidence.lines) line = cut_characters(line, limits::evidence_line_characters);
  }

  /// An endless answer to a question of ours is no PostgreSQL's; to a query of the user's it is the
  /// query's fault.
  bool is_down(const PostgresFault& fault) const {
    return blames_server(fault) || (fault.error.code == Errc::too_large && !at_queries_);
  }

  void forget_spans() {
    deadlocks_before_.reset();
    replication_.forget_spans();
  }

  Task<void> measure(CheckContext& context, PostgresSession& session) {
    const auto began = context.clock.steady();
    auto opening = session.open(dsn_);
    const auto opened = co_await std::move(opening);
    if (!opened) co_return opened;
    const auto open = context.clock.steady();
    put_time(samples_, connect_seconds, open - began);
    auto beginning = session.begin_read_only();
    const auto begun = co_await std::move(beginning);
    if (!begun) co_return begun;
    looked_at_ = context.clock.steady();
    put_time(samples_, query_seconds, looked_at_ - open);
    auto asking = session.query(statistics_query());
    const auto rows = co_await std::move(asking);
    if (!rows) co_return rows.error();
    auto statistics = read_statistics(*rows);
    if (!statistics) co_return statistics.error();
    statistics_ = *std::move(statistics);
    put_statistics();
    holders_.clear();
    if (statistics_->connections >= nearly_full * statistics_->room) {
      auto finding = connection_holders(session);
      holders_ = co_await std::move(finding);
    }
    auto following = follow_replication(session);
    const auto followed = co_await std::move(following);
    if (!followed) co_return followed;
    auto querying = ask_queries(session);
    co_return co_await std::move(querying);
  }

  void put_statistics() {
    const auto& found = *statistics_;
    const auto put_known = [&](std::uint16_t spec, const std::optional<double>& value) {
      if (value) put(samples_, spec, *value);
    };
    put(samples_, connections, found.connections);
    if (found.room > 0) put(samples_, connections_used_ratio, found.connections / found.room);
    put_known(longest_transaction_seconds, found.longest_transaction);
    put_known(idle_in_transaction_seconds, found.idle_in_transaction);
    put_known(waiting_sessions, found.waiting);
    put(samples_, hidden_sessions, found.hidden);
    // Less than before: the statistics were reset.
    if (deadlocks_before_ && found.deadlocks >= *deadlocks_before_) {
      put(samples_, deadlocks, found.deadlocks - *deadlocks_before_);
      seen_deadlocks_.see(found.deadlocks - *deadlocks_before_, looked_at_);
    }
    deadlocks_before_ = found.deadlocks;
    put(samples_, transaction_ids_used_ratio, found.wraparound);
  }

  Task<void> follow_replication(PostgresSession& session) {
    replicas_.clear();
    if (statistics_->replica) {
      auto asking = session.query(replica_query());
      const auto rows = co_await std::move(asking);
      if (!rows) co_return rows.error();
      const auto replica = read_replica(*rows);
      if (!replica) co_return replica.error();
      replicas_.push_back(replication_.see_itself(*replica, looked_at_));
    }
    auto asking = session.query(standbys_query());
    const auto rows = co_await std::move(asking);
    if (!rows) co_return rows.error();
    const auto standbys = read_standbys(*rows);
    if (!standbys) co_return standbys.error();
    for (auto& reading : replication_.see_standbys(*standbys, looked_at_))
      replicas_.push_back(std::move(reading));
    for (const auto& reading : replicas_) {
      if (reading.lag_seconds)
        put(samples_, replication_lag_seconds, *reading.lag_seconds, reading.instance);
      if (reading.lag_bytes)
        put(samples_, replication_lag_bytes, *reading.lag_bytes, reading.instance);
      put(samples_, replica_running, reading.running ? 1 : 0, reading.instance);
    }
    co_return Result<void>{};
  }

  /// A query that does not give a number leaves the run without a result: a rule on it would
  /// otherwise find nothing to object to.
  Task<void> ask_queries(PostgresSession& session) {
    std::uint16_t spec = first_query;
    at_queries_ = true;
    for (const auto& [name, text] : params_.queries) {
      auto beginning = session.begin_read_only();
      const auto begun = co_await std::move(beginning);
      if (!begun) co_return begun;
      auto asking = session.query(text, {.rows = 2, .columns = 8});
      const auto rows = co_await std::move(asking);
      if (!rows)
        co_return Error{rows.error().code, "query \"" + name + "\": " + rows.error().detail};
      const auto value = number_of_answer(*rows);
      if (!value)
        co_return Error{Errc::malformed,
                        "query \"" + name + "\" at " + dsn_.place() + " " + value.error().detail};
      put(samples_, spec++, *value);
    }
    co_return Result<void>{};
  }

  asio::awaitable<void> collect(PostgresSession& session, Evidence& evidence) {
    if (statistics_)
      evidence.lines.push_back(dsn_.place() + ": " + describe_statistics(*statistics_));
    for (const auto& reading : replicas_) {
      evidence.lines.push_back(describe_replica(reading));
      if (!reading.running && evidence.probable_cause.empty())
        evidence.probable_cause = describe_replica(reading);
    }
    if (const auto left = replication_.catch_up_seconds())
      evidence.recovery_estimate = "replication has caught up in about " +
                                   describe_quantity(*left, Unit::seconds) + " at the present rate";
    append(evidence, holders_);
    if (!holders_.empty() && statistics_->connections >= full * statistics_->room)
      evidence.probable_cause = describe_number(statistics_->connections) + " of " +
                                describe_number(statistics_->room) + " connections are in use, " +
                                holders_.front();
    auto opening = session.open(dsn_);
    const auto opened = co_await std::move(opening);
    if (!opened) co_return;
    auto beginning = session.begin_read_only();
    const auto begun = co_await std::move(beginning);
    if (!begun) co_return;
    auto blocking = blocked_sessions(session);
    const auto blocked = co_await std::move(blocking);
    append(evidence, blocked);
    if (!blocked.empty() && evidence.probable_cause.empty())
      evidence.probable_cause = blocked.front();
    auto ageing = old_transactions(session);
    const auto old = co_await std::move(ageing);
    append(evidence, old);
  }

  PostgresParams params_;
  PostgresDsn dsn_{};
  std::vector<SampleSpec> specs_;
  Samples samples_{};       ///< Of the run under way.
  bool at_queries_{false};  ///< The run has come to the user's own.
  std::string failure_{};   ///< Why the last run found it down.
  /// Of the last run that got so far.
  std::optional<PostgresStatistics> statistics_{};
  std::vector<ReplicaReading> replicas_{};
  std::vector<std::string> holders_{};
  SteadyTime looked_at_{};
  std::optional<double> deadlocks_before_{};
  SeenDeadlocks seen_deadlocks_{};
  ReplicationWatch replication_{};
};

void judge_params(const PostgresParams& params, const Node& map, Decoding& decoding) {
  if (const auto dsn = parse_postgres_dsn(params.dsn); !dsn) {
    auto inner = decoding.at("dsn");
    inner.complain(*map.find("dsn"), dsn.error().detail);
  }
  judge_queries(params.queries, postgres_specs(), map, decoding);
}

}  // namespace

CheckType postgres_check() {
  return check_type<PostgresParams, PostgresCheck>(
      {
          .name = "postgres",
          .summary = "Whether a PostgreSQL server lets one in and answers, how full it is, how its "
                     "replication goes on either side, and what queries of one's own say.",
          .samples = postgres_specs(),
          .default_critical = {"up < 1 for 2 of 3"},
          .example = "name: app-db\n"
                     "type: postgres\n"
                     "dsn: {file: /etc/tocsin/app-db.dsn}\n"
                     "queries:\n"
                     "  unsent_mails: SELECT count(*) FROM mails WHERE sent_at IS NULL\n"
                     "critical:\n"
                     "  - up < 1 for 2 of 3\n"
                     "  - connections_used_ratio > 95% for 1m\n"
                     "  - replica_running < 1 for 2m\n"
                     "warning:\n"
                     "  - longest_transaction_seconds > 30m\n"
                     "  - unsent_mails > 1000 for 5m\n",
      },
      judge_params);
}

}  // namespace tocsin
