#pragma once

#include "tocsin/async/clock.hpp"

namespace tocsin::runtime {

/// The clocks of this host: CLOCK_MONOTONIC, CLOCK_REALTIME and CLOCK_BOOTTIME (clock_gettime(2)).
/// Stateless, so one may serve every thread for reading; sleeping is for coroutines on a loop.
class RealClock final : public Clock {
 public:
  SteadyTime steady() const noexcept override;
  WallTime wall() const noexcept override;
  Duration suspended() const noexcept override;
  asio::awaitable<void> sleep_until(SteadyTime deadline) override;
};

}  // namespace tocsin::runtime
