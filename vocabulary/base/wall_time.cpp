#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>

#include "tocsin/base/text.hpp"
#include "tocsin/base/time.hpp"
#include "vocabulary/base/zone.hpp"

namespace tocsin {
namespace {

namespace c = std::chrono;

/// A moment taken apart into calendar and clock.
struct Calendar {
  int year{};
  unsigned month{}, day{};
  long hours{}, minutes{}, seconds{}, milliseconds{};
};

Calendar take_apart(WallTime time) {
  const auto days = c::floor<c::days>(time);
  const c::year_month_day date{days};
  const c::hh_mm_ss clock{c::floor<c::milliseconds>(time - days)};
  return {int{date.year()},          unsigned{date.month()},  unsigned{date.day()},
          clock.hours().count(),     clock.minutes().count(), clock.seconds().count(),
          clock.subseconds().count()};
}

struct Local {
  Calendar calendar;
  std::string zone;
};

Local local_time(WallTime time, std::string_view zone) {
  ZoneOffset offset;
  if (const auto found = find_zone(zone))
    offset = found->at(c::floor<c::seconds>(time).time_since_epoch().count());
  return {take_apart(time + c::seconds{offset.seconds}), offset.name};
}

/// Fixed-width decimal digits off the front.
bool take_number(std::string_view& text, std::size_t digits, int& value) {
  if (text.size() < digits) return false;
  value = 0;
  for (std::size_t i = 0; i < digits; ++i) {
    if (text[i] < '0' || text[i] > '9') return false;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(digits);
  return true;
}
bool take(std::string_view& text, char wanted) {
  if (text.empty() || text.front() != wanted) return false;
  text.remove_prefix(1);
  return true;
}

/// "Z" or "+hh:mm".
bool take_offset(std::string_view& text, c::minutes& offset) {
  offset = c::minutes{0};
  if (take(text, 'Z')) return true;
  const bool west = text.starts_with('-');
  int hours = 0, minutes = 0;
  if (!take(text, west ? '-' : '+') || !take_number(text, 2, hours) || !take(text, ':') ||
      !take_number(text, 2, minutes) || hours > 23 || minutes > 59) {
    return false;
  }
  offset = (c::hours{hours} + c::minutes{minutes}) * (west ? -1 : 1);
  return true;
}

bool take_microseconds(std::string_view& text, std::int64_t& microseconds) {
  microseconds = 0;
  if (!take(text, '.')) return true;
  if (text.empty() || text.front() < '0' || text.front() > '9') return false;
  std::int64_t weight = 100'000;
  while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
    microseconds += (text.front() - '0') * weight;
    weight /= 10;
    text.remove_prefix(1);
  }
  return true;
}

}  // namespace

std::string to_rfc3339(WallTime time) {
  const auto t = take_apart(time);
  std::array<char, 64> buffer{};
  const auto length =
      std::snprintf(buffer.data(), buffer.size(), "%04d-%02u-%02uT%02ld:%02ld:%02ld.%03ldZ", t.year,
                    t.month, t.day, t.hours, t.minutes, t.seconds, t.milliseconds);
  return {buffer.data(), static_cast<std::size_t>(length)};
}

Result<WallTime> parse_rfc3339(std::string_view text) {
  const Error fault{Errc::malformed, "expected a time such as \"2026-11-22T21:37:40Z\", found \"" +
                                         cut_characters(text, 40) + "\""};
  auto rest = text;
  int year = 0, month = 0, day = 0, hours = 0, minutes = 0, seconds = 0;
  std::int64_t microseconds = 0;
  c::minutes offset{0};
  const bool shaped = take_number(rest, 4, year) && take(rest, '-') &&
                      take_number(rest, 2, month) && take(rest, '-') && take_number(rest, 2, day) &&
                      take(rest, 'T') && take_number(rest, 2, hours) && take(rest, ':') &&
                      take_number(rest, 2, minutes) && take(rest, ':') &&
                      take_number(rest, 2, seconds) && take_microseconds(rest, microseconds) &&
                      take_offset(rest, offset) && rest.empty();
  const c::year_month_day date{c::year{year}, c::month{static_cast<unsigned>(month)},
                               c::day{static_cast<unsigned>(day)}};
  if (!shaped || !date.ok() || hours > 23 || minutes > 59 || seconds > 60) return fault;
  return WallTime{c::sys_days{date}} + c::hours{hours} + c::minutes{minutes} + c::seconds{seconds} +
         c::microseconds{microseconds} - offset;
}

std::string to_local(WallTime time, std::string_view zone) {
  constexpr std::array months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                              "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto [t, name] = local_time(time, zone);
  std::array<char, 64> buffer{};
  const auto length = std::snprintf(buffer.data(), buffer.size(), "%u %s %02ld:%02ld:%02ld ", t.day,
                                    months[t.month - 1], t.hours, t.minutes, t.seconds);
  return std::string{buffer.data(), static_cast<std::size_t>(length)} + name;
}

std::string to_ddmm(WallTime time, std::string_view zone) {
  const auto t = local_time(time, zone).calendar;
  std::array<char, 16> buffer{};
  const auto length = std::snprintf(buffer.data(), buffer.size(), "%02u%02u", t.day, t.month);
  return {buffer.data(), static_cast<std::size_t>(length)};
}

std::chrono::seconds utc_offset(WallTime time, std::string_view zone) {
  const auto found = find_zone(zone);
  if (!found) return c::seconds{0};
  return c::seconds{found->at(c::floor<c::seconds>(time).time_since_epoch().count()).seconds};
}

bool zone_exists(std::string_view zone) { return zone == "UTC" || find_zone(zone) != nullptr; }

}  // namespace tocsin
