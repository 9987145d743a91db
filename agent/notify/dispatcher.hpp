#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "tocsin/async/clock.hpp"
#include "tocsin/async/task_group.hpp"
#include "tocsin/async/wakeup.hpp"
#include "tocsin/base/limits.hpp"
#include "tocsin/notify/notifier.hpp"
#include "tocsin/notify/outbox.hpp"

namespace tocsin::notify {

/// Carries claims from the outbox to their receivers, several at a time, and settles each exactly
/// once: with what the notifier said, or as ambiguous when it said nothing in time. A claim that is
/// cancelled by shutdown is not settled: it stays in flight in the store, and the next start finds
/// it ambiguous. Decides no order and keeps no queue.
class Dispatcher {
 public:
  using Notifiers = std::map<ReceiverId, std::shared_ptr<Notifier>>;

  /// Deliveries are spawned into `tasks`, which must be stopped before the dispatcher goes away.
  Dispatcher(asio::any_io_executor executor, Clock& clock, Outbox& outbox, TaskGroup& tasks);

  /// Replaces the receivers, at start and on reload. Deliveries under way keep the notifier they
  /// began with.
  void replace(Notifiers notifiers) { notifiers_ = std::move(notifiers); }
  /// The notifier behind a receiver, or null: for `notify test`.
  std::shared_ptr<Notifier> find(const ReceiverId& receiver) const;

  /// Until cancelled.
  asio::awaitable<void> run();
  std::size_t in_flight() const noexcept { return in_flight_; }

  /// No receiver may take all places: a Slack that hangs must not keep a page waiting.
  static constexpr std::size_t in_flight_per_receiver = limits::deliveries_in_flight / 2;
  /// A notifier ends by its deadline; one that does not is cut off this much later.
  static constexpr Duration overrun = std::chrono::seconds{1};
  /// When a claim is offered again that found its receiver's places taken.
  static constexpr Duration crowded_wait = std::chrono::seconds{1};

 private:
  /// A place taken among the deliveries in flight, given back however the delivery ends.
  class Place;
  void start(Claim claim);
  void reject(const Claim& claim);
  asio::awaitable<void> carry(Claim claim, std::shared_ptr<Notifier> notifier,
                              std::shared_ptr<Place> place);
  asio::awaitable<std::optional<Delivery>> attempt(std::shared_ptr<Notifier> notifier, Draft draft,
                                                   SteadyTime deadline);

  Clock& clock_;
  Outbox& outbox_;
  TaskGroup& tasks_;
  Wakeup place_free_;
  Notifiers notifiers_{};
  std::map<ReceiverId, std::size_t> by_receiver_{};  ///< Only receivers with deliveries in flight.
  std::size_t in_flight_{0};
};

}  // namespace tocsin::notify
