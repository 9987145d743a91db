#include "checks/queue_rabbitmq.hpp"

#include <algorithm>
#include <utility>

#include "checks/net_samples.hpp"
#include "checks/rabbitmq_reply.hpp"
#include "checks/reply_by.hpp"
#include "tocsin/base/text.hpp"

namespace tocsin::checks {
namespace {

constexpr std::size_t name_characters_max = 100;

/// Without these the answer lists every channel and consumer.
constexpr std::string_view columns =
    "?columns=name,state,messages,messages_ready,messages_unacknowledged,consumers,"
    "head_message_timestamp,message_stats";

class RabbitmqSource final : public QueueSource {
 public:
  explicit RabbitmqSource(RabbitmqQueue params)
      : params_{std::move(params)},
        place_{place_of(params_)},
        request_{request_below(params_, "/api/queues/" + percent_encoded(params_.vhost) + "/" +
                                            percent_encoded(params_.queue) +
                                            std::string{columns})} {}

  std::string name() const override { return queue_words() + " on " + place_; }

  Task<QueueReading> look(CheckContext& context) override {
    auto request = request_;
    request.deadline = reply_by(context);
    auto asking = context.network.http(std::move(request));
    const auto outcome = co_await std::move(asking);
    if (outcome.failure) {
      if (says_nothing_of_peer(outcome.failure->error)) co_return outcome.failure->error;
      co_return down(outcome.failure->error.detail);
    }
    co_return read(*outcome.response, context.clock.wall());
  }

 private:
  static std::string quoted(const std::string& name) {
    return "\"" + cut_characters(clean_utf8(name), name_characters_max) + "\"";
  }
  std::string queue_words() const {
    return "queue " + quoted(params_.queue) +
           (params_.vhost == "/" ? "" : " of vhost " + quoted(params_.vhost));
  }

  static QueueReading down(std::string why) {
    QueueReading reading;
    reading.up = false;
    reading.failure = std::move(why);
    return reading;
  }

  QueueReading refused(const HttpResponse& response) const {
    const auto reason = rabbitmq_reason(response.body);
    if (response.status == 404 && !reason.empty())
      return down("there is no " + queue_words() + " on " + place_ + " (status 404)");
    if (response.status == 404)
      return down("no management interface of RabbitMQ answers below the URL on " + place_ +
                  " (status 404)");
    return down(refusal(params_, response) + (reason.empty() ? "" : ": " + quoted_answer(reason)));
  }

  Result<QueueReading> read(const HttpResponse& response, WallTime now) const {
    if (response.status < 200 || response.status > 299) return refused(response);
    const auto reply = parse_rabbitmq_queue(response.body);
    if (!reply) return down("the answer of " + place_ + " " + reply.error().detail);
    if (reply->is_down()) return down(queue_words() + " is " + reply->state + " on " + place_);
    if (!reply->messages)
      return Error{Errc::missing,
                   place_ + " has no statistics of " + queue_words() +
                       " yet: they come within seconds unless management.disable_stats is set"};
    QueueReading reading;
    reading.depth = *reply->messages;
    reading.consumers = reply->consumers;
    reading.in_total = reply->published;
    reading.out_total = reply->done;
    reading.in_per_second = reply->published_per_second;
    reading.out_per_second = reply->done_per_second;
    if (reply->head_timestamp && reading.depth > 0) {
      const auto sent = *reply->head_timestamp;
      const std::chrono::duration<double> wall = now.time_since_epoch();
      reading.oldest_seconds = std::max(0.0, wall.count() - sent);
    }
    if (reply->ready && reply->unacknowledged && *reply->unacknowledged > 0)
      reading.remarks.push_back(describe_number(*reply->ready) + " ready, " +
                                describe_number(*reply->unacknowledged) +
                                " delivered and not acknowledged");
    return reading;
  }

  RabbitmqQueue params_;
  std::string place_;
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
  if (params.queue.empty()) complain("queue", "a queue has a name");
  if (params.vhost.empty()) complain("vhost", "a virtual host has a name; the usual one is \"/\"");
  constexpr std::string_view api = "/api";
  const auto& target = params.url.target;
  if (target.find(std::string{api} + "/") != std::string::npos || target.ends_with(api))
    complain("url", "leave /api out: give the address of the management interface");
}

std::unique_ptr<QueueSource> make_source(RabbitmqQueue params) {
  return std::make_unique<RabbitmqSource>(std::move(params));
}

}  // namespace tocsin::checks
