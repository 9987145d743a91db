#include "agent/schedule/scheduler.hpp"

#include <algorithm>
#include <exception>
#include <utility>

#include <boost/asio/this_coro.hpp>

#include "agent/schedule/phase.hpp"
#include "agent/schedule/scheduler_impl.hpp"

namespace tocsin::schedule {

Scheduler::Scheduler(asio::any_io_executor executor, Clock& clock, Surroundings surroundings,
                     Memories& memories, Sink sink)
    : impl_{std::make_unique<Impl>(std::move(executor), clock, surroundings, memories,
                                   std::move(sink))} {}

Scheduler::~Scheduler() = default;

void Scheduler::replace(std::vector<ScheduledCheck> checks) { impl_->replace(std::move(checks)); }

void Scheduler::look_no_later_than(const std::string& name, SteadyTime at) {
  if (auto* const entry = impl_->find(name)) impl_->look_no_later_than(*entry, at);
}

void Scheduler::nudge(const std::string& name) {
  if (auto* const entry = impl_->find(name)) impl_->nudge(*entry);
}

std::size_t Scheduler::in_flight() const noexcept {
  return impl_->places.taken() + impl_->evidences;
}

asio::awaitable<void> Scheduler::run() {
  std::exception_ptr ended_by;
  try {
    co_await impl_->loop();
  } catch (...) {
    ended_by = std::current_exception();
  }
  // We are being stopped: the runs are too, and whoever waits for us waits for them.
  impl_->stopping = true;
  impl_->cancel_all();
  co_await asio::this_coro::reset_cancellation_state();
  const auto deadline = impl_->clock.steady() + farewell;
  while (in_flight() > 0 && impl_->clock.steady() < deadline) {
    co_await impl_->changed.wait_until(impl_->clock, deadline);
  }
  std::rethrow_exception(ended_by);
}

Scheduler::Impl::Impl(asio::any_io_executor on, Clock& time, Surroundings around, Memories& kept,
                      Sink to)
    : executor{std::move(on)},
      clock{time},
      surroundings{around},
      memories{kept},
      sink{std::move(to)},
      changed{executor} {}

Scheduler::Impl::~Impl() {
  self.reset();
  cancel_all();
}

Entry* Scheduler::Impl::find(const std::string& name) {
  const auto found = entries.find(name);
  return found == entries.end() ? nullptr : found->second.get();
}

std::shared_ptr<Entry> Scheduler::Impl::make(ScheduledCheck check) {
  auto entry = std::make_shared<Entry>();
  entry->scheduled = std::move(check);
  entry->nudge = [weak_entry = std::weak_ptr{entry}, weak_self = std::weak_ptr{self}] {
    const auto living = weak_self.lock();
    const auto nudged = weak_entry.lock();
    if (living && nudged) (*living)->nudge(*nudged);
  };
  return entry;
}

void Scheduler::Impl::replace(std::vector<ScheduledCheck> checks) {
  std::map<std::string, std::shared_ptr<Entry>> fresh;
  const auto now = clock.steady();
  double runs_per_second = 0;
  for (const auto& check : checks) {
    check_that(check.check != nullptr && check.every > Duration{0}, "a check without an interval");
    runs_per_second += std::chrono::duration<double>{1} / check.every;
  }
  const auto grid = spread_grid(runs_per_second);
  for (auto& check : checks) {
    const auto known = entries.find(check.name);
    const bool kept = known != entries.end() && known->second->scheduled.check == check.check;
    const auto first_within = std::min(check.every, first_run_within);
    bool rephased = false;
    std::shared_ptr<Entry> entry;
    if (kept) {
      entry = known->second;
      rephased = entry->scheduled.every != check.every;
      entry->scheduled.every = check.every;
      entry->scheduled.timeout = check.timeout;
      entries.erase(known);
    } else {
      entry = make(std::move(check));
    }
    const auto& scheduled = entry->scheduled;
    set_phases(*entry, grid);
    const auto just_before = now - Duration{1};
    if (!kept) {
      set_turn(*entry,
               next_turn(phase_of(scheduled.name, first_within, grid), first_within, just_before));
    } else if (rephased && entry->activity == Activity::idle) {
      set_turn(*entry, regular_turn(*entry, just_before));
    }
    const auto name = scheduled.name;
    const bool unique = fresh.emplace(name, std::move(entry)).second;
    check_that(unique, "two checks of one name were scheduled");
  }
  entries.swap(fresh);
  for (const auto& [name, old] : fresh) retire(*old);
}

void Scheduler::Impl::set_phases(Entry& entry, Duration grid) {
  const auto before = phase(entry);
  const auto& scheduled = entry.scheduled;
  entry.phase = phase_of(scheduled.name, scheduled.every);
  entry.spread_phase = phase_of(scheduled.name, scheduled.every, grid);
  entry.moved = entry.last_start > SteadyTime::min() && phase(entry) != before;
}

void Scheduler::Impl::retire(Entry& entry) {
  entry.retired = true;
  turns.leave(entry.turn);
  if (entry.activity == Activity::queued) {
    places.leave_queue(entry);
    entry.activity = Activity::idle;
  } else if (entry.activity != Activity::idle) {
    entry.cancel.emit(asio::cancellation_type::all);
  }
}

void Scheduler::Impl::set_turn(Entry& entry, SteadyTime when) {
  turns.enter(entry.turn, when, entry);
  if (when < asleep_until) changed.raise();
}

SteadyTime Scheduler::Impl::regular_turn(const Entry& entry, SteadyTime after) const {
  return next_turn(phase(entry), entry.scheduled.every, after);
}

SteadyTime Scheduler::Impl::regular_turn(const Entry& entry) const {
  return regular_turn(entry, clock.steady());
}

Duration Scheduler::Impl::phase(const Entry& entry) {
  return entry.manner == Manner::immediate ? entry.phase : entry.spread_phase;
}

SteadyTime Scheduler::Impl::turn_after_run(Entry& entry) const {
  if (!std::exchange(entry.moved, false)) return regular_turn(entry);
  const auto apart = std::min(entry.scheduled.every / 2, first_run_within);
  return regular_turn(entry, std::max(clock.steady(), entry.started + apart));
}

void Scheduler::Impl::set_next_turn(Entry& entry, SteadyTime regular) {
  if (entry.appointment) regular = std::min(regular, *entry.appointment);
  if (std::exchange(entry.again, false)) regular = std::min(regular, nudged_moment(entry));
  set_turn(entry, regular);
}

void Scheduler::Impl::look_no_later_than(Entry& entry, SteadyTime at) {
  if (entry.last_start > SteadyTime::min()) at = std::max(at, entry.last_start + looks_apart);
  entry.appointment = std::min(entry.appointment.value_or(at), at);
  if (entry.activity == Activity::idle && entry.turn.entered && entry.turn.at->first > at) {
    set_turn(entry, at);
  }
}

SteadyTime Scheduler::Impl::nudged_moment(Entry& entry) {
  const auto now = clock.steady();
  const Duration window = std::chrono::seconds{1};
  if (entry.nudges_in_window == 0 || now >= entry.nudge_window + window) {
    entry.nudge_window = now;
    entry.nudges_in_window = 0;
  }
  if (++entry.nudges_in_window <= nudges_per_second) return now;
  return entry.nudge_window + window;
}

void Scheduler::Impl::nudge(Entry& entry) {
  if (entry.retired) return;
  switch (entry.activity) {
    case Activity::idle: {
      const auto when = nudged_moment(entry);
      if (!entry.turn.entered || entry.turn.at->first > when) set_turn(entry, when);
      return;
    }
    case Activity::queued:  // It runs as soon as it can.
      return;
    case Activity::running:
    case Activity::overdue:
    case Activity::evidence:
      entry.again = true;
      return;
  }
}

SteadyTime Scheduler::Impl::first_moment() const {
  auto first = SteadyTime::max();
  if (!turns.empty()) first = std::min(first, turns.first_moment());
  if (!cut_offs.empty()) first = std::min(first, cut_offs.first_moment());
  return first;
}

asio::awaitable<void> Scheduler::Impl::loop() {
  for (;;) {
    asleep_until = SteadyTime::min();
    do_what_is_due();
    asleep_until = first_moment();
    if (asleep_until == SteadyTime::max()) {
      co_await changed.wait();
    } else {
      co_await changed.wait_until(clock, asleep_until);
    }
  }
}

void Scheduler::Impl::cancel_all() {
  std::vector<std::shared_ptr<Entry>> busy;
  for (auto& [name, entry] : entries) {
    if (entry->activity != Activity::idle && entry->activity != Activity::queued) {
      busy.push_back(entry);
    }
  }
  for (const auto& entry : busy) entry->cancel.emit(asio::cancellation_type::all);
}

}  // namespace tocsin::schedule
