#include "checks/queue_rabbitmq.hpp"

#include <utility>

#include "checks/rabbitmq_broker.hpp"
#include "checks/reply_by.hpp"

namespace tocsin::checks {
namespace {

class RabbitmqSource final : public QueueSource {
 public:
  explicit RabbitmqSource(const RabbitmqQueue& params)
      : broker_{params},
        queue_{params.queue.values.front()},
        request_{broker_.request(broker_.queues_path() + "/" + percent_encoded(queue_) + "?" +
                                 std::string{rabbitmq_columns})} {}

  std::string name() const override {
    return broker_.queue_words(queue_) + " on " + broker_.place();
  }

  Task<QueueReading> look(CheckContext& context) override {
    auto request = request_;
    request.deadline = reply_by(context);
    auto asking = context.network.http(std::move(request));
    const auto outcome = co_await std::move(asking);
    if (outcome.failure) {
      if (says_nothing_of_peer(outcome.failure->error)) co_return outcome.failure->error;
      co_return RabbitmqBroker::down(outcome.failure->error.detail);
    }
    co_return read(*outcome.response, context.clock.wall());
  }

  asio::awaitable<std::string> trouble_of_server(CheckContext& context) override {
    return broker_.alarms(context);
  }

 private:
  Result<QueueReading> read(const HttpResponse& response, WallTime now) const {
    if (response.status < 200 || response.status > 299)
      return RabbitmqBroker::down(broker_.refused(response, broker_.queue_words(queue_)));
    const auto reply = parse_rabbitmq_queue(response.body);
    if (!reply)
      return RabbitmqBroker::down("the answer of " + broker_.place() + " " + reply.error().detail);
    return broker_.reading(*reply, queue_, now);
  }

  RabbitmqBroker broker_;
  std::string queue_;
  HttpRequest request_;
};

}  // namespace

void judge_source(const RabbitmqQueue& params, const Node& map, Decoding& decoding) {
  judge_access(params, map, decoding);
  const auto complain = [&](std::string_view key, std::string message) {
    auto inner = decoding.at(key);
    const auto* node = map.find(key);
    inner.complain(node != nullptr ? *node : map, std::move(message));
  };
  const auto& queues = params.queue.values;
  if (queues.empty() || queues.size() > queues_watched_max)
    complain("queue", "expected 1 to " + std::to_string(queues_watched_max) + " names and globs");
  for (const auto& name : queues)
    if (name.empty()) complain("queue", "a queue has a name");
  if (params.vhost.empty()) complain("vhost", "a virtual host has a name; the usual one is \"/\"");
  constexpr std::string_view api = "/api";
  const auto& target = params.url.target;
  if (target.find(std::string{api} + "/") != std::string::npos || target.ends_with(api))
    complain("url", "leave /api out: give the address of the management interface");
}

bool names_several(const RabbitmqQueue& params) {
  const auto& queues = params.queue.values;
  return queues.size() > 1 || is_queue_glob(queues.front());
}

std::unique_ptr<QueueSource> make_source(RabbitmqQueue params) {
  return std::make_unique<RabbitmqSource>(params);
}

}  // namespace tocsin::checks
