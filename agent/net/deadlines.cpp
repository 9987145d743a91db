#include "agent/net/deadlines.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <exception>
#include <utility>

namespace tocsin::net {

namespace intrusive = boost::intrusive;

struct DeadlineWatch::State : std::enable_shared_from_this<State> {
  State(asio::any_io_executor on, Clock& time) : executor{std::move(on)}, clock{time} {}

  void sleep_until(SteadyTime deadline) {
    wake_up();
    asleep_until = deadline;
    sleeper = std::make_shared<asio::cancellation_signal>();
    auto awake = [weak = weak_from_this(), mine = sleeper](std::exception_ptr) {
      // Whoever was woken early has been replaced, or the watch is gone.
      if (const auto state = weak.lock(); state && state->sleeper == mine) state->on_wake();
    };
    asio::co_spawn(executor, clock.sleep_until(deadline),
                   asio::bind_cancellation_slot(sleeper->slot(), std::move(awake)));
  }

  void wake_up() {
    asleep_until = SteadyTime::max();
    if (const auto old = std::exchange(sleeper, nullptr)) old->emit(asio::cancellation_type::all);
  }

  void on_wake() {
    sleeper = nullptr;
    asleep_until = SteadyTime::max();
    const auto now = clock.steady();
    while (!entries.empty() && entries.begin()->deadline() <= now) {
      auto& due = *entries.begin();
      entries.erase(entries.begin());
      due.expire();
    }
    if (!entries.empty() && entries.begin()->deadline() < asleep_until)
      sleep_until(entries.begin()->deadline());
  }

  asio::any_io_executor executor;
  Clock& clock;
  intrusive::multiset<Expirable, intrusive::constant_time_size<false>> entries;
  SteadyTime asleep_until{SteadyTime::max()};
  std::shared_ptr<asio::cancellation_signal> sleeper;
};

DeadlineWatch::DeadlineWatch(asio::any_io_executor executor, Clock& clock)
    : state_{std::make_shared<State>(std::move(executor), clock)} {}

DeadlineWatch::~DeadlineWatch() {
  state_->entries.clear();
  state_->wake_up();
}

void DeadlineWatch::arm(Expirable& what, SteadyTime deadline) {
  what.unlink();
  what.deadline_ = deadline;
  state_->entries.insert(what);
  if (deadline < state_->asleep_until) state_->sleep_until(deadline);
}

void DeadlineWatch::disarm(Expirable& what) { what.unlink(); }

Clock& DeadlineWatch::clock() const noexcept { return state_->clock; }

}  // namespace tocsin::net
