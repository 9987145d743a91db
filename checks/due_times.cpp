#include "checks/due_times.hpp"

#include <algorithm>
#include <chrono>

namespace tocsin::checks {
namespace {

using namespace std::chrono_literals;
using std::chrono::duration_cast;
using std::chrono::microseconds;

/// Clocks of two hosts are seldom further apart: a job that reports this much before its time means
/// that time.
constexpr auto early = 30s;
/// Less is how clocks are kept in step; more is a jump, or the host was suspended.
constexpr Duration jump_noticed = 30s;
/// A clock that goes back further was wrong before (Debian's cron draws the same line).
constexpr Duration repeated_at_most = 3h;
constexpr std::uint64_t counted_at_most = 10'000;

microseconds wall(Duration duration) { return duration_cast<microseconds>(duration); }

}  // namespace

void DueTimes::begin(Now now) {
  kept_ = {};
  answered_ = now.steady;
  last_look_ = now;
  move_to(now.wall);
}

void DueTimes::resume(const Kept& kept, Now now) {
  kept_ = kept;
  last_look_ = now;
  resumed_ = now.wall;
  hold_until_ = now.steady + timetable_.grace;
  if (periodic()) {
    missed_before_ = kept.missed;
    const auto away = std::max(now.wall - kept.counted, WallTime::duration{0});
    answered_ = now.steady - away;
    kept_.counted = now.wall - away;
    return;
  }
  if (now.wall + wall(repeated_at_most) < kept.counted) return move_to(now.wall);
  move_to(kept.counted);
  carry(now.wall);
  move_to(std::max(kept_.counted, now.wall));
}

void DueTimes::answer(Now at) {
  kept_.missed = 0;
  kept_.carried = 0;
  kept_.first_missed = {};
  missed_before_ = 0;
  // Told late, of a time when we were not there: what was due after it keeps its grace.
  const bool of_before = resumed_ && at.wall < *resumed_;
  if (!of_before) hold_until_ = SteadyTime::min();
  if (periodic()) {
    answered_ = std::max(answered_, at.steady);
    kept_.counted = std::max(kept_.counted, at.wall);
  } else if (of_before) {
    const auto counted = kept_.counted;
    move_to(at.wall + early);
    carry(counted);
    move_to(std::max(kept_.counted, counted));
  } else {
    move_to(std::max(kept_.counted, at.wall + early));
  }
}

void DueTimes::look(Now now) {
  if (last_look_) {
    const auto expected = last_look_->wall + wall(now.steady - last_look_->steady);
    const Duration off = now.wall - expected;
    if (off > jump_noticed || off < -jump_noticed) jumped(expected, now.wall, now.steady);
  }
  last_look_ = now;
  if (periodic())
    look_by_period(now);
  else
    look_by_clock(now);
}

void DueTimes::jumped(WallTime expected, WallTime now_wall, SteadyTime now_steady) {
  if (periodic()) {
    kept_.counted += now_wall - expected;
    return;
  }
  if (carry(expected)) hold_until_ = now_steady + timetable_.grace;
  if (now_wall > expected)
    move_to(std::max(kept_.counted, now_wall));
  else if (expected - now_wall <= repeated_at_most)
    move_to(std::max(kept_.counted, expected));
  else
    move_to(now_wall);
}

void DueTimes::look_by_period(Now now) {
  const auto waited = now.steady - answered_ - timetable_.grace;
  const auto periods = waited > Duration{0} ? waited / timetable_.period : 0;
  auto missed = std::min(static_cast<std::uint64_t>(periods), counted_at_most);
  if (now.steady < hold_until_) missed = std::min(missed, missed_before_);
  missed = std::max(missed, missed_before_);
  if (missed > 0 && kept_.missed == 0) kept_.first_missed = kept_.counted + wall(timetable_.period);
  kept_.missed = missed;
}

void DueTimes::look_by_clock(Now now) {
  if (kept_.carried > 0 && now.steady >= hold_until_) {
    miss(kept_.carried, kept_.first_missed);
    kept_.carried = 0;
  }
  const auto passed = now.wall - wall(timetable_.grace);
  if (!next_ || *next_ > passed) return;
  const auto first = *next_;
  miss(count_until(passed), first);
}

void DueTimes::miss(std::uint64_t count, WallTime first) {
  if (count == 0) return;
  if (kept_.missed == 0) kept_.first_missed = first;
  kept_.missed = std::min(kept_.missed + count, counted_at_most);
}

bool DueTimes::carry(WallTime until) {
  if (!next_ || *next_ > until) return false;
  if (kept_.missed == 0 && kept_.carried == 0) kept_.first_missed = *next_;
  kept_.carried = std::min(kept_.carried + count_until(until), counted_at_most);
  return true;
}

std::uint64_t DueTimes::count_until(WallTime until) {
  std::uint64_t count = 0;
  while (next_ && *next_ <= until) {
    if (++count >= counted_at_most) {
      move_to(until);
      break;
    }
    move_to(*next_);
  }
  return count;
}

void DueTimes::move_to(WallTime counted) {
  kept_.counted = counted;
  if (!periodic()) next_ = next_due(timetable_.recurrence, counted, timetable_.zone);
}

std::optional<WallTime> DueTimes::next() const {
  return periodic() ? std::optional{kept_.counted + wall(timetable_.period)} : next_;
}

Duration DueTimes::time_for_run(WallTime started) const {
  if (periodic()) return timetable_.period + timetable_.grace;
  const auto next = next_due(timetable_.recurrence, started + early, timetable_.zone);
  return (next ? Duration{*next - started} : Duration{24h}) + timetable_.grace;
}

}  // namespace tocsin::checks
