#pragma once

#include <string>
#include <string_view>

#include "tocsin/base/error.hpp"

namespace tocsin {

/// What a sample's number counts. Numbers are always kept in the base unit.
enum class Unit {
  none,     ///< A plain number: a load, a count, a state, a status code.
  ratio,    ///< 0 to 1; written with % in configuration and text.
  seconds,  ///< Seconds; written with ns us ms s m h d.
  bytes,    ///< Bytes; written with B kB KiB MB MiB GB GiB TB TiB.
  hours,  ///< Hours (hours_to_full): a bare number or a duration; exposed to Prometheus in seconds.
  days,   ///< Days (certificate_days): a bare number or a duration; exposed in seconds.
  per_second,        ///< A rate; bare number.
  bytes_per_second,  ///< A byte rate; bytes with an optional "/s".
};

/// The suffix of the metric's name ("seconds", "bytes", "ratio", ""), as Prometheus names base
/// units.
std::string_view metric_suffix(Unit unit);
/// What to multiply a value by to reach the metric's base unit (3600 for hours, 86400 for days,
/// else 1).
double metric_scale(Unit unit);
/// A quantity as configuration writes it ("40%", "500ms", "5GiB", "4") read in `unit`. Errors say
/// which units fit.
Result<double> parse_quantity(std::string_view text, Unit unit);
/// A quantity for people: "43.2%", "1.5 GiB", "12m 5s", "4.2".
std::string describe_quantity(double value, Unit unit);

}  // namespace tocsin
