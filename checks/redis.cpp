#include "checks/redis.hpp"

#include <algorithm>
#include <utility>

#include "checks/redis_evidence.hpp"
#include "checks/redis_info.hpp"
#include "checks/redis_session.hpp"
#include "checks/reply_by.hpp"

namespace tocsin {
namespace {

using namespace checks;

constexpr std::size_t slow_commands_told = 3;

enum : std::uint16_t {
  up,
  connect_seconds,
  tls_seconds,
  certificate_days,
  ping_seconds,
  loading,
  memory_used_bytes,
  memory_used_ratio,
  memory_fragmentation_ratio,
  evicted_per_second,
  clients,
  clients_used_ratio,
  blocked_clients,
  rejected_clients_per_second,
  commands_per_second,
  hit_ratio,
  connected_replicas,
  replication_link_up,
  replication_lag_seconds,
  replication_lag_bytes,
  last_save_age_seconds,
  last_save_ok,
  unsaved_changes,
  aof_ok,
  uptime_seconds
};

const std::vector<SampleSpec>& redis_specs() {
  static const std::vector<SampleSpec> specs{
      {"up", Unit::none, "1 when it let us in and answered PING, else 0."},
      {"connect_seconds", Unit::seconds, "Time to connect."},
      {"tls_seconds", Unit::seconds, "Time of the TLS handshake."},
      {"certificate_days", Unit::days, "Days until a certificate of its chain ends."},
      {"ping_seconds", Unit::seconds, "Time from PING to its answer."},
      {"loading", Unit::none, "1 while it loads its data from disk, else 0."},
      {"memory_used_bytes", Unit::bytes, "Memory that its data and buffers take."},
      {"memory_used_ratio", Unit::ratio,
       "Memory used of maxmemory; of the host's memory when maxmemory is not set."},
      {"memory_fragmentation_ratio", Unit::ratio, "Memory held by the process to memory used."},
      {"evicted_per_second", Unit::per_second, "Keys evicted for want of memory."},
      {"clients", Unit::none, "Clients connected."},
      {"clients_used_ratio", Unit::ratio, "Clients connected of those that maxclients allows."},
      {"blocked_clients", Unit::none, "Clients that wait in a blocking command."},
      {"rejected_clients_per_second", Unit::per_second, "Clients turned away at maxclients."},
      {"commands_per_second", Unit::per_second, "Commands it runs now."},
      {"hit_ratio", Unit::ratio, "Reads that found their key, since the look before."},
      {"connected_replicas", Unit::none, "Replicas connected to it."},
      {"replication_link_up", Unit::none,
       "On a replica: 1 while it is connected to its primary, else 0."},
      {"replication_lag_seconds", Unit::seconds,
       "On a primary: since the slowest replica acknowledged; on a replica: since it heard from "
       "its "
       "primary."},
      {"replication_lag_bytes", Unit::bytes,
       "On a primary: what the slowest replica has not acknowledged."},
      {"last_save_age_seconds", Unit::seconds, "Time since it last saved its data to disk."},
      {"last_save_ok", Unit::none, "1 when the last save went well, else 0."},
      {"unsaved_changes", Unit::none, "Changes since it last saved."},
      {"aof_ok", Unit::none, "1 when the append-only file is written well, else 0."},
      {"uptime_seconds", Unit::seconds, "Time since it started."},
  };
  return specs;
}

template <class T>
void put_known(Samples& samples, std::uint16_t spec, const std::optional<T>& value) {
  if (value) put(samples, spec, static_cast<double>(*value));
}

/// What the slowest replica that takes the stream lacks.
struct Lag {
  std::optional<double> seconds{}, bytes{};
};
Lag lag_of(const RedisInfo& info) {
  Lag lag;
  if (info.is_replica())
    lag.seconds =
        info.link_up.value_or(false) ? info.primary_silent_seconds : info.link_down_seconds;
  for (const auto& replica : info.replicas) {
    if (replica.state != "online") continue;
    if (replica.silent_seconds)
      lag.seconds = std::max(lag.seconds.value_or(0), *replica.silent_seconds);
    if (const auto behind = info.behind(replica))
      lag.bytes = std::max(lag.bytes.value_or(0), static_cast<double>(*behind));
  }
  return lag;
}

/// The counters of the look before, for rates. Another run_id is another server.
struct Earlier {
  SteadyTime at{};
  RedisInfo info{};
};

std::optional<double> risen(const RedisInfo::Count& now, const RedisInfo::Count& before) {
  if (!now || !before || *now < *before) return std::nullopt;
  return static_cast<double>(*now - *before);
}

class RedisCheck final : public Check {
 public:
  RedisCheck(std::string /*name*/, RedisServer server) : server_{std::move(server)} {}

  std::span<const SampleSpec> specs() const override { return redis_specs(); }

  Task<Samples> run(CheckContext& context) override {
    if (context.gap) earlier_.reset();
    info_.reset();
    failure_.clear();
    auto opening = RedisSession::open(context.network, server_, reply_by(context));
    auto session = co_await std::move(opening);
    auto entering = session.enter(server_);
    co_await std::move(entering);
    Samples samples;
    samples.reserve(redis_specs().size());
    put(samples, up, 0);
    put_time(samples, connect_seconds, session.times().connect);
    put_time(samples, tls_seconds, session.times().tls);
    put_days(samples, certificate_days, session.certificate(), context.clock.wall());
    auto pinging = ping(session, context.clock);
    const auto took = co_await std::move(pinging);
    put_time(samples, ping_seconds, took);
    auto asking = ask_info(session);
    auto blame = co_await std::move(asking);
    if (blame) co_return *std::move(blame);
    samples.front().value = failure_.empty() ? 1 : 0;
    if (info_) put_info(samples, context.clock);
    co_return samples;
  }

  asio::awaitable<Evidence> evidence(CheckContext& context) override {
    Evidence evidence;
    if (!failure_.empty()) evidence.lines.push_back(failure_);
    evidence.probable_cause = failure_;
    if (!info_) co_return evidence;
    const auto now = redis_now(*info_, ours(context.clock));
    for (auto& line : describe_redis(*info_, now)) evidence.lines.push_back(std::move(line));
    if (failure_.empty()) evidence.probable_cause = redis_cause(*info_, server_.place());
    evidence.recovery_estimate = redis_recovery(*info_);
    if (!failure_.empty()) co_return evidence;
    auto reading = slow_log(context, now);
    auto slow = co_await std::move(reading);
    for (auto& line : slow) {
      if (evidence.lines.size() == limits::evidence_lines) break;
      evidence.lines.push_back(std::move(line));
    }
    co_return evidence;
  }

 private:
  static double ours(const Clock& clock) {
    return std::chrono::duration<double>(clock.wall().time_since_epoch()).count();
  }

  /// How long PING took, if there was an answer; failure_ says what was wrong with it.
  asio::awaitable<std::optional<Duration>> ping(RedisSession& session, const Clock& clock) {
    const auto began = clock.steady();
    auto asking = session.ask({{"PING"}});
    const auto replies = co_await std::move(asking);
    if (replies.empty()) co_return std::nullopt;
    const auto& reply = replies.front();
    if (reply.is(RedisReply::Kind::error))
      failure_ = session.refused("PING", reply).error.detail;
    else if (reply.text != "PONG")
      failure_ = session.place() + " answered PING with " + quoted_answer(reply.text);
    co_return clock.steady() - began;
  }

  /// Fills info_ or failure_; an Error is this side's own trouble.
  asio::awaitable<std::optional<Error>> ask_info(RedisSession& session) {
    auto asking = session.ask({{"INFO"}});
    const auto replies = co_await std::move(asking);
    auto fault = session.fault();
    if (!replies.empty() && replies.front().is(RedisReply::Kind::error))
      fault = session.refused("INFO", replies.front());
    if (fault && failure_.empty()) {
      if (fault->is_ours()) co_return std::move(fault->error);
      failure_ = fault->error.detail;
    }
    if (!replies.empty() && replies.front().is(RedisReply::Kind::text))
      info_ = parse_redis_info(replies.front().text);
    co_return std::nullopt;
  }

  void put_info(Samples& samples, const Clock& clock) {
    const auto& info = *info_;
    put_known(samples, loading, info.loading);
    put_known(samples, memory_used_bytes, info.used_memory);
    put_known(samples, memory_used_ratio, redis_memory_ratio(info));
    put_known(samples, memory_fragmentation_ratio, info.fragmentation);
    put_known(samples, clients, info.clients);
    if (info.clients && info.clients_max.value_or(0) > 0)
      put(samples, clients_used_ratio,
          static_cast<double>(*info.clients) / static_cast<double>(*info.clients_max));
    put_known(samples, blocked_clients, info.clients_blocked);
    put_known(samples, commands_per_second, info.commands_per_second);
    put_known(samples, connected_replicas, info.connected_replicas);
    if (info.is_replica()) put_known(samples, replication_link_up, info.link_up);
    const auto lag = lag_of(info);
    put_known(samples, replication_lag_seconds, lag.seconds);
    put_known(samples, replication_lag_bytes, lag.bytes);
    if (info.last_save_time)
      put(samples, last_save_age_seconds,
          std::max(0.0, redis_now(info, ours(clock)) - *info.last_save_time));
    put_known(samples, last_save_ok, info.last_save_ok);
    put_known(samples, unsaved_changes, info.unsaved_changes);
    if (info.aof_enabled.value_or(false)) put_known(samples, aof_ok, info.aof_ok);
    put_known(samples, uptime_seconds, info.uptime_seconds);
    put_rates(samples, clock.steady());
    earlier_ = Earlier{clock.steady(), info};
  }

  void put_rates(Samples& samples, SteadyTime now) {
    if (!earlier_ || earlier_->info.run_id != info_->run_id || now <= earlier_->at) return;
    const auto& before = earlier_->info;
    const auto passed = std::chrono::duration<double>(now - earlier_->at).count();
    if (const auto evicted = risen(info_->evicted_keys, before.evicted_keys))
      put(samples, evicted_per_second, *evicted / passed);
    if (const auto rejected = risen(info_->rejected_connections, before.rejected_connections))
      put(samples, rejected_clients_per_second, *rejected / passed);
    const auto hits = risen(info_->hits, before.hits);
    const auto misses = risen(info_->misses, before.misses);
    if (hits && misses && *hits + *misses > 0) put(samples, hit_ratio, *hits / (*hits + *misses));
  }

  /// What it cannot find out within the time for evidence it leaves out.
  asio::awaitable<std::vector<std::string>> slow_log(CheckContext& context, double now) {
    auto opening = RedisSession::open(context.network, server_, reply_by(context));
    auto session = co_await std::move(opening);
    auto entering = session.enter(server_);
    co_await std::move(entering);
    auto asking = session.ask({{"SLOWLOG", "GET", std::to_string(slow_commands_told)}});
    const auto replies = co_await std::move(asking);
    if (replies.empty()) co_return std::vector<std::string>{};
    co_return describe_slow_log(replies.front(), now);
  }

  RedisServer server_;
  std::string failure_{};            ///< Why the last run found it down.
  std::optional<RedisInfo> info_{};  ///< What INFO said then.
  std::optional<Earlier> earlier_{};
};

}  // namespace

CheckType redis_check() {
  return check_type<RedisServer, RedisCheck>(
      {
          .name = "redis",
          .summary = "Whether a Redis server answers, and how its memory, replication and saving "
                     "are.",
          .samples = redis_specs(),
          .default_critical = {"up < 1 for 2 of 3"},
          .example = "name: cache\n"
                     "type: redis\n"
                     "address: redis-1.internal:6379\n"
                     "password: {file: /etc/tocsin/redis.password}\n"
                     "critical:\n"
                     "  - up < 1 for 2 of 3\n"
                     "  - replication_link_up < 1 for 1m\n"
                     "warning:\n"
                     "  - memory_used_ratio > 90% for 5m\n"
                     "  - last_save_ok < 1 for 10m\n",
      },
      judge_redis_server);
}

}  // namespace tocsin
