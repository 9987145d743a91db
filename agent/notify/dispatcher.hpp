#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/awaitable.hpp>

#include "tocsin/async/clock.hpp"
#include "tocsin/async/task_group.hpp"
#include "tocsin/base/limits.hpp"
#include "tocsin/notify/notifier.hpp"
#include "tocsin/notify/outbox.hpp"

namespace tocsin::notify {

/// Carries claims from the outbox to their receivers, several at a time, and settles each exactly
/// once: with what the notifier said, or as ambiguous when it said nothing in time. A claim that is
/// cancelled by shutdown is not settled: it stays in flight in the store, and the next start finds
/// it ambiguous. Decides no order: what may go, goes, and what
/// finds its receiver busy waits its turn, so that one receiver never holds up another.
class Dispatcher {
 public:
  using Notifiers = std::map<ReceiverId, std::shared_ptr<Notifier>>;

  /// Deliveries are spawned into `tasks`, which must be stopped before the dispatcher goes away.
  Dispatcher(Clock& clock, Outbox& outbox, TaskGroup& tasks);

  /// Replaces the receivers, at start and on reload. Deliveries under way keep the notifier they
  /// began with.
  void replace(Notifiers notifiers) { notifiers_ = std::move(notifiers); }
  /// The notifier behind a receiver, or null: for `notify test`.
  std::shared_ptr<Notifier> find(const ReceiverId& receiver) const;

  /// Until cancelled.
  asio::awaitable<void> run();
  std::size_t in_flight() const noexcept { return in_flight_; }

  /// Claims that wait here for a place.
  std::size_t waiting() const noexcept { return waiting_.size(); }

  /// No receiver, nor two, may take all places: a Slack that hangs must not keep a page waiting.
  static constexpr std::size_t in_flight_per_receiver = limits::deliveries_in_flight * 3 / 8;
  /// How many claims wait here for a place; a claim beyond is handed back to the outbox, not tried.
  static constexpr std::size_t waiting_max = 3 * limits::deliveries_in_flight;
  /// A notifier ends by its deadline; one that does not is cut off this much later.
  static constexpr Duration overrun = std::chrono::seconds{1};
  /// When a claim that was handed back is offered again.
  static constexpr Duration crowded_wait = std::chrono::seconds{1};

 private:
  /// A place taken among the deliveries in flight, given back however the delivery ends.
  class Place;
  bool has_place(const ReceiverId& receiver) const;
  void accept(Claim claim);
  void start(Claim claim, std::shared_ptr<Notifier> notifier);
  void start_waiting();
  void reject(const Claim& claim);
  asio::awaitable<void> carry(Claim claim, std::shared_ptr<Notifier> notifier,
                              std::shared_ptr<Place> place);
  asio::awaitable<std::optional<Delivery>> attempt(std::shared_ptr<Notifier> notifier, Draft draft,
                                                   SteadyTime deadline);

  Clock& clock_;
  Outbox& outbox_;
  TaskGroup& tasks_;
  Notifiers notifiers_{};
  std::map<ReceiverId, std::size_t> by_receiver_{};  ///< Only receivers with deliveries in flight.
  std::deque<Claim> waiting_{};                      ///< In the order of the claims.
  std::size_t in_flight_{0};
};

}  // namespace tocsin::notify
