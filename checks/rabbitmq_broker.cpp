#include "checks/rabbitmq_broker.hpp"

#include <algorithm>
#include <utility>

#include "checks/reply_by.hpp"
#include "tocsin/base/text.hpp"

namespace tocsin::checks {
namespace {

constexpr std::size_t name_characters_max = 100;

std::string quoted(const std::string& name) {
  return "\"" + cut_characters(clean_utf8(name), name_characters_max) + "\"";
}

}  // namespace

RabbitmqBroker::RabbitmqBroker(const RabbitmqQueue& params)
    : access_{params},
      vhost_{params.vhost},
      place_{place_of(params)},
      queues_path_{"/api/queues/" + percent_encoded(params.vhost)} {}

std::string RabbitmqBroker::queue_words(const std::string& queue) const {
  return "queue " + quoted(queue) + (vhost_ == "/" ? "" : " of vhost " + quoted(vhost_));
}

std::string RabbitmqBroker::vhost_words() const { return "vhost " + quoted(vhost_); }

QueueReading RabbitmqBroker::down(std::string why) {
  QueueReading reading;
  reading.up = false;
  reading.failure = std::move(why);
  return reading;
}

std::string RabbitmqBroker::refused(const HttpResponse& response, const std::string& what) const {
  const auto reason = rabbitmq_reason(response.body);
  if (response.status == 404 && !reason.empty())
    return "there is no " + what + " on " + place_ + " (status 404)";
  if (response.status == 404)
    return "no management interface of RabbitMQ answers below the URL on " + place_ +
           " (status 404)";
  return refusal(access_, response) + (reason.empty() ? "" : ": " + quoted_answer(reason));
}

Result<QueueReading> RabbitmqBroker::reading(const RabbitmqQueueReply& reply,
                                             const std::string& queue, WallTime now) const {
  if (reply.is_down()) return down(queue_words(queue) + " is " + reply.state + " on " + place_);
  if (!reply.messages)
    return Error{Errc::missing,
                 place_ + " has no statistics of " + queue_words(queue) +
                     " yet: they come within seconds unless management.disable_stats is set"};
  QueueReading reading;
  reading.depth = *reply.messages;
  reading.consumers = reply.consumers;
  reading.in_total = reply.published;
  reading.out_total = reply.done;
  reading.in_per_second = reply.published_per_second;
  reading.out_per_second = reply.done_per_second;
  if (reply.head_timestamp && reading.depth > 0) {
    const std::chrono::duration<double> wall = now.time_since_epoch();
    reading.oldest_seconds = std::max(0.0, wall.count() - *reply.head_timestamp);
  }
  if (reply.ready && reply.unacknowledged && *reply.unacknowledged > 0)
    reading.remarks.push_back(describe_number(*reply.ready) + " ready, " +
                              describe_number(*reply.unacknowledged) +
                              " delivered and not acknowledged");
  return reading;
}

asio::awaitable<std::string> RabbitmqBroker::alarms(CheckContext& context) const {
  auto asked = request("/api/health/checks/alarms");
  asked.deadline = reply_by(context);
  auto asking = context.network.http(std::move(asked));
  const auto outcome = co_await std::move(asking);
  // 503 says that the answer is bad news; anything else is none or no such interface.
  if (!outcome.response || outcome.response->status != 503) co_return std::string{};
  const auto words = rabbitmq_alarms(outcome.response->body);
  if (words.empty()) co_return std::string{};
  co_return place_ + " blocks whoever publishes: alarm for " + words;
}

}  // namespace tocsin::checks
