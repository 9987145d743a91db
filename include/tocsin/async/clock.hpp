#pragma once

#include <boost/asio/awaitable.hpp>

#include "tocsin/async/task.hpp"
#include "tocsin/base/time.hpp"

namespace tocsin {

/// Time as a capability: the only way to read a clock or to wait. The real one is in agent/runtime,
/// the manual one in tests/fakes.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual SteadyTime steady() const noexcept = 0;
  virtual WallTime wall() const noexcept = 0;
  Now now() const noexcept { return {steady(), wall()}; }
  /// How long this host has been suspended since boot (CLOCK_BOOTTIME - CLOCK_MONOTONIC): a rise is
  /// a suspend.
  virtual Duration suspended() const noexcept = 0;
  /// Returns at once when the deadline has passed. Throws when cancelled.
  virtual asio::awaitable<void> sleep_until(SteadyTime deadline) = 0;
};

}  // namespace tocsin
