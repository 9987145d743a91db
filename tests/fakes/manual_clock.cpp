#include "tests/fakes/manual_clock.hpp"

#include <algorithm>
#include <stdexcept>
#include <vector>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace tocsin::fakes {

/// A place among the sleepers, given up when the sleeper leaves, however it leaves.
class ManualClock::Seat {
 public:
  Seat(Sleepers& sleepers, SteadyTime deadline, asio::steady_timer& bell)
      : sleepers_{sleepers}, place_{sleepers.emplace(deadline, &bell)} {}
  ~Seat() { sleepers_.erase(place_); }
  Seat(const Seat&) = delete;
  Seat& operator=(const Seat&) = delete;

 private:
  Sleepers& sleepers_;
  Sleepers::iterator place_;
};

ManualClock::ManualClock(SteadyTime steady, WallTime wall) : steady_{steady}, wall_{wall} {}

asio::awaitable<void> ManualClock::sleep_until(SteadyTime deadline) {
  auto executor = co_await asio::this_coro::executor;
  asio::steady_timer bell{executor, SteadyTime::max()};
  const Seat seat{sleepers_, deadline, bell};
  // A real cancellation also ends the wait, and throws at the next turn.
  while (steady_ < deadline) co_await bell.async_wait(asio::as_tuple(asio::use_awaitable));
}

void ManualClock::advance(Duration step) {
  steady_ += step;
  jump_wall(step);
  for (auto sleeper = sleepers_.begin(); sleeper != sleepers_.end() && sleeper->first <= steady_;
       ++sleeper) {
    sleeper->second->cancel();
  }
}

void ManualClock::jump_wall(Duration skew) {
  wall_remainder_ += skew;
  const auto whole = std::chrono::floor<std::chrono::microseconds>(wall_remainder_);
  wall_ += whole;
  wall_remainder_ -= whole;
}

void ManualClock::suspend(Duration length) {
  suspended_ += length;
  jump_wall(length);
}

std::optional<SteadyTime> ManualClock::next_deadline() const {
  if (sleepers_.empty()) return std::nullopt;
  return sleepers_.begin()->first;
}

void settle(asio::io_context& loop) {
  loop.restart();
  while (loop.poll() > 0) {
  }
}

void run_for(asio::io_context& loop, ManualClock& clock, Duration length) {
  const auto end = clock.steady() + length;
  settle(loop);
  for (auto next = clock.next_deadline(); next && *next <= end; next = clock.next_deadline()) {
    clock.advance(std::max(*next - clock.steady(), Duration{0}));
    settle(loop);
  }
  clock.advance(end - clock.steady());
  settle(loop);
}

void run_to_end(asio::io_context& loop, asio::awaitable<void> work) {
  std::exception_ptr fault;
  bool ended = false;
  asio::co_spawn(loop, std::move(work), [&](std::exception_ptr thrown) {
    ended = true;
    fault = thrown;
  });
  loop.restart();
  while (!ended && loop.run_one() > 0) {
  }
  if (fault) std::rethrow_exception(fault);
  if (!ended) throw std::logic_error{"nothing is left that could end the work"};
}

}  // namespace tocsin::fakes
