#include "checks/queue.hpp"

#include <memory>
#include <optional>
#include <tuple>
#include <utility>

#include "checks/queue_beanstalkd.hpp"
#include "checks/queue_flow.hpp"
#include "checks/queue_mysql.hpp"
#include "checks/queue_postgres.hpp"
#include "checks/queue_rabbitmq.hpp"
#include "checks/queue_redis.hpp"
#include "checks/queue_source.hpp"
#include "tocsin/base/text.hpp"

namespace tocsin {
namespace {

using namespace checks;

/// Where the numbers come from: exactly one of these. Another back end is a pair of files
/// queue_NAME.{hpp,cpp} with a block of keys, judge_source() and make_source() for it, and a member
/// and a field here.
struct QueueFrom {
  std::optional<RabbitmqQueue> rabbitmq{};
  std::optional<RedisQueue> redis{};
  std::optional<BeanstalkdQueue> beanstalkd{};
  std::optional<PostgresQueue> postgres{};
  std::optional<MysqlQueue> mysql{};
  static constexpr auto fields() {
    using Self = QueueFrom;
    return std::tuple{
        field("rabbitmq", &Self::rabbitmq, "A queue of RabbitMQ, by its management interface."),
        field("redis", &Self::redis, "A list, a sorted set or a stream of Redis."),
        field("beanstalkd", &Self::beanstalkd, "A tube of beanstalkd."),
        field("postgres", &Self::postgres, "A query to PostgreSQL."),
        field("mysql", &Self::mysql, "A query to MariaDB or MySQL.")};
  }
  friend bool operator==(const QueueFrom&, const QueueFrom&) = default;
};

struct QueueParams {
  QueueFrom from{};
  static constexpr auto fields() {
    using Self = QueueParams;
    return std::tuple{required_field("from", &Self::from, "The queue: exactly one back end.")};
  }
};

/// Calls `use(key, block)` for each back end that is configured.
template <class Use>
void each_named(const QueueFrom& from, const Use& use) {
  const auto one = [&](const auto& f) {
    if (const auto& block = from.*(f.member)) use(f.name, *block);
  };
  std::apply([&](const auto&... f) { (one(f), ...); }, QueueFrom::fields());
}

enum : std::uint16_t {
  up,
  depth,
  oldest_seconds,
  consumers,
  in_per_second,
  out_per_second,
  drain_seconds
};

const std::vector<SampleSpec>& queue_specs() {
  static const std::vector<SampleSpec> specs{
      {"up", Unit::none, "1 when the server answers and has the queue, else 0."},
      {"depth", Unit::none, "How many wait or are being worked on."},
      {"oldest_seconds", Unit::seconds, "Age of the oldest that waits, where the server knows it."},
      {"consumers", Unit::none, "How many take from it, where the server knows it."},
      {"in_per_second", Unit::per_second, "How many come in, over the last minute."},
      {"out_per_second", Unit::per_second, "How many are done, over the last minute."},
      {"drain_seconds", Unit::seconds,
       "Time until it is empty at the present rates; 30 days when it does not drain."},
  };
  return specs;
}

class QueueCheck final : public Check {
 public:
  QueueCheck(std::string /*name*/, QueueParams params) {
    each_named(params.from,
               [this](std::string_view, const auto& block) { source_ = make_source(block); });
  }

  std::span<const SampleSpec> specs() const override { return queue_specs(); }

  Task<Samples> run(CheckContext& context) override {
    auto looking = source_->look(context);
    auto seen = co_await std::move(looking);
    if (context.gap || !seen || !seen->up) flow_.forget();
    if (!seen) {
      reading_.reset();
      co_return seen.error();
    }
    reading_ = *std::move(seen);
    if (reading_->up) flow_.note(*reading_, context.clock.steady());
    co_return samples();
  }

  asio::awaitable<Evidence> evidence(CheckContext& context) override {
    Evidence evidence;
    if (reading_ && !reading_->up) {
      evidence.lines.push_back(reading_->failure);
      evidence.probable_cause = reading_->failure;
    } else if (reading_) {
      describe_queue(context.clock.steady(), evidence);
    }
    co_return evidence;
  }

 private:
  Samples samples() const {
    Samples samples;
    samples.reserve(queue_specs().size());
    put(samples, up, reading_->up ? 1 : 0);
    if (!reading_->up) return samples;
    const auto put_known = [&](std::uint16_t spec, const std::optional<double>& value) {
      if (value) put(samples, spec, *value);
    };
    put(samples, depth, reading_->depth);
    put_known(oldest_seconds, reading_->oldest_seconds);
    put_known(consumers, reading_->consumers);
    put_known(in_per_second, flow_.rates().in);
    put_known(out_per_second, flow_.rates().out);
    put_known(drain_seconds, flow_.drain_seconds());
    return samples;
  }

  /// "5120 in queue "mailers" on mq:15672, 0 consumers, the oldest 14m old".
  std::string state_in_words() const {
    auto words = describe_number(reading_->depth) + " in " + source_->name();
    if (const auto& count = reading_->consumers)
      words += ", " + describe_number(*count) + (*count == 1 ? " consumer" : " consumers");
    if (const auto& age = reading_->oldest_seconds)
      words += ", the oldest " + describe_quantity(*age, Unit::seconds) + " old";
    return words;
  }

  void describe_queue(SteadyTime now, Evidence& evidence) const {
    const auto estimate = flow_.drain_estimate();
    const auto rates = flow_.rates_in_words();
    evidence.lines.push_back(state_in_words());
    if (!rates.empty()) evidence.lines.push_back(rates);
    if (auto growth = flow_.growth_in_words(now); !growth.empty())
      evidence.lines.push_back("it " + std::move(growth));
    for (const auto& remark : reading_->remarks) evidence.lines.push_back(remark);
    if (!estimate.empty()) evidence.lines.push_back("it " + estimate);
    evidence.recovery_estimate = estimate;
    if (reading_->depth <= 0 || !reading_->consumers) return;
    const auto& rate = flow_.rates();
    if (*reading_->consumers < 1)
      evidence.probable_cause = "nobody consumes " + source_->name();
    else if (rate.growth && *rate.growth > 0 && rate.in && rate.out && *rate.in > *rate.out)
      evidence.probable_cause =
          "more comes in than is taken out of " + source_->name() + ": " + rates;
  }

  std::unique_ptr<QueueSource> source_{};
  QueueFlow flow_{};
  std::optional<QueueReading> reading_{};  ///< Of the last run, unless it failed to measure.
};

void judge_params(const QueueParams& params, const Node& map, Decoding& decoding) {
  const auto* from = map.find("from");
  if (from == nullptr) return;
  auto inside = decoding.at("from");
  std::string named;
  int count = 0;
  each_named(params.from, [&](std::string_view key, const auto& block) {
    named += (named.empty() ? "" : ", ") + std::string{key};
    ++count;
    auto inner = inside.at(key);
    if (const auto* node = from->find(key)) judge_source(block, *node, inner);
  });
  if (count == 1) return;
  std::string known;
  for (const auto key : field_names(QueueFrom::fields()))
    known += (known.empty() ? "" : ", ") + std::string{key};
  inside.complain(*from, count == 0 ? "name one back end: " + known
                                    : "name one back end, not several (" + named + ")");
}

}  // namespace

CheckType queue_check() {
  return check_type<QueueParams, QueueCheck>(
      {
          .name = "queue",
          .summary = "How long a queue is, whether anybody works on it, and when it will be empty.",
          .samples = queue_specs(),
          .default_critical = {"consumers < 1 and depth > 0 for 2m", "up < 1 for 2 of 3"},
          .example = "name: mailers\n"
                     "type: queue\n"
                     "from:\n"
                     "  rabbitmq:\n"
                     "    url: http://mq.example.com:15672\n"
                     "    vhost: /\n"
                     "    queue: mailers\n"
                     "    username: monitoring\n"
                     "    password: {file: /etc/tocsin/rabbitmq.password}\n"
                     "warning: drain_seconds > 1h and depth > 1000 for 10m\n",
      },
      judge_params);
}

}  // namespace tocsin
