#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include "tocsin/async/clock.hpp"

namespace tocsin {

/// "Something changed, look again": one coroutine waits, any code on the loop raises. A raise
/// before the wait is kept; many raises wake once. Not thread-safe: one loop.
class Wakeup {
 public:
  explicit Wakeup(asio::any_io_executor executor);
  void raise();
  /// Returns when raised, and lowers the flag. Throws when cancelled.
  asio::awaitable<void> wait();
  /// Returns when raised or at the deadline, whichever is first; true when raised.
  asio::awaitable<bool> wait_until(Clock& clock, SteadyTime deadline);

 private:
  asio::steady_timer bell_;
  bool raised_{false};
};

}  // namespace tocsin
