#include <algorithm>
#include <exception>
#include <utility>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>

#include "agent/schedule/scheduler_impl.hpp"

namespace tocsin::schedule {
namespace {

bool busy(const Entry& entry) {
  return entry.activity == Activity::running || entry.activity == Activity::overdue ||
         entry.activity == Activity::evidence;
}

/// Listed among those to wake when the entry becomes idle, for as long as it lives.
class Listed {
 public:
  Listed(std::vector<Wakeup*>& list, Wakeup& bell) : list_{list}, bell_{bell} {
    list_.push_back(&bell_);
  }
  ~Listed() { std::erase(list_, &bell_); }
  Listed(const Listed&) = delete;
  Listed& operator=(const Listed&) = delete;

 private:
  std::vector<Wakeup*>& list_;
  Wakeup& bell_;
};

/// Runs the given end on every way out, cancellation included.
template <class F>
class OnExit {
 public:
  explicit OnExit(F end) : end_{std::move(end)} {}
  ~OnExit() { end_(); }
  OnExit(const OnExit&) = delete;
  OnExit& operator=(const OnExit&) = delete;

 private:
  F end_;
};

}  // namespace

asio::awaitable<Evidence> Scheduler::evidence(std::string name, SteadyTime deadline) {
  auto& impl = *impl_;
  auto* const found = impl.find(name);
  if (found == nullptr) co_return Evidence{};
  const auto entry = found->shared_from_this();
  Wakeup idle{impl.executor};
  {
    const Listed listed{entry->evidence_waits, idle};
    while (busy(*entry) && impl.clock.steady() < deadline) {
      co_await idle.wait_until(impl.clock, deadline);
    }
  }
  if (busy(*entry) || entry->retired || impl.clock.steady() >= deadline) co_return Evidence{};
  const auto collected = std::make_shared<Impl::Collected>(impl.executor);
  impl.start_evidence(*entry, deadline, collected);
  // Cut off, but not waited for: it may be stuck, and the page must go out.
  const OnExit cut_off{[&impl, &entry, &collected] {
    if (!collected->done) impl.cut_off_evidence(*entry);
  }};
  while (!collected->done && impl.clock.steady() < deadline) {
    co_await collected->ended.wait_until(impl.clock, deadline);
  }
  co_return std::move(collected->evidence);
}

void Scheduler::Impl::start_evidence(Entry& entry, SteadyTime deadline,
                                     std::shared_ptr<Collected> into) {
  if (entry.activity == Activity::queued) {
    places.leave_queue(entry);
    entry.after_evidence = entry.due;
  } else {
    entry.after_evidence = entry.turn.entered ? entry.turn.at->first : clock.steady();
  }
  turns.leave(entry.turn);
  entry.activity = Activity::evidence;
  ++evidences;
  fill_context(entry, deadline);
  const auto alive = entry.shared_from_this();
  auto at_end = [alive, into, weak_self = std::weak_ptr{self}](std::exception_ptr) {
    into->done = true;
    into->ended.raise();
    if (const auto living = weak_self.lock()) (*living)->end_evidence(*alive);
  };
  asio::co_spawn(executor, collect(alive, into),
                 asio::bind_cancellation_slot(entry.cancel.slot(), std::move(at_end)));
}

asio::awaitable<void> Scheduler::Impl::collect(std::shared_ptr<Entry> entry,
                                               std::shared_ptr<Collected> into) {
  // What fails here is left out: evidence is a courtesy, and the breach has its own sentence.
  try {
    auto work = entry->scheduled.check->evidence(*entry->context);
    auto evidence = co_await std::move(work);
    into->evidence = std::move(evidence);
  } catch (const std::exception&) {
    into->evidence = Evidence{};
  }
}

void Scheduler::Impl::cut_off_evidence(Entry& entry) {
  // From here on it is treated as a run that does not return.
  entry.activity = Activity::overdue;
  entry.started = clock.steady();
  if (!entry.retired) set_turn(entry, regular_turn(entry));
  entry.cancel.emit(asio::cancellation_type::all);
}

void Scheduler::Impl::end_evidence(Entry& entry) {
  --evidences;
  tell_loop_of_end();
  entry.activity = Activity::idle;
  if (entry.retired) return;
  set_next_turn(entry, entry.after_evidence);
  for (auto* const waiting : entry.evidence_waits) waiting->raise();
}

}  // namespace tocsin::schedule
