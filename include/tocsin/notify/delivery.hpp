#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "tocsin/base/error.hpp"
#include "tocsin/base/time.hpp"

namespace tocsin {

/// The other side said yes. What it told us of the thing it made, if it made one.
struct Delivered {
  std::string channel_id{}, channel_name{}, channel_url{};  ///< After CreateChannel.
  std::string
      thread{};  ///< After CreateChannel, when only a thread in the fallback channel could be had.
  std::string message{};  ///< After PutSummary, Post: the message's id (Slack's ts).
  std::string
      routing_key_digest{};  ///< After a trigger: SHA-256 of the routing key it went out with.
  std::vector<std::string>
      notes{};  ///< What people should know: "invited 3 of 4: @cto is deactivated".
};
/// Theirs, temporary: back off and try again.
struct Retry {
  Error why{};
  std::optional<Duration> no_sooner{};  ///< Retry-After, or our own rate limit.
  bool ambiguous{false};                ///< It may have been carried out although we saw no answer.
  bool attempted{
      true};  ///< False when our own rate limit held it back: does not count as an attempt.
};
/// Theirs, final: becomes a dead letter, visible and revivable.
struct Rejected {
  Error why{};
};
/// Ours (credentials, TLS): stop this receiver, keep its queue, say so loudly.
struct Halt {
  Error why{};
};

/// The outcome of one attempt: a closed set, and each is a policy.
using Delivery = std::variant<Delivered, Retry, Rejected, Halt>;

}  // namespace tocsin
