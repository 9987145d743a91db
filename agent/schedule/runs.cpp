#include <algorithm>
#include <exception>
#include <utility>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>

#include "agent/schedule/scheduler_impl.hpp"
#include "tocsin/base/limits.hpp"

namespace tocsin::schedule {
namespace {

Result<Samples> bounded(Result<Samples> outcome) {
  if (!outcome || outcome->size() <= limits::samples_per_run) return outcome;
  return Error{Errc::too_large,
               "the run yielded " + std::to_string(outcome->size()) + " samples; the bound is " +
                   std::to_string(limits::samples_per_run) + ": narrow what the check selects"};
}

}  // namespace

void Scheduler::Impl::do_what_is_due() {
  const auto now = clock.steady();
  while (!cut_offs.empty() && cut_offs.first_moment() <= now) cut_off(cut_offs.first());
  while (!turns.empty() && turns.first_moment() <= now) take_turn(turns.first());
  while (auto* const next = places.next()) start(*next);
}

void Scheduler::Impl::take_turn(Entry& entry) {
  entry.due = entry.turn.at->first;
  turns.leave(entry.turn);
  if (entry.activity == Activity::overdue) {
    // The cut-off run still has not returned: that is a result, and silence would be none.
    const auto since = describe(clock.steady() - entry.started);
    set_turn(entry, regular_turn(entry));
    tell(entry, Error{Errc::stuck, "a run that was cut off has not returned for " + since});
    return;
  }
  if (places.may_start(entry.manner)) {
    start(entry);
  } else {
    entry.activity = Activity::queued;
    places.queue(entry);
  }
}

void Scheduler::Impl::fill_context(Entry& entry, SteadyTime deadline) {
  entry.context.emplace(
      CheckContext{surroundings.files, clock, surroundings.network, surroundings.processes,
                   surroundings.helper, surroundings.pressure, surroundings.kernel_clock,
                   memories.of(entry.scheduled.name), entry.nudge, deadline, entry.gap});
}

void Scheduler::Impl::start(Entry& entry) {
  const auto now = clock.steady();
  const auto suspended = clock.suspended();
  entry.gap =
      entry.suspended_before >= Duration{0} && suspended - entry.suspended_before > suspend_noticed;
  entry.suspended_before = suspended;
  if (entry.appointment && *entry.appointment <= now) entry.appointment.reset();
  entry.started = now;
  entry.last_start = now;
  entry.activity = Activity::running;
  entry.counted = false;
  entry.outcome.reset();
  fill_context(entry, now + entry.scheduled.timeout);

  const auto alive = entry.shared_from_this();
  auto at_end = [alive, weak_self = std::weak_ptr{self}](std::exception_ptr) {
    if (const auto living = weak_self.lock()) (*living)->finish(alive);
  };
  asio::co_spawn(executor, execute(alive),
                 asio::bind_cancellation_slot(entry.cancel.slot(), std::move(at_end)));
  // Most runs have their outcome already, though co_spawn tells of it at the loop's next turn only:
  // they need neither a place nor a moment to be cut off at.
  if (entry.activity != Activity::running || entry.outcome) return;
  entry.counted = true;
  entry.started_as = entry.manner;
  places.take(entry.started_as);
  cut_offs.enter(entry.cut_off, now + entry.scheduled.timeout, entry);
  if (now + entry.scheduled.timeout < asleep_until) changed.raise();
}

asio::awaitable<void> Scheduler::Impl::execute(std::shared_ptr<Entry> entry) {
  std::string fault;
  try {
    auto work = entry->scheduled.check->run(*entry->context);
    auto outcome = co_await std::move(work);
    entry->outcome.emplace(std::move(outcome));
    co_return;
  } catch (const std::exception& thrown) {
    fault = thrown.what();
  }
  entry->outcome.emplace(Error{Errc::internal, "the check failed inside: " + fault});
}

void Scheduler::Impl::finish(const std::shared_ptr<Entry>& entry) {
  const bool overdue = entry->activity == Activity::overdue;
  const auto phase_before = phase(*entry);
  // One that used most of its time waited in vain, and said so just before it was cut off.
  const bool in_vain = clock.steady() - entry->started >= entry->scheduled.timeout / 5 * 4;
  if (!overdue && !entry->counted)
    entry->manner = Manner::immediate;
  else
    entry->manner = overdue || in_vain ? Manner::hanging : Manner::waiting;
  if (phase(*entry) != phase_before) entry->moved = true;
  cut_offs.leave(entry->cut_off);
  turns.leave(entry->turn);
  if (std::exchange(entry->counted, false)) {
    places.give(entry->started_as);
    tell_loop_of_end();
  }
  entry->activity = Activity::idle;
  if (entry->retired) return;
  set_next_turn(*entry, turn_after_run(*entry));
  for (auto* const waiting : entry->evidence_waits) waiting->raise();
  if (overdue) return;  // It was told when it was cut off.
  auto outcome = entry->outcome ? *std::exchange(entry->outcome, std::nullopt)
                                : Result<Samples>{Error{Errc::internal, "the run left no result"}};
  tell(*entry, bounded(std::move(outcome)));
}

void Scheduler::Impl::tell_loop_of_end() {
  if (stopping || places.somebody_waits()) changed.raise();
}

void Scheduler::Impl::cut_off(Entry& entry) {
  const auto alive = entry.shared_from_this();
  cut_offs.leave(entry.cut_off);
  entry.activity = Activity::overdue;
  if (!entry.retired) set_turn(entry, regular_turn(entry));
  entry.cancel.emit(asio::cancellation_type::all);
  if (!entry.retired) {
    tell(entry,
         Error{Errc::timed_out, "did not finish within " + describe(entry.scheduled.timeout)});
  }
}

void Scheduler::Impl::tell(Entry& entry, Result<Samples> outcome) {
  Observation seen;
  seen.check = entry.scheduled.name;
  seen.at = clock.now();
  seen.took = seen.at.steady - entry.started;
  seen.lag = std::max(entry.started - entry.due, Duration{0});
  seen.gap = entry.gap;
  seen.outcome = std::move(outcome);
  const auto alive = entry.shared_from_this();  // The sink may replace the set.
  sink(alive->scheduled, std::move(seen));
}

}  // namespace tocsin::schedule
