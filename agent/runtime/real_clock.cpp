#include "agent/runtime/real_clock.hpp"

#include <time.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace tocsin::runtime {
namespace {

using namespace std::chrono_literals;

Duration read_clock(clockid_t which) noexcept {
  timespec now{};
  ::clock_gettime(which, &now);
  return std::chrono::seconds{now.tv_sec} + std::chrono::nanoseconds{now.tv_nsec};
}

}  // namespace

SteadyTime RealClock::steady() const noexcept { return SteadyTime{read_clock(CLOCK_MONOTONIC)}; }

WallTime RealClock::wall() const noexcept {
  return WallTime{std::chrono::floor<std::chrono::microseconds>(read_clock(CLOCK_REALTIME))};
}

Duration RealClock::suspended() const noexcept {
  // Being preempted between the two readings must not look like a suspend, so a slow pair is read
  // again.
  Duration least = Duration::max();
  for (int attempt = 0; attempt < 4; ++attempt) {
    const auto before = read_clock(CLOCK_MONOTONIC);
    const auto boot = read_clock(CLOCK_BOOTTIME);
    const auto after = read_clock(CLOCK_MONOTONIC);
    least = std::min(least, boot - before);
    if (after - before < 100us) break;
  }
  return least;
}

asio::awaitable<void> RealClock::sleep_until(SteadyTime deadline) {
  if (steady() >= deadline) co_return;
  auto executor = co_await asio::this_coro::executor;
  asio::steady_timer timer{executor, deadline};
  while (steady() < deadline) co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
}

}  // namespace tocsin::runtime
