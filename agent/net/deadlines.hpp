#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/intrusive/set.hpp>
#include <memory>

#include "tocsin/async/clock.hpp"

namespace tocsin::net {

/// Something that must be over by a certain time. It leaves the watch by itself when it dies.
class Expirable : public boost::intrusive::set_base_hook<
                      boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
 public:
  Expirable() = default;
  virtual ~Expirable() = default;
  Expirable(const Expirable&) = delete;
  Expirable& operator=(const Expirable&) = delete;
  SteadyTime deadline() const noexcept { return deadline_; }
  friend bool operator<(const Expirable& a, const Expirable& b) noexcept {
    return a.deadline_ < b.deadline_;
  }

 private:
  friend class DeadlineWatch;
  /// The deadline has passed: called once, on the loop, after leaving the watch.
  virtual void expire() = 0;
  SteadyTime deadline_{};
};

/// One sleeper for all deadlines of the network: an exchange costs an insertion into a set, not a
/// timer and a race of coroutines. Sleeping is for the earliest deadline known when it began, so
/// equal timeouts wake the loop about once per timeout, however many exchanges there are.
/// Not thread-safe: one loop.
class DeadlineWatch {
 public:
  DeadlineWatch(asio::any_io_executor executor, Clock& clock);
  ~DeadlineWatch();
  DeadlineWatch(const DeadlineWatch&) = delete;
  DeadlineWatch& operator=(const DeadlineWatch&) = delete;

  /// Sets or moves the deadline. A deadline that has passed expires at the next turn of the loop.
  void arm(Expirable& what, SteadyTime deadline);
  void disarm(Expirable& what);
  Clock& clock() const noexcept;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace tocsin::net
