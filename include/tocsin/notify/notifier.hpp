#pragma once

#include <string>

#include <boost/asio/awaitable.hpp>

#include "tocsin/async/task.hpp"
#include "tocsin/model/effect.hpp"
#include "tocsin/notify/delivery.hpp"
#include "tocsin/notify/draft.hpp"

namespace tocsin {

/// Carries drafts to one receiver. Keeps no queue and decides no retry: it says what happened, and
/// policy does the rest.
class Notifier {
 public:
  virtual ~Notifier() = default;
  /// One attempt, ended by the deadline. Never throws except when cancelled; no secret in any text.
  virtual asio::awaitable<Delivery> deliver(Draft draft, SteadyTime deadline) = 0;
  /// Proves credentials and reachability without opening anything: `tocsin notify test`. The
  /// sentence says what was proved, as whom.
  virtual Task<std::string> test(SteadyTime deadline) = 0;
};

}  // namespace tocsin
