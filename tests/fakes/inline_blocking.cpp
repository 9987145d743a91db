#include "tests/fakes/inline_blocking.hpp"

#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "tocsin/base/time.hpp"

namespace tocsin::fakes {

asio::awaitable<void> InlineBlocking::run(std::function<void()> work) {
  ++calls_;
  flush();
  if (!late_) {
    work();
    co_return;
  }
  // Like the real thread, a call cannot be taken back: a cancelled caller still waits for its work.
  const bool throws = co_await asio::this_coro::throw_if_cancelled();
  co_await asio::this_coro::throw_if_cancelled(false);
  auto executor = co_await asio::this_coro::executor;
  Call call{std::move(work), asio::steady_timer{executor, SteadyTime::max()}};
  waiting_.push_back(&call);
  auto deaf_token =
      asio::bind_cancellation_slot(asio::cancellation_slot{}, asio::as_tuple(asio::use_awaitable));
  while (!call.done) {
    co_await call.bell.async_wait(deaf_token);
  }
  co_await asio::this_coro::throw_if_cancelled(throws);
}

void InlineBlocking::flush() {
  while (!waiting_.empty()) {
    Call& call = *waiting_.front();
    waiting_.pop_front();
    call.work();
    call.done = true;
    call.bell.cancel();
  }
}

}  // namespace tocsin::fakes
