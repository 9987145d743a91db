#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin {

/// The local time in force: how far ahead of UTC, and what it is called ("CET").
struct ZoneOffset {
  std::int64_t seconds{0};
  std::string name{"UTC"};
};

/// A day on which the clock changes, as the POSIX TZ string of a zone file writes it.
struct ZoneSwitch {
  enum class Form {
    month_week_day,    ///< Mm.w.d: the w-th (5: last) weekday d of month m.
    day_without_leap,  ///< Jn: day n of the year, 29 February never counted.
    day_with_leap,     ///< n: day n from 0, 29 February counted.
  };
  Form form{Form::month_week_day};
  int month{1}, week{1}, day{0};
  std::int64_t at_seconds{7'200};  ///< Local time of the day; may be negative or beyond a day.
};

/// What holds after the last transition that a zone file lists.
struct ZoneFooter {
  ZoneOffset standard{};
  std::optional<ZoneOffset> summer{};
  ZoneSwitch begin{}, end{};
};

/// One zone of the host's database (TZif, RFC 8536), read whole into memory.
class Zone {
 public:
  /// Reads the bytes of a zone file; nothing when they are not one.
  static std::shared_ptr<const Zone> parse(std::string_view bytes);
  ZoneOffset at(std::int64_t unix_seconds) const;

 private:
  std::vector<std::int64_t> transitions_;
  std::vector<std::uint8_t> types_;  ///< One a transition: index into offsets_.
  std::vector<ZoneOffset> offsets_;
  std::optional<ZoneFooter> footer_;
};

/// Reads a POSIX TZ string ("CET-1CEST,M3.5.0,M10.5.0/3").
std::optional<ZoneFooter> parse_posix_zone(std::string_view text);
/// The zone of that name from the host's database, kept once read; null when there is none. Safe
/// from any thread.
std::shared_ptr<const Zone> find_zone(std::string_view name);

}  // namespace tocsin
