#include "checks/recurrence.hpp"

#include <algorithm>
#include <chrono>

namespace tocsin::checks {
namespace {

namespace c = std::chrono;

/// Seconds that clocks show, counted as if they were those of UTC.
using Shown = std::int64_t;
/// Seconds of unix time.
using Unix = std::int64_t;

constexpr std::int64_t day_seconds = 86'400;
/// 29 February on a given weekday may be 40 years away, across a year such as 2100.
constexpr int days_searched = 366 * 41;
/// More than clocks are ever put forward or back at once (a day, when a country changes sides of
/// the date line), so that what holds before and after a change is seen.
constexpr std::int64_t around_change = 26 * 3'600;

std::int64_t day_of(Shown time) {
  return time >= 0 ? time / day_seconds : -((-time + day_seconds - 1) / day_seconds);
}

/// The first bit from `from` on, or -1.
template <std::size_t Size>
int next_bit(const std::bitset<Size>& bits, std::size_t from) {
  for (auto i = from; i < Size; ++i)
    if (bits[i]) return static_cast<int>(i);
  return -1;
}

bool is_on(const Recurrence& r, std::int64_t day) {
  const c::sys_days date{c::days{day}};
  const c::year_month_day parts{date};
  const auto year = int{parts.year()} - recurrence_first_year;
  if (year < 0 || year >= static_cast<int>(recurrence_years) ||
      !r.years[static_cast<std::size_t>(year)] || !r.months[unsigned{parts.month()}])
    return false;
  const bool by_month = r.days[unsigned{parts.day()}];
  const bool by_week = r.weekdays[c::weekday{date}.c_encoding()];
  return r.either_day ? by_month || by_week : by_month && by_week;
}

/// The first time of the day from this second on.
std::optional<std::int64_t> next_in_day(const Recurrence& r, std::int64_t from) {
  const auto wanted_hour = static_cast<std::size_t>(from / 3'600);
  const auto wanted_minute = static_cast<std::size_t>(from / 60 % 60);
  const auto wanted_second = static_cast<std::size_t>(from % 60);
  for (auto hour = next_bit(r.hours, wanted_hour); hour >= 0;
       hour = next_bit(r.hours, static_cast<std::size_t>(hour) + 1)) {
    const bool same_hour = static_cast<std::size_t>(hour) == wanted_hour;
    for (auto minute = next_bit(r.minutes, same_hour ? wanted_minute : 0); minute >= 0;
         minute = next_bit(r.minutes, static_cast<std::size_t>(minute) + 1)) {
      const bool same = same_hour && static_cast<std::size_t>(minute) == wanted_minute;
      const auto second = next_bit(r.seconds, same ? wanted_second : 0);
      if (second >= 0) return hour * 3'600 + minute * 60 + second;
    }
  }
  return std::nullopt;
}

/// The first time that clocks would show, from this one on.
std::optional<Shown> next_shown(const Recurrence& r, Shown from) {
  auto day = day_of(from);
  auto second = from - day * day_seconds;
  for (int i = 0; i < days_searched; ++i, ++day, second = 0) {
    if (!is_on(r, day)) continue;
    if (const auto found = next_in_day(r, second)) return day * day_seconds + *found;
  }
  return std::nullopt;
}

class ZoneClock {
 public:
  explicit ZoneClock(std::string_view zone) : zone_{zone} {}

  std::int64_t offset(Unix at) const { return utc_offset(WallTime{c::seconds{at}}, zone_).count(); }

  /// The first moment in (from, until] at which `holds`, which stays so once it does.
  template <class Holds>
  static Unix first_moment(Unix from, Unix until, Holds holds) {
    while (until - from > 1) {
      const auto middle = from + (until - from) / 2;
      (holds(middle) ? until : from) = middle;
    }
    return until;
  }

  /// When clocks show this: the first time of two; right after the change when they never do.
  Unix moment_of(Shown shown) const {
    const auto before = offset(shown - around_change);
    const auto after = offset(shown + around_change);
    const auto early = shown - std::max(before, after);
    const auto late = shown - std::min(before, after);
    if (early + offset(early) == shown) return early;
    if (late + offset(late) == shown) return late;
    return first_moment(early, late, [&](Unix at) { return at + offset(at) > shown; });
  }

 private:
  std::string_view zone_;
};

/// Each time that the clocks show is due, as often as they show it.
std::optional<Unix> next_by_clock(const Recurrence& r, Unix after, const ZoneClock& clock) {
  auto from = after + 1;
  for (;;) {
    const auto offset = clock.offset(from);
    const auto shown = next_shown(r, from + offset);
    if (!shown) return std::nullopt;
    const auto due = *shown - offset;
    if (clock.offset(due) == offset) return due;
    // The clocks change before that: look again from there.
    from = ZoneClock::first_moment(from, due, [&](Unix at) { return clock.offset(at) != offset; });
  }
}

/// Each is due once a day, whatever the clocks do.
std::optional<Unix> next_by_day(const Recurrence& r, Unix after, const ZoneClock& clock) {
  const auto offset = clock.offset(after);
  // Only where the clocks change may something be due now that they should have shown before.
  const bool change_near = clock.offset(after - around_change) != offset ||
                           clock.offset(after + around_change) != offset;
  auto shown = next_shown(r, after + offset + (change_near ? -around_change : 1));
  while (shown) {
    const auto due = clock.moment_of(*shown);
    if (due > after) return due;
    shown = next_shown(r, *shown + 1);
  }
  return std::nullopt;
}

}  // namespace

std::optional<WallTime> next_due(const Recurrence& recurrence, WallTime after,
                                 std::string_view zone) {
  const ZoneClock clock{zone};
  const auto at = c::floor<c::seconds>(after).time_since_epoch().count();
  const auto due = recurrence.follows_clock ? next_by_clock(recurrence, at, clock)
                                            : next_by_day(recurrence, at, clock);
  if (!due) return std::nullopt;
  return WallTime{c::seconds{*due}};
}

}  // namespace tocsin::checks
