#include "agent/store/journal.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/this_coro.hpp>

#include "tocsin/base/time.hpp"

namespace tocsin::store {
namespace {

using namespace std::chrono_literals;

constexpr Duration retry_first = 1s;
constexpr Duration retry_most = 30s;
constexpr std::size_t warnings_most = 16;

}  // namespace

Journal::Journal(asio::any_io_executor executor, Clock& clock, BlockingThread& thread,
                 std::unique_ptr<Ledger> ledger)
    : executor_{executor},
      clock_{clock},
      thread_{thread},
      ledger_{std::move(ledger)},
      work_{executor},
      watch_{executor},
      last_entry_id_{ledger_->last_entry_id()},
      newest_{clock.now()} {
  const auto ready = ledger_->ready();
  if (!ready) refuse(ready.error().detail);
}

void Journal::append(Commit commit, std::function<void()> done) {
  ++appended_;
  newest_ = clock_.now();
  queue_.push_back({std::move(commit), newest_, std::move(done)});
  work_.raise();
  watch_.raise();
}

std::size_t Journal::waiting() const noexcept {
  return queue_.size() + backlog_.commits() + (in_flight_ ? in_flight_->work.commits() : 0);
}

std::vector<std::string> Journal::take_warnings() { return std::exchange(warnings_, {}); }

void Journal::refuse(std::string why) {
  durable_ = false;
  last_error_ = std::move(why);
  retry_after_ = std::clamp(retry_after_ * 2, retry_first, retry_most);
  retry_at_ = clock_.steady() + retry_after_;
}

void Journal::fold_queue(Backlog& into, std::vector<std::function<void()>>& done) {
  for (auto& pending : queue_) {
    into.add(pending.commit, last_entry_id_);
    done.push_back(std::move(pending.done));
  }
  queue_.clear();
}

void Journal::report(std::vector<std::function<void()>> done) {
  settled_ += done.size();
  for (auto& one : done) {
    if (one) one();
  }
  for (auto* waiter : flushing_) waiter->raise();
}

asio::awaitable<bool> Journal::wait_for_work() {
  try {
    if (durable_) {
      co_await work_.wait();
    } else {
      co_await work_.wait_until(clock_, retry_at_);
    }
  } catch (const std::exception&) {  // Cancelled; two at once throw something of their own.
    co_return false;
  }
  co_return true;
}

asio::awaitable<void> Journal::run() {
  using namespace asio::experimental::awaitable_operators;
  running_ = true;
  auto both = write_until_cancelled() && watch_writes();
  co_await std::move(both);
}

asio::awaitable<void> Journal::write_until_cancelled() {
  for (;;) {
    const auto state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none) break;
    if (nothing_to_write() || (!durable_ && clock_.steady() < retry_at_)) {
      std::vector<std::function<void()>> done;
      if (!durable_) fold_queue(backlog_, done);
      report(std::move(done));
      auto waiting = wait_for_work();
      const bool go_on = co_await std::move(waiting);
      if (!go_on) break;
      continue;
    }
    auto writing = write_group();
    co_await std::move(writing);
  }
  running_ = false;
  co_await asio::this_coro::throw_if_cancelled(false);
  // What the last callbacks appended is written as well; a disk that refuses gets one chance more.
  bool refused = false;
  while (!refused && !(queue_.empty() && backlog_.empty())) {
    auto writing = write_group();
    co_await std::move(writing);
    refused = !durable_;
  }
  for (auto* waiter : flushing_) waiter->raise();
}

asio::awaitable<void> Journal::write_group() {
  auto group = std::make_shared<Group>();
  group->work = std::exchange(backlog_, Backlog{});
  group->at = newest_;
  group->through = appended_;
  fold_queue(group->work, group->done);
  in_flight_ = group;
  watch_.raise();
  std::function<void()> work = [this, group] {
    group->outcome =
        group->work.empty() ? ledger_->ready() : ledger_->commit(group->work.merged(), group->at);
    group->last_entry_id = ledger_->last_entry_id();
    group->warnings = ledger_->take_warnings();
    if (group->outcome) blocking_on_disk_ = group->through;
  };
  auto writing = thread_.run(std::move(work));
  co_await std::move(writing);
  finish(*group);
}

void Journal::finish(Group& group) {
  in_flight_.reset();
  watch_.raise();
  last_entry_id_ = group.last_entry_id;
  for (auto& warning : group.warnings) {
    if (warnings_.size() < warnings_most) warnings_.push_back(std::move(warning));
  }
  if (group.outcome) {
    on_disk_ = group.through;
    durable_ = backlog_.empty();
    retry_after_ = Duration{0};
    retry_at_ = clock_.steady();
    if (durable_) last_error_.clear();
  } else {
    if (!backlog_.empty()) group.work.add(backlog_.merged(), last_entry_id_);
    backlog_ = std::move(group.work);
    refuse(group.outcome.error().detail);
  }
  report(std::exchange(group.done, {}));
}

asio::awaitable<void> Journal::watch_writes() {
  for (;;) {
    auto next = watch_.wait();
    co_await std::move(next);
    const auto watched = in_flight_;
    const auto deadline = clock_.steady() + stall;
    while (watched && in_flight_ == watched) {
      if (clock_.steady() < deadline) {
        auto finished = watch_.wait_until(clock_, deadline);
        co_await std::move(finished);
        continue;
      }
      refuse("the disk has not answered for " + describe(stall) + "; the agent goes on in memory");
      auto done = std::exchange(watched->done, {});
      fold_queue(backlog_, done);
      report(std::move(done));
      auto more = watch_.wait();
      co_await std::move(more);
    }
  }
}

asio::awaitable<void> Journal::flush() {
  const auto target = appended_;
  Wakeup reported{executor_};
  const auto place = flushing_.insert(flushing_.end(), &reported);
  struct Leave {
    std::list<Wakeup*>& list;
    std::list<Wakeup*>::iterator at;
    ~Leave() { list.erase(at); }
  } const leave{flushing_, place};
  while (settled_ < target) {
    if (running_ || in_flight_) {
      auto more = reported.wait();
      co_await std::move(more);
    } else {
      auto writing = write_group();
      co_await std::move(writing);
    }
  }
}

template <class Visit>
void Journal::for_each_unseen(std::uint64_t seen, Visit visit) const {
  if (in_flight_ && in_flight_->through > seen) visit(in_flight_->work);
  visit(backlog_);
  Backlog queued;
  for (const auto& pending : queue_) queued.add(pending.commit, last_entry_id_);
  visit(queued);
}

asio::awaitable<Result<std::vector<TimelineLine>>> Journal::timeline(IncidentId id,
                                                                     std::size_t most) {
  struct Seen {
    Result<std::vector<TimelineLine>> lines{std::vector<TimelineLine>{}};
    std::uint64_t through{0};
  };
  const auto seen = std::make_shared<Seen>();
  do {
    std::function<void()> work = [this, seen, id, most] {
      seen->lines = ledger_->timeline(id, most);
      seen->through = blocking_on_disk_;
    };
    auto reading = thread_.run(std::move(work));
    co_await std::move(reading);
  } while (seen->through < on_disk_);  // Written since we looked: look again.
  std::vector<TimelineLine> lines;
  if (seen->lines) lines = *std::move(seen->lines);
  for_each_unseen(seen->through, [&](const Backlog& unseen) { unseen.add_lines_to(lines, id); });
  if (lines.empty() && !seen->lines) co_return seen->lines.error();
  if (lines.size() > most)
    lines.erase(lines.begin(), lines.end() - static_cast<std::ptrdiff_t>(most));
  co_return lines;
}

asio::awaitable<Result<std::vector<Incident>>> Journal::incidents(std::size_t most) {
  struct Seen {
    Result<std::vector<Incident>> incidents{std::vector<Incident>{}};
    std::uint64_t through{0};
  };
  const auto seen = std::make_shared<Seen>();
  do {
    std::function<void()> work = [this, seen, most] {
      seen->incidents = ledger_->incidents(most);
      seen->through = blocking_on_disk_;
    };
    auto reading = thread_.run(std::move(work));
    co_await std::move(reading);
  } while (seen->through < on_disk_);
  std::map<std::string, Incident> newest;
  if (seen->incidents) {
    for (auto& incident : *seen->incidents) newest[incident.id.value] = std::move(incident);
  }
  for_each_unseen(seen->through, [&](const Backlog& unseen) {
    for (const auto& [id, incident] : unseen.incidents()) newest[id] = incident;
  });
  if (newest.empty() && !seen->incidents) co_return seen->incidents.error();
  std::vector<Incident> all;
  for (auto& [id, incident] : newest) all.push_back(std::move(incident));
  std::stable_sort(all.begin(), all.end(), [](const Incident& a, const Incident& b) {
    return std::pair{b.opened_at, b.id.value} < std::pair{a.opened_at, a.id.value};
  });
  if (all.size() > most) all.resize(most);
  co_return all;
}

asio::awaitable<Result<std::vector<std::string>>> Journal::channel_names() {
  const auto names = std::make_shared<Result<std::vector<std::string>>>(std::vector<std::string>{});
  std::function<void()> work = [this, names] { *names = ledger_->channel_names(); };
  auto reading = thread_.run(std::move(work));
  co_await std::move(reading);
  co_return *names;
}

asio::awaitable<Result<void>> Journal::forget_closed_before(WallTime before) {
  const auto outcome = std::make_shared<Result<void>>();
  std::function<void()> work = [this, outcome, before] {
    *outcome = ledger_->forget_closed_before(before);
  };
  auto cleaning = thread_.run(std::move(work));
  co_await std::move(cleaning);
  co_return *outcome;
}

}  // namespace tocsin::store
