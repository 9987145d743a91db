#pragma once

#include <memory>
#include <string>
#include <tuple>

#include "checks/http_access.hpp"
#include "checks/queue_source.hpp"

namespace tocsin::checks {

/// The keys of `from: {rabbitmq: …}`.
struct RabbitmqQueue : HttpAccess {
  std::string vhost{"/"};
  std::string queue{};
  static constexpr auto fields() {
    using Self = RabbitmqQueue;
    return std::tuple_cat(access_fields("The management interface, as http://mq:15672."),
                          std::tuple{field("vhost", &Self::vhost, "The virtual host of the queue."),
                                     required_field("queue", &Self::queue, "The queue's name.")});
  }
  friend bool operator==(const RabbitmqQueue&, const RabbitmqQueue&) = default;
};

/// Complains of what the fields cannot see. `map` is that of the back end.
void judge_source(const RabbitmqQueue& params, const Node& map, Decoding& decoding);
std::unique_ptr<QueueSource> make_source(RabbitmqQueue params);

}  // namespace tocsin::checks
