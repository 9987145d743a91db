#pragma once

#include <memory>
#include <string>
#include <tuple>

#include "checks/queue_source.hpp"
#include "tocsin/net/url.hpp"

namespace tocsin::checks {

/// The keys of `from: {beanstalkd: …}`.
struct BeanstalkdQueue {
  HostPort address{};
  std::string tube{"default"};
  static constexpr auto fields() {
    using Self = BeanstalkdQueue;
    return std::tuple{
        required_field("address", &Self::address, "Where beanstalkd listens: HOST:PORT."),
        field(
            "tube", &Self::tube,
            "The tube. Every connection watches the tube default unless it says otherwise, so its "
            "consumers cannot be told from producers: better use one of a name.")};
  }
  friend bool operator==(const BeanstalkdQueue&, const BeanstalkdQueue&) = default;
};

/// Complains of what the fields cannot see. `map` is that of the back end.
void judge_source(const BeanstalkdQueue& params, const Node& map, Decoding& decoding);
std::unique_ptr<QueueSource> make_source(BeanstalkdQueue params);

}  // namespace tocsin::checks
