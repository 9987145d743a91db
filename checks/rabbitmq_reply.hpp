#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tocsin/base/error.hpp"

namespace tocsin::checks {

/// What the management interface of RabbitMQ tells of one queue (GET /api/queues/VHOST/NAME). A
/// number that is not in the answer stays empty: a new queue has none for some seconds, and a
/// broker may be told to keep no statistics.
struct RabbitmqQueueReply {
  std::string state{};  ///< "running", "idle", "flow", "down", …; empty when it is not said.
  std::optional<double> messages{};
  std::optional<double> ready{};
  std::optional<double> unacknowledged{};
  std::optional<double> consumers{};
  std::optional<double> published{};  ///< Counter: all that was routed to it.
  /// Counter: all that left it for good by delivery (acknowledged, or delivered where no
  /// acknowledgement was asked for).
  std::optional<double> done{};
  std::optional<double> published_per_second{};  ///< As the broker computed it.
  std::optional<double> done_per_second{};
  /// When the oldest message says it was sent, in seconds since 1970; senders rarely say so.
  std::optional<double> head_timestamp{};

  /// Whether the queue itself is out of service though the broker answers.
  bool is_down() const;
};

/// Reads the answer, whatever it is. Errc::malformed when it is not the description of a queue.
Result<RabbitmqQueueReply> parse_rabbitmq_queue(std::string_view body);

/// One of a page's queues.
struct RabbitmqListed {
  std::string name{};  ///< As safe as clean_utf8() makes it; 1 to 255 bytes.
  RabbitmqQueueReply queue{};
};

/// A page of the list of queues (GET /api/queues/VHOST?page=N&…). A broker that knows no pages
/// answers with the whole list, which is one page then.
struct RabbitmqPage {
  std::vector<RabbitmqListed> queues{};  ///< Without those that have no name.
  std::uint64_t pages{1};                ///< How many there were when it answered.
  std::uint64_t listed{0};               ///< Queues on all the pages then.
};

/// Reads the answer, whatever it is. Errc::malformed when it is no list of queues.
Result<RabbitmqPage> parse_rabbitmq_page(std::string_view body);

/// Whether the answer says that there is no such page (any more).
bool is_beyond_last_page(std::string_view body);

/// "memory on rabbit@mq, disk on rabbit@mq2": the alarms in an answer of GET
/// /api/health/checks/alarms; "" when it names none.
std::string rabbitmq_alarms(std::string_view body);

/// The `reason` of an answer that is an error ("Not Found"); "" when the body is none of the
/// management interface's.
std::string rabbitmq_reason(std::string_view body);

}  // namespace tocsin::checks
