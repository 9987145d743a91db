#include "tocsin/async/wakeup.hpp"

#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace tocsin {
namespace {

/// Waits for the flag and leaves it up: in a race, only the winner may lower it, or a raise would
/// be lost.
asio::awaitable<void> until_raised(const bool& raised, asio::steady_timer& bell) {
  while (!raised) co_await bell.async_wait(asio::as_tuple(asio::use_awaitable));
}

}  // namespace

Wakeup::Wakeup(asio::any_io_executor executor) : bell_{std::move(executor), SteadyTime::max()} {}

void Wakeup::raise() {
  raised_ = true;
  bell_.cancel();
}

asio::awaitable<void> Wakeup::wait() {
  co_await until_raised(raised_, bell_);
  raised_ = false;
}

asio::awaitable<bool> Wakeup::wait_until(Clock& clock, SteadyTime deadline) {
  using namespace asio::experimental::awaitable_operators;
  if (!raised_ && clock.steady() < deadline) {
    auto race = until_raised(raised_, bell_) || clock.sleep_until(deadline);
    co_await std::move(race);
  }
  co_return std::exchange(raised_, false);
}

}  // namespace tocsin
