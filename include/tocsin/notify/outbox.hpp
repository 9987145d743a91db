#pragma once

#include <optional>

#include <boost/asio/awaitable.hpp>

#include "tocsin/model/effect.hpp"
#include "tocsin/notify/delivery.hpp"
#include "tocsin/notify/draft.hpp"

namespace tocsin {

/// An entry taken for one attempt: the claim is durable before it is handed out.
struct Claim {
  ReceiverId receiver{};
  Draft draft{};
};

/// Where the dispatcher gets its work and leaves the outcome. Implemented by the engine, over the
/// store.
class Outbox {
 public:
  virtual ~Outbox() = default;
  /// Waits until an entry's turn has come (lane order, backoff, predicate) and takes it. Throws
  /// when cancelled.
  virtual asio::awaitable<Claim> next() = 0;
  /// Records the outcome of the attempt, together with all that follows from it, in one commit.
  virtual void settle(const Claim& claim, const Delivery& delivery, Duration took) = 0;
};

}  // namespace tocsin
