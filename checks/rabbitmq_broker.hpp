#pragma once

#include <string>
#include <string_view>

#include "checks/queue_rabbitmq.hpp"
#include "checks/rabbitmq_reply.hpp"

namespace tocsin::checks {

/// What is asked for of each queue. Without it an answer lists every channel and consumer.
inline constexpr std::string_view rabbitmq_columns =
    "columns=name,state,messages,messages_ready,messages_unacknowledged,consumers,"
    "head_message_timestamp,message_stats";

/// The management interface of one broker: how it is asked, and its answers in words.
class RabbitmqBroker {
 public:
  explicit RabbitmqBroker(const RabbitmqQueue& params);

  const std::string& place() const { return place_; }
  /// `queue "mailers" of vhost "shop"`; the usual vhost is not said.
  std::string queue_words(const std::string& queue) const;
  /// `vhost "shop"`.
  std::string vhost_words() const;
  /// "/api/queues/VHOST".
  const std::string& queues_path() const { return queues_path_; }
  /// GET of `path` below the URL. The deadline is the caller's to set.
  HttpRequest request(std::string_view path) const { return request_below(access_, path); }

  /// Why an answer is none: `what` is what would not be there if it is a 404 of the interface's
  /// own ("queue "mailers"").
  std::string refused(const HttpResponse& response, const std::string& what) const;
  /// Errc::missing when the broker has no numbers of the queue yet.
  Result<QueueReading> reading(const RabbitmqQueueReply& reply, const std::string& queue,
                               WallTime now) const;
  static QueueReading down(std::string why);

  /// That it blocks whoever publishes, when it does: for evidence.
  asio::awaitable<std::string> alarms(CheckContext& context) const;

 private:
  HttpAccess access_;
  std::string vhost_;
  std::string place_;
  std::string queues_path_;
};

}  // namespace tocsin::checks
