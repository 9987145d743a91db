#pragma once

#include <string>
#include <string_view>

#include "checks/recurrence.hpp"
#include "tocsin/base/error.hpp"

namespace tocsin::checks {

/// What a calendar expression says.
struct CalendarExpression {
  Recurrence recurrence{};
  std::string zone{};  ///< The time zone that it names itself, if any.
};

/// Reads what systemd's OnCalendar= takes (systemd.time(7)): "daily" and the other shortcuts, or
/// weekdays, date and time of the day with "*", lists, ranges ("..") and repetition ("/"), and a
/// time zone at the end: "Mon..Fri *-*-* 03:00:00", "*:0/15", "*-*-01,15 04:00 Europe/London". Days
/// counted from the end of the month ("~") and fractions of seconds are complained of.
Result<CalendarExpression> parse_calendar(std::string_view text);

}  // namespace tocsin::checks
