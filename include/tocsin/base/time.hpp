#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "tocsin/base/error.hpp"

namespace tocsin {

using Duration = std::chrono::nanoseconds;
/// Measure and wait with this. CLOCK_MONOTONIC: never jumps, stands still in suspend, means nothing
/// after a reboot.
using SteadyTime = std::chrono::time_point<std::chrono::steady_clock, Duration>;
/// Show and store this. CLOCK_REALTIME in microseconds: may jump, so nothing is decided by it.
using WallTime = std::chrono::time_point<std::chrono::system_clock, std::chrono::microseconds>;

/// Both readings, taken once for one decision.
struct Now {
  SteadyTime steady{};
  WallTime wall{};
};

/// "1h 5m", "10m", "2.5s", "80ms": the two largest units that matter, for people.
std::string describe(Duration duration);
/// "2h", "1m30s", "500ms", "7d" and so on: what parse_duration reads back, exactly.
std::string to_config(Duration duration);
/// Reads "10s", "1m30s", "500ms", "2h", "7d". A unit is required; negative and empty are errors.
Result<Duration> parse_duration(std::string_view text);
/// RFC 3339 in UTC with milliseconds: "2026-11-22T21:37:40.123Z".
std::string to_rfc3339(WallTime time);
/// Reads what to_rfc3339 writes (seconds fraction optional).
Result<WallTime> parse_rfc3339(std::string_view text);
/// "22 Nov 21:37:40 UTC" style, in the named zone (IANA name; falls back to UTC when the zone is
/// unknown).
std::string to_local(WallTime time, std::string_view zone);
/// Day and month in the zone as "ddmm", for channel names.
std::string to_ddmm(WallTime time, std::string_view zone);
/// How far the zone's clocks are ahead of UTC at that moment (0 when the zone is unknown).
std::chrono::seconds utc_offset(WallTime time, std::string_view zone);
/// Whether the zone database of this host knows the name.
bool zone_exists(std::string_view zone);

}  // namespace tocsin
