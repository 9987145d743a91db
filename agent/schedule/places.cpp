#include "agent/schedule/places.hpp"

#include <algorithm>

namespace tocsin::schedule {

bool Places::may_start(Manner manner) const noexcept {
  const bool room = waiting_ + hanging_ < limits::checks_in_flight;
  switch (manner) {
    case Manner::immediate:
      return true;
    case Manner::unknown:
      return unknown_ < first_runs_most;
    case Manner::waiting:
      return room;
    case Manner::hanging:
      return room && hanging_ < hanging_most;
  }
  return false;
}

std::size_t& Places::count(Manner manner) noexcept {
  switch (manner) {
    case Manner::unknown:
      return unknown_;
    case Manner::hanging:
      return hanging_;
    case Manner::immediate:  // It waited after all.
    case Manner::waiting:
      break;
  }
  return waiting_;
}

std::deque<Entry*>& Places::queue_of(Manner manner) noexcept {
  switch (manner) {
    case Manner::unknown:
      return unknown_queue_;
    case Manner::hanging:
      return hanging_queue_;
    case Manner::immediate:
    case Manner::waiting:
      break;
  }
  return waiting_queue_;
}

void Places::give(Manner manner) noexcept {
  auto& taken = count(manner);
  check_that(taken > 0, "a check gave back a place it did not have");
  --taken;
}

void Places::queue(Entry& entry) { queue_of(entry.manner).push_back(&entry); }

void Places::leave_queue(Entry& entry) { std::erase(queue_of(entry.manner), &entry); }

Entry* Places::next() {
  for (const auto manner : {Manner::waiting, Manner::unknown, Manner::hanging}) {
    auto& waiting = queue_of(manner);
    if (waiting.empty() || !may_start(manner)) continue;
    Entry* const first = waiting.front();
    waiting.pop_front();
    return first;
  }
  return nullptr;
}

}  // namespace tocsin::schedule
