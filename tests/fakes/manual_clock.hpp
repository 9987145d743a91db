#pragma once

#include <map>
#include <optional>
#include <utility>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "tocsin/async/clock.hpp"

namespace tocsin::fakes {

/// Time that stands still until a test moves it. Sleepers are parked on timers that never expire;
/// moving time wakes those that are due. What they do then happens when the test lets the loop run:
/// see settle and run_for.
class ManualClock final : public Clock {
 public:
  /// Starts well away from zero, so that "never" and "long ago" are told apart from "now".
  explicit ManualClock(SteadyTime steady = SteadyTime{std::chrono::hours{1000}},
                       WallTime wall = WallTime{std::chrono::seconds{1'700'000'000}});

  SteadyTime steady() const noexcept override { return steady_; }
  WallTime wall() const noexcept override { return wall_; }
  Duration suspended() const noexcept override { return suspended_; }
  asio::awaitable<void> sleep_until(SteadyTime deadline) override;

  /// Both clocks go on by `step`; sleepers due by then are woken in the order of their deadlines.
  void advance(Duration step);
  /// Somebody set the wall clock: only wall() moves, nobody is woken.
  void jump_wall(Duration skew);
  /// The host slept: wall() and suspended() go on, steady() stands still, nobody is woken.
  void suspend(Duration length);

  std::size_t sleepers() const noexcept { return sleepers_.size(); }
  /// The earliest deadline anybody sleeps for.
  std::optional<SteadyTime> next_deadline() const;

 private:
  using Sleepers = std::multimap<SteadyTime, asio::steady_timer*>;
  class Seat;

  SteadyTime steady_;
  WallTime wall_;
  Duration suspended_{0};
  Duration wall_remainder_{0};  ///< What microseconds cannot hold yet.
  Sleepers sleepers_;
};

/// Runs whatever is ready now, and what that makes ready. Does not wait for descriptors.
void settle(asio::io_context& loop);
/// Moves time on by `length`, stopping at every deadline on the way, so that a coroutine that
/// sleeps a second at a time sees every one of its seconds.
void run_for(asio::io_context& loop, ManualClock& clock, Duration length);

/// Runs the loop until the work has ended; throws what it threw. Waits for descriptors and other
/// threads, but does not move a manual clock.
void run_to_end(asio::io_context& loop, asio::awaitable<void> work);

/// Awaits the work and leaves its value in `into`, since co_spawn asks for values that can be made
/// from nothing.
template <class T>
asio::awaitable<void> keep(asio::awaitable<T> work, std::optional<T>& into) {
  into.emplace(co_await std::move(work));
}

/// The same, for work that returns something.
template <class T>
T run_to_end(asio::io_context& loop, asio::awaitable<T> work) {
  std::optional<T> result;
  run_to_end(loop, keep(std::move(work), result));
  return std::move(result).value();
}

}  // namespace tocsin::fakes
