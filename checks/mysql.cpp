#include "checks/mysql.hpp"

#include <algorithm>
#include <utility>

#include "checks/mysql_look.hpp"
#include "checks/reply_by.hpp"
#include "checks/seen_deadlocks.hpp"
#include "tocsin/base/limits.hpp"
#include "tocsin/base/text.hpp"

namespace tocsin {
namespace {

using namespace checks;

struct MysqlParams {
  Secret dsn{};
  NamedQueries queries{};
  bool replica{false};
  static constexpr auto fields() {
    using Self = MysqlParams;
    return std::tuple{
        required_field("dsn", &Self::dsn,
                       "mysql://USER:PASSWORD@HOST:PORT/DATABASE, with ?socket=/PATH for a unix "
                       "socket and ?ssl-ca=/PATH or ?ssl-mode=required for TLS. The user needs "
                       "PROCESS and REPLICATION CLIENT (MariaDB: SLAVE MONITOR)."),
        field("queries", &Self::queries,
              "Statements that give one row with one number, by the name of the sample that it "
              "becomes. They run in a read-only transaction and end with the check's timeout; one "
              "that fails, or gives NULL, makes the result unknown."),
        field("replica", &Self::replica,
              "Whether it must be a replica: then one that replicates from nowhere counts as "
              "stopped.")};
  }
};

enum : std::uint16_t {
  up,
  connect_seconds,
  query_seconds,
  connections_used_ratio,
  longest_transaction_seconds,
  replication_lag_seconds,
  replication_lag_bytes,
  replica_running,
  replicas,
  deadlocks,
  first_query
};

const std::vector<SampleSpec>& mysql_specs() {
  static const std::vector<SampleSpec> specs{
      {"up", Unit::none, "1 when it let us in and answered, else 0."},
      {"connect_seconds", Unit::seconds, "Time to resolve, connect and log in."},
      {"query_seconds", Unit::seconds, "Time of one light statement."},
      {"connections_used_ratio", Unit::ratio, "Connections in use, of max_connections."},
      {"longest_transaction_seconds", Unit::seconds, "Age of the oldest open transaction."},
      {"replication_lag_seconds", Unit::seconds,
       "How far a replica is behind; only while it runs, for a stopped one does not know."},
      {"replication_lag_bytes", Unit::bytes,
       "What a replica has received and not applied, while that is within one log file."},
      {"replica_running", Unit::none,
       "1 when a replica both receives and applies, else 0; only of a replica."},
      {"replicas", Unit::none, "How many replicas read its binary log."},
      {"deadlocks", Unit::none, "Deadlocks since the run before."},
  };
  return specs;
}

class MysqlCheck final : public Check {
 public:
  MysqlCheck(std::string /*name*/, MysqlParams params)
      : params_{std::move(params)}, specs_{specs_with_queries(mysql_specs(), params_.queries)} {
    if (auto dsn = parse_mysql_dsn(params_.dsn)) dsn_ = *std::move(dsn);
  }

  std::span<const SampleSpec> specs() const override { return specs_; }

  Task<Samples> run(CheckContext& context) override {
    auto looking =
        look_at_mysql(context.network, context.clock, dsn_, params_.queries, reply_by(context));
    auto looked = co_await std::move(looking);
    if (!looked) co_return looked.error();
    auto reading = *std::move(looked);
    if (reading.fault && !reading.connections) {
      // What was known last helps to tell why it lets nobody in.
      reading.connections = last_.connections;
      reading.connections_max = last_.connections_max;
      auto samples = down();
      remember(std::move(reading));
      co_return samples;
    }
    if (const auto count = new_deadlocks(reading, context.gap))
      seen_deadlocks_.see(*count, context.clock.steady());
    auto samples = measured(reading, context.gap);
    remember(std::move(reading));
    co_return samples;
  }

  asio::awaitable<Evidence> evidence(CheckContext& context) override {
    Evidence evidence;
    auto& lines = evidence.lines;
    if (last_.fault) {
      lines.push_back(last_.fault->error.detail);
      evidence.probable_cause = last_.fault->error.detail;
    }
    if (last_.connections && last_.connections_max)
      lines.push_back(describe_number(*last_.connections) + " of " +
                      describe_number(*last_.connections_max) +
                      (last_.fault ? " connections were in use when it last answered"
                                   : " connections are in use"));
    if (last_.replica && !last_.fault) {
      for (auto& line : last_.replica->lines()) lines.push_back(std::move(line));
      evidence.probable_cause = last_.replica->trouble();
      if (params_.replica && last_.replica->channels.empty())
        evidence.probable_cause = dsn_.place() + " replicates from nowhere";
    }
    if (auto line = seen_deadlocks_.describe_at(
            context.clock.steady(),
            "SHOW ENGINE INNODB STATUS at " + dsn_.place() + " shows the latest");
        !line.empty())
      lines.push_back(std::move(line));
    lines.insert(lines.end(), last_.remarks.begin(), last_.remarks.end());
    if (!last_.fault) {
      auto finding = find_mysql_holders(context.network, context.clock, dsn_, context.deadline);
      auto holders = co_await std::move(finding);
      for (auto& line : holders.lines) lines.push_back(std::move(line));
      if (evidence.probable_cause.empty()) evidence.probable_cause = std::move(holders.cause);
    }
    if (lines.size() > limits::evidence_lines) lines.resize(limits::evidence_lines);
    for (auto& line : lines) line = cut_characters(line, limits::evidence_line_characters);
    co_return evidence;
  }

 private:
  static Samples down() {
    Samples samples;
    put(samples, up, 0);
    return samples;
  }

  Samples measured(const MysqlReading& reading, bool gap) const {
    Samples samples;
    samples.reserve(specs_.size());
    const auto put_known = [&](std::uint16_t spec, const std::optional<double>& value) {
      if (value) put(samples, spec, *value);
    };
    put(samples, up, reading.fault ? 0 : 1);
    put_known(connect_seconds, reading.connect_seconds);
    put_known(query_seconds, reading.query_seconds);
    if (reading.connections && reading.connections_max && *reading.connections_max > 0)
      put(samples, connections_used_ratio, *reading.connections / *reading.connections_max);
    put_known(longest_transaction_seconds, reading.oldest_transaction_seconds);
    put_replica(samples, reading);
    put_known(replicas, reading.replicas);
    put_known(deadlocks, new_deadlocks(reading, gap));
    for (std::size_t i = 0; i < reading.numbers.size(); ++i)
      put(samples, static_cast<std::uint16_t>(first_query + i), reading.numbers[i]);
    return samples;
  }

  /// Nothing when the run before does not tell; less than before: the server was restarted.
  std::optional<double> new_deadlocks(const MysqlReading& reading, bool gap) const {
    if (!reading.deadlocks || !last_.deadlocks || gap || *reading.deadlocks < *last_.deadlocks)
      return std::nullopt;
    return *reading.deadlocks - *last_.deadlocks;
  }

  void put_replica(Samples& samples, const MysqlReading& reading) const {
    if (!reading.replica) return;
    const auto& replica = *reading.replica;
    if (replica.channels.empty()) {
      if (params_.replica) put(samples, replica_running, 0);
      return;
    }
    if (const auto lag = replica.lag_seconds()) put(samples, replication_lag_seconds, *lag);
    if (const auto lag = replica.lag_bytes()) put(samples, replication_lag_bytes, *lag);
    put(samples, replica_running, replica.running() ? 1 : 0);
  }

  void remember(MysqlReading reading) {
    if (!reading.deadlocks) reading.deadlocks = last_.deadlocks;
    last_ = std::move(reading);
  }

  MysqlParams params_;
  std::vector<SampleSpec> specs_;
  MysqlDsn dsn_{};
  MysqlReading last_{};
  SeenDeadlocks seen_deadlocks_{};
};

void judge(const MysqlParams& params, const Node& map, Decoding& decoding) {
  const auto dsn = parse_mysql_dsn(params.dsn);
  if (!dsn) {
    auto inner = decoding.at("dsn");
    inner.complain(*map.find("dsn"), dsn.error().detail);
  }
  judge_queries(params.queries, mysql_specs(), map, decoding);
}

}  // namespace

CheckType mysql_check() {
  return check_type<MysqlParams, MysqlCheck>(
      {
          .name = "mysql",
          .summary = "Whether a MariaDB or MySQL server lets us in and answers, its connections, "
                     "oldest transaction, deadlocks and replication, and numbers of your own.",
          .samples = mysql_specs(),
          .default_critical = {"up < 1 for 2 of 3"},
          .example = "name: orders-db\n"
                     "type: mysql\n"
                     "dsn: {file: /etc/tocsin/orders-db.dsn}\n"
                     "critical:\n"
                     "  - up < 1 for 2 of 3\n"
                     "  - replica_running < 1 for 1m\n"
                     "warning:\n"
                     "  - connections_used_ratio > 80% for 1m\n"
                     "  - longest_transaction_seconds > 10m\n",
      },
      judge);
}

}  // namespace tocsin
