#pragma once

#include <deque>
#include <functional>

#include <boost/asio/steady_timer.hpp>

#include "tocsin/async/blocking.hpp"

namespace tocsin::fakes {

/// A BlockingThread without a thread: the work runs at once, in the caller. With `late()`, each
/// call's work waits until the next call or flush(), so that a test sees what the program does
/// while it is blocked.
class InlineBlocking final : public BlockingThread {
 public:
  asio::awaitable<void> run(std::function<void()> work) override;

  void late(bool on) { late_ = on; }
  /// Runs what waits, in order; its callers go on when the loop runs next.
  void flush();
  std::size_t calls() const noexcept { return calls_; }
  std::size_t waiting() const noexcept { return waiting_.size(); }

 private:
  struct Call {
    std::function<void()> work;
    asio::steady_timer bell;
    bool done{false};
  };

  std::deque<Call*> waiting_;
  std::size_t calls_{0};
  bool late_{false};
};

}  // namespace tocsin::fakes
