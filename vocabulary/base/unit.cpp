#include "tocsin/base/unit.hpp"

#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <system_error>

#include "tocsin/base/text.hpp"
#include "tocsin/base/time.hpp"

namespace tocsin {
namespace {

struct ByteUnit {
  std::string_view name;
  double bytes;
};
constexpr std::array byte_units{
    ByteUnit{"B", 1.0},
    ByteUnit{"kB", 1e3},
    ByteUnit{"KiB", 1024.0},
    ByteUnit{"MB", 1e6},
    ByteUnit{"MiB", 1024.0 * 1024},
    ByteUnit{"GB", 1e9},
    ByteUnit{"GiB", 1024.0 * 1024 * 1024},
    ByteUnit{"TB", 1e12},
    ByteUnit{"TiB", 1024.0 * 1024 * 1024 * 1024},
};

Error bad_quantity(std::string_view text, std::string_view wanted) {
  return {Errc::malformed,
          "expected " + std::string{wanted} + ", found \"" + cut_characters(text, 40) + "\""};
}

std::string_view wanted(Unit unit) {
  switch (unit) {
    case Unit::none:
      return "a plain number";
    case Unit::ratio:
      return "a share such as \"40%\" (or a number from 0 to 1)";
    case Unit::seconds:
      return "seconds with a unit (ns us ms s m h d) such as \"500ms\"";
    case Unit::bytes:
      return "bytes with a unit (B kB KiB MB MiB GB GiB TB TiB) such as \"5GiB\"";
    case Unit::hours:
      return "hours: a plain number, or a duration such as \"4h\"";
    case Unit::days:
      return "days: a plain number, or a duration such as \"3d\"";
    case Unit::per_second:
      return "a plain number per second";
    case Unit::bytes_per_second:
      return "bytes per second with a unit such as \"5MiB/s\"";
  }
  return "a number";
}

struct Quantity {
  double number{};
  std::string_view suffix;
};

/// The number at the front and what follows it. Words such as "inf" are no numbers here.
bool take_quantity(std::string_view text, Quantity& out) {
  const auto unsigned_text = text.starts_with('-') ? text.substr(1) : text;
  if (unsigned_text.empty() ||
      !((unsigned_text[0] >= '0' && unsigned_text[0] <= '9') || unsigned_text[0] == '.')) {
    return false;
  }
  // Fixed notation: "5e3" would be a number to from_chars and "5E" a riddle to people.
  const auto [rest, problem] =
      std::from_chars(text.data(), text.data() + text.size(), out.number, std::chars_format::fixed);
  if (problem != std::errc{} || !std::isfinite(out.number)) return false;
  out.suffix = trim(text.substr(static_cast<std::size_t>(rest - text.data())));
  return true;
}

Result<double> duration_in(std::string_view text, Unit unit, std::string_view whole) {
  const bool negative = text.starts_with('-');
  const auto duration = parse_duration(negative ? text.substr(1) : text);
  if (!duration) return bad_quantity(whole, wanted(unit));
  const auto seconds = static_cast<double>(duration->count()) / 1e9;
  return (negative ? -seconds : seconds) / metric_scale(unit);
}

Result<double> bytes_in(const Quantity& quantity, Unit unit, std::string_view whole) {
  auto suffix = quantity.suffix;
  if (unit == Unit::bytes_per_second && suffix.ends_with("/s")) suffix.remove_suffix(2);
  for (const auto& known : byte_units)
    if (known.name == suffix) return quantity.number * known.bytes;
  return bad_quantity(whole, wanted(unit));
}

Result<double> ratio_in(const Quantity& quantity, std::string_view whole) {
  if (quantity.suffix == "%") return quantity.number / 100;
  if (quantity.suffix.empty() && quantity.number >= 0 && quantity.number <= 1)
    return quantity.number;
  if (quantity.suffix.empty() && quantity.number > 1) {
    return Error{Errc::malformed,
                 "a share needs its % (\"" + std::string{whole} + "%\"), or a number from 0 to 1"};
  }
  return bad_quantity(whole, wanted(Unit::ratio));
}

std::string describe_bytes(double value) {
  constexpr std::array<std::string_view, 6> names{"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
  auto amount = value;
  std::size_t i = 0;
  for (; i + 1 < names.size() && std::fabs(amount) >= 1023.5; ++i) amount /= 1024;
  return describe_number(amount) + " " + std::string{names[i]};
}

std::string describe_seconds(double seconds) {
  if (!std::isfinite(seconds)) return describe_number(seconds);
  if (std::fabs(seconds) > 9e9) return describe_number(seconds / 86'400) + "d";
  return describe(Duration{static_cast<std::int64_t>(std::llround(seconds * 1e9))});
}

}  // namespace

std::string_view metric_suffix(Unit unit) {
  switch (unit) {
    case Unit::none:
      return "";
    case Unit::ratio:
      return "ratio";
    case Unit::seconds:
      return "seconds";
    case Unit::bytes:
      return "bytes";
    case Unit::hours:
      return "seconds";
    case Unit::days:
      return "seconds";
    case Unit::per_second:
      return "";
    case Unit::bytes_per_second:
      return "bytes";
  }
  return "";
}

double metric_scale(Unit unit) {
  switch (unit) {
    case Unit::hours:
      return 3'600;
    case Unit::days:
      return 86'400;
    case Unit::none:
    case Unit::ratio:
    case Unit::seconds:
    case Unit::bytes:
    case Unit::per_second:
    case Unit::bytes_per_second:
      return 1;
  }
  return 1;
}

Result<double> parse_quantity(std::string_view text, Unit unit) {
  const auto whole = trim(text);
  Quantity quantity;
  if (!take_quantity(whole, quantity)) return bad_quantity(whole, wanted(unit));
  switch (unit) {
    case Unit::none:
      if (quantity.suffix.empty()) return quantity.number;
      return bad_quantity(whole, wanted(unit));
    case Unit::per_second:
      if (quantity.suffix.empty() || quantity.suffix == "/s") return quantity.number;
      return bad_quantity(whole, wanted(unit));
    case Unit::ratio:
      return ratio_in(quantity, whole);
    case Unit::seconds:
      return duration_in(whole, unit, whole);
    case Unit::hours:
    case Unit::days:
      if (quantity.suffix.empty()) return quantity.number;
      return duration_in(whole, unit, whole);
    case Unit::bytes:
    case Unit::bytes_per_second:
      return bytes_in(quantity, unit, whole);
  }
  return bad_quantity(whole, "a number");
}

std::string describe_quantity(double value, Unit unit) {
  switch (unit) {
    case Unit::none:
      return describe_number(value);
    case Unit::ratio:
      return describe_number(value * 100) + "%";
    case Unit::seconds:
    case Unit::hours:
    case Unit::days:
      return describe_seconds(value * metric_scale(unit));
    case Unit::bytes:
      return describe_bytes(value);
    case Unit::per_second:
      return describe_number(value) + "/s";
    case Unit::bytes_per_second:
      return describe_bytes(value) + "/s";
  }
  return describe_number(value);
}

}  // namespace tocsin
