#include "agent/notify/dispatcher.hpp"

#include <exception>
#include <utility>

#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/this_coro.hpp>

namespace tocsin::notify {

class Dispatcher::Place {
 public:
  Place(Dispatcher& dispatcher, ReceiverId receiver)
      : dispatcher_{dispatcher}, receiver_{std::move(receiver)} {
    ++dispatcher_.in_flight_;
    ++dispatcher_.by_receiver_[receiver_];
  }
  ~Place() {
    --dispatcher_.in_flight_;
    const auto own = dispatcher_.by_receiver_.find(receiver_);
    if (--own->second == 0) dispatcher_.by_receiver_.erase(own);
  }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;

 private:
  Dispatcher& dispatcher_;
  ReceiverId receiver_;
};

Dispatcher::Dispatcher(Clock& clock, Outbox& outbox, TaskGroup& tasks)
    : clock_{clock}, outbox_{outbox}, tasks_{tasks} {}

std::shared_ptr<Notifier> Dispatcher::find(const ReceiverId& receiver) const {
  const auto found = notifiers_.find(receiver);
  return found == notifiers_.end() ? nullptr : found->second;
}

asio::awaitable<void> Dispatcher::run() {
  for (;;) {
    auto turn = outbox_.next();
    auto claim = co_await std::move(turn);
    accept(std::move(claim));
  }
}

bool Dispatcher::has_place(const ReceiverId& receiver) const {
  if (in_flight_ >= limits::deliveries_in_flight) return false;
  const auto own = by_receiver_.find(receiver);
  return own == by_receiver_.end() || own->second < in_flight_per_receiver;
}

void Dispatcher::accept(Claim claim) {
  auto notifier = find(claim.receiver);
  if (!notifier) return reject(claim);
  if (has_place(claim.receiver)) return start(std::move(claim), std::move(notifier));
  if (waiting_.size() < waiting_max) {
    waiting_.push_back(std::move(claim));
    return;
  }
  const Retry crowded{
      {Errc::timed_out, claim.receiver.value + " is slow: not sent yet, as many deliveries wait"},
      crowded_wait,
      false,
      false};
  outbox_.settle(claim, crowded, Duration{0});
}

void Dispatcher::start(Claim claim, std::shared_ptr<Notifier> notifier) {
  auto place = std::make_shared<Place>(*this, claim.receiver);
  tasks_.spawn("delivery", carry(std::move(claim), std::move(notifier), std::move(place)));
}

void Dispatcher::start_waiting() {
  for (auto at = waiting_.begin(); at != waiting_.end();) {
    if (!has_place(at->receiver)) {
      ++at;
      continue;
    }
    auto claim = std::move(*at);
    at = waiting_.erase(at);
    auto notifier = find(claim.receiver);
    if (notifier) {
      start(std::move(claim), std::move(notifier));
    } else {
      reject(claim);
    }
  }
}

void Dispatcher::reject(const Claim& claim) {
  const Rejected gone{
      {Errc::missing, "the receiver " + claim.receiver.value +
                          " is no longer configured: configure it and retry, or drop the entry"}};
  outbox_.settle(claim, gone, Duration{0});
}

asio::awaitable<void> Dispatcher::carry(Claim claim, std::shared_ptr<Notifier> notifier,
                                        std::shared_ptr<Place> place) {
  using namespace asio::experimental::awaitable_operators;
  const auto began = clock_.steady();
  const auto deadline = began + limits::delivery_timeout;
  auto race =
      attempt(std::move(notifier), claim.draft, deadline) || clock_.sleep_until(deadline + overrun);
  auto winner = co_await std::move(race);
  const auto took = clock_.steady() - began;
  // The place is free before the outbox looks for the next entry.
  place.reset();
  start_waiting();
  if (winner.index() == 1) {
    const Retry late{
        {Errc::timed_out, claim.receiver.value + ": no outcome in time"}, std::nullopt, true, true};
    outbox_.settle(claim, late, took);
    co_return;
  }
  const auto outcome = std::get<0>(std::move(winner));
  if (outcome) outbox_.settle(claim, *outcome, took);
}

asio::awaitable<std::optional<Delivery>> Dispatcher::attempt(std::shared_ptr<Notifier> notifier,
                                                             Draft draft, SteadyTime deadline) {
  std::string fault;
  try {
    auto delivering = notifier->deliver(std::move(draft), deadline);
    auto delivery = co_await std::move(delivering);
    co_return delivery;
  } catch (const std::exception& thrown) {
    fault = thrown.what();
  }
  const auto state = co_await asio::this_coro::cancellation_state;
  if (state.cancelled() != asio::cancellation_type::none) co_return std::nullopt;
  co_return Retry{{Errc::internal, "the notifier failed: " + fault}, std::nullopt, true, true};
}

}  // namespace tocsin::notify
