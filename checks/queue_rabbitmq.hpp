#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <tuple>

#include "checks/http_access.hpp"
#include "checks/one_or_more.hpp"
#include "checks/queue_group.hpp"
#include "checks/queue_source.hpp"

namespace tocsin::checks {

/// The keys of `from: {rabbitmq: …}`.
struct RabbitmqQueue : HttpAccess {
  std::string vhost{"/"};
  OneOrMore queue{};
  static constexpr auto fields() {
    using Self = RabbitmqQueue;
    return std::tuple_cat(
        access_fields("The management interface, as http://mq:15672."),
        std::tuple{field("vhost", &Self::vhost, "The virtual host of the queue."),
                   required_field("queue", &Self::queue,
                                  "The queue's name. Or several queues: names and globs "
                                  "such as mailers-*, of which the first 64 are watched.")});
  }
  friend bool operator==(const RabbitmqQueue&, const RabbitmqQueue&) = default;
};

/// Complains of what the fields cannot see. `map` is that of the back end.
void judge_source(const RabbitmqQueue& params, const Node& map, Decoding& decoding);
/// Whether a queue's name is a glob: it has a '*' or a '?' in it.
inline bool is_queue_glob(std::string_view name) {
  return name.find_first_of("*?") != std::string_view::npos;
}
/// Whether it is about several queues: then make_group() is for it, else make_source().
bool names_several(const RabbitmqQueue& params);
std::unique_ptr<QueueSource> make_source(RabbitmqQueue params);
std::unique_ptr<QueueGroup> make_group(RabbitmqQueue params);

}  // namespace tocsin::checks
