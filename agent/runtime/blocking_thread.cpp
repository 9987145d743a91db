#include "agent/runtime/blocking_thread.hpp"

#include <pthread.h>
#include <signal.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "tocsin/base/error.hpp"
#include "tocsin/base/time.hpp"

namespace tocsin::runtime {
namespace {

constexpr std::size_t stack_bytes = 256u << 10;

/// Shared by the caller and the loop's completion, so that neither outlives what it touches.
struct Call {
  Call(std::function<void()> to_do, const asio::any_io_executor& executor)
      : work{std::move(to_do)}, bell{executor, SteadyTime::max()} {}
  std::function<void()> work;
  asio::steady_timer bell;
  bool done{false};  ///< Of the loop's thread only.
};

}  // namespace

struct RealBlockingThread::Impl {
  static void* entry(void* self) {
    static_cast<Impl*>(self)->serve();
    return nullptr;
  }

  void serve() {
    for (;;) {
      std::shared_ptr<Call> call;
      {
        std::unique_lock hold{mutex};
        arrived.wait(hold, [this] { return stopping || !queue.empty(); });
        if (queue.empty()) return;
        call = std::move(queue.front());
        queue.pop_front();
      }
      call->work();
      auto executor = call->bell.get_executor();
      asio::post(executor, [finished = std::move(call)] {
        finished->done = true;
        finished->bell.cancel();
      });
    }
  }

  pthread_t thread{};
  std::mutex mutex;
  std::condition_variable arrived;
  std::deque<std::shared_ptr<Call>> queue;  ///< As long as there are waiting coroutines, no longer.
  bool stopping{false};
};

RealBlockingThread::RealBlockingThread() : impl_{std::make_unique<Impl>()} {
  pthread_attr_t attributes;
  ::pthread_attr_init(&attributes);
  ::pthread_attr_setstacksize(&attributes, stack_bytes);
  // Signals belong to the loop: a thread inherits the mask it is started under.
  sigset_t all, before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  const int failed = ::pthread_create(&impl_->thread, &attributes, &Impl::entry, impl_.get());
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  ::pthread_attr_destroy(&attributes);
  check_that(failed == 0, "the blocking thread could not be started");
  ::pthread_setname_np(impl_->thread, "tocsin-blocking");
}

RealBlockingThread::~RealBlockingThread() {
  {
    const std::lock_guard hold{impl_->mutex};
    impl_->stopping = true;
  }
  impl_->arrived.notify_one();
  ::pthread_join(impl_->thread, nullptr);
}

asio::awaitable<void> RealBlockingThread::run(std::function<void()> work) {
  const bool throws = co_await asio::this_coro::throw_if_cancelled();
  co_await asio::this_coro::throw_if_cancelled(false);
  auto executor = co_await asio::this_coro::executor;
  const auto call = std::make_shared<Call>(std::move(work), executor);
  {
    const std::lock_guard hold{impl_->mutex};
    impl_->queue.push_back(call);
  }
  impl_->arrived.notify_one();
  auto deaf_token =
      asio::bind_cancellation_slot(asio::cancellation_slot{}, asio::as_tuple(asio::use_awaitable));
  while (!call->done) {
    co_await call->bell.async_wait(deaf_token);
  }
  co_await asio::this_coro::throw_if_cancelled(throws);
}

}  // namespace tocsin::runtime
