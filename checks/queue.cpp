#include "checks/queue.hpp"

#include <memory>
#include <optional>
#include <tuple>
#include <utility>

#include "checks/followed_queue.hpp"
#include "checks/queue_beanstalkd.hpp"
#include "checks/queue_group.hpp"
#include "checks/queue_mysql.hpp"
#include "checks/queue_postgres.hpp"
#include "checks/queue_rabbitmq.hpp"
#include "checks/queue_redis.hpp"
#include "checks/queue_source.hpp"

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
    return std::tuple{field("rabbitmq", &Self::rabbitmq,
                            "A queue of RabbitMQ or several, by its management interface."),
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

/// Follows one queue.
class OneQueueCheck final : public Check {
 public:
  explicit OneQueueCheck(std::unique_ptr<QueueSource> source)
      : source_{std::move(source)}, queue_{source_->name()} {}

  std::span<const SampleSpec> specs() const override { return queue_specs(); }

  Task<Samples> run(CheckContext& context) override {
    auto looking = source_->look(context);
    auto seen = co_await std::move(looking);
    if (context.gap) queue_.forget();
    if (!seen) {
      queue_.lose();
      co_return seen.error();
    }
    queue_.note(*std::move(seen), context.clock.steady());
    Samples samples;
    samples.reserve(queue_specs().size());
    queue_.put_samples(samples);
    co_return samples;
  }

  asio::awaitable<Evidence> evidence(CheckContext& context) override {
    std::string trouble;
    if (queue_.reading() && queue_.reading()->up) {
      auto asking = source_->trouble_of_server(context);
      trouble = co_await std::move(asking);
    }
    Evidence evidence;
    queue_.describe(context.clock.steady(), evidence);
    if (!trouble.empty()) evidence.lines.push_back(trouble);
    if (evidence.probable_cause.empty()) evidence.probable_cause = std::move(trouble);
    co_return evidence;
  }

 private:
  std::unique_ptr<QueueSource> source_;
  FollowedQueue queue_;
};

/// Follows one queue or several, as the back end is told.
class QueueCheck final : public Check {
 public:
  QueueCheck(std::string /*name*/, QueueParams params) {
    if (params.from.rabbitmq && names_several(*params.from.rabbitmq)) {
      check_ = make_queue_group_check(make_group(*std::move(params.from.rabbitmq)));
      return;
    }
    each_named(params.from, [this](std::string_view, const auto& block) {
      check_ = std::make_unique<OneQueueCheck>(make_source(block));
    });
  }

  std::span<const SampleSpec> specs() const override { return check_->specs(); }
  Task<Samples> run(CheckContext& context) override { return check_->run(context); }
  asio::awaitable<Evidence> evidence(CheckContext& context) override {
    return check_->evidence(context);
  }

 private:
  std::unique_ptr<Check> check_{};
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
