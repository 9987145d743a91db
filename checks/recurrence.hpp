#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "tocsin/base/time.hpp"

namespace tocsin::checks {

/// The years that a calendar can speak of.
inline constexpr int recurrence_first_year = 1970;
inline constexpr std::size_t recurrence_years = 230;

/// When something is due again and again, on the clocks of one time zone: on these days, at these
/// times of the day. What cron and systemd's calendar expressions have in common.
struct Recurrence {
  std::bitset<recurrence_years> years{std::bitset<recurrence_years>{}.set()};  ///< From 1970.
  std::bitset<13> months{};                                                    ///< 1 to 12.
  std::bitset<32> days{};     ///< Of the month: 1 to 31.
  std::bitset<7> weekdays{};  ///< 0 is Sunday.
  std::bitset<24> hours{};
  std::bitset<60> minutes{};
  std::bitset<60> seconds{};
  /// A day of the month or a weekday is enough (cron, when it names both); else both must agree.
  bool either_day{false};
  /// Due whenever the clocks show such a time (every hour, every ten minutes). Otherwise each due
  /// time comes once a day: one in an hour that the clocks skip is due right after it, and one in
  /// an hour that they show twice is due the first time. As Debian's cron does it.
  bool follows_clock{false};
  friend bool operator==(const Recurrence&, const Recurrence&) = default;
};

/// The first due time after a moment; nothing when there is none for the next 40 years.
std::optional<WallTime> next_due(const Recurrence& recurrence, WallTime after,
                                 std::string_view zone);

}  // namespace tocsin::checks
