#include <array>
#include <cmath>
#include <cstdint>
#include <limits>

#include "tocsin/base/text.hpp"
#include "tocsin/base/time.hpp"

namespace tocsin {
namespace {

struct TimeUnit {
  std::string_view name;
  std::int64_t nanoseconds;
};
constexpr std::int64_t second = 1'000'000'000;
constexpr std::array units{TimeUnit{"d", 86'400 * second},
                           TimeUnit{"h", 3'600 * second},
                           TimeUnit{"m", 60 * second},
                           TimeUnit{"s", second},
                           TimeUnit{"ms", 1'000'000},
                           TimeUnit{"us", 1'000},
                           TimeUnit{"ns", 1}};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

Error not_a_duration(std::string_view text, std::string_view hint = {}) {
  std::string detail =
      "expected a duration such as \"10s\", found \"" + cut_characters(text, 40) + "\"";
  if (!hint.empty()) detail += " (" + std::string{hint} + ")";
  return {Errc::malformed, std::move(detail)};
}

/// The digits at the front, or nothing on overflow. Takes them off `text`.
bool take_digits(std::string_view& text, std::int64_t& value) {
  value = 0;
  while (!text.empty() && is_digit(text.front())) {
    const auto digit = text.front() - '0';
    if (value > (std::numeric_limits<std::int64_t>::max() - digit) / 10) return false;
    value = value * 10 + digit;
    text.remove_prefix(1);
  }
  return true;
}

/// What stands behind the point: `value` of `scale`, nine digits at most.
struct Fraction {
  std::int64_t value{0};
  std::int64_t scale{1};
};
Fraction take_fraction(std::string_view& text) {
  Fraction out;
  while (!text.empty() && is_digit(text.front())) {
    if (out.scale < second) {
      out.value = out.value * 10 + (text.front() - '0');
      out.scale *= 10;
    }
    text.remove_prefix(1);
  }
  return out;
}

/// The fraction in nanoseconds, in integers: quotient and remainder apart, so that no product
/// overflows.
std::int64_t nanoseconds_of(const Fraction& fraction, std::int64_t unit) {
  return (unit / fraction.scale) * fraction.value +
         (unit % fraction.scale) * fraction.value / fraction.scale;
}

const TimeUnit* take_unit(std::string_view& text, std::size_t& rank) {
  std::size_t length = 0;
  while (length < text.size() && !is_digit(text[length]) && text[length] != '.') ++length;
  auto name = text.substr(0, length);
  text.remove_prefix(length);
  if (name == "\xC2\xB5s" || name == "\xCE\xBCs") name = "us";  // micro sign and Greek mu
  for (rank = 0; rank < units.size(); ++rank)
    if (units[rank].name == name) return &units[rank];
  return nullptr;
}

}  // namespace

Result<Duration> parse_duration(std::string_view text) {
  const auto whole = text;
  text = trim(text);
  if (text.empty()) return not_a_duration(whole);
  if (text.front() == '-') return not_a_duration(whole, "a duration is never negative");
  std::int64_t total = 0;
  std::size_t next_rank = 0;
  while (!text.empty()) {
    if (!is_digit(text.front())) return not_a_duration(whole);
    std::int64_t count = 0;
    if (!take_digits(text, count)) return not_a_duration(whole, "too long");
    Fraction behind_point;
    if (!text.empty() && text.front() == '.') {
      text.remove_prefix(1);
      if (text.empty() || !is_digit(text.front())) return not_a_duration(whole);
      behind_point = take_fraction(text);
    }
    if (text.empty()) return not_a_duration(whole, "a unit is missing: ns us ms s m h d");
    std::size_t rank = 0;
    const auto* unit = take_unit(text, rank);
    if (unit == nullptr) return not_a_duration(whole, "the units are ns us ms s m h d");
    if (rank < next_rank) return not_a_duration(whole, "each unit once, the largest first");
    next_rank = rank + 1;
    constexpr auto most = std::numeric_limits<std::int64_t>::max();
    if (count > most / unit->nanoseconds) return not_a_duration(whole, "too long");
    const auto part = count * unit->nanoseconds;
    const auto fraction = nanoseconds_of(behind_point, unit->nanoseconds);
    if (part > most - total || fraction > most - total - part)
      return not_a_duration(whole, "too long");
    total += part + fraction;
  }
  return Duration{total};
}

std::string to_config(Duration duration) {
  auto rest = duration.count();
  if (rest == 0) return "0s";
  std::string out;
  if (rest < 0) {
    out = "-";
    rest = rest == std::numeric_limits<std::int64_t>::min()
               ? std::numeric_limits<std::int64_t>::max()
               : -rest;
  }
  for (const auto& unit : units) {
    if (rest < unit.nanoseconds) continue;
    out += std::to_string(rest / unit.nanoseconds);
    out += unit.name;
    rest %= unit.nanoseconds;
  }
  return out;
}

std::string describe(Duration duration) {
  const auto count = duration.count();
  if (count < 0) {
    const auto positive =
        count == std::numeric_limits<std::int64_t>::min() ? Duration::max() : -duration;
    return "-" + describe(positive);
  }
  const auto ns = static_cast<double>(count);
  if (count == 0) return "0s";
  if (count < 1'000) return std::to_string(count) + "ns";
  if (count < 999'500) return describe_number(ns / 1e3) + "us";
  if (count < 999'500'000) return describe_number(ns / 1e6) + "ms";
  if (count < 59'950'000'000) return describe_number(std::round(ns / 1e8) / 10) + "s";
  // Minutes and up: the largest unit and the one below it, rounded to the latter.
  for (std::size_t i = 0; i < 3; ++i) {
    const auto large = units[i].nanoseconds;
    const auto small = units[i + 1].nanoseconds;
    const auto rounded = (count / small + (count % small >= small / 2 ? 1 : 0));
    const auto ratio = large / small;
    if (rounded < ratio) continue;
    auto out = std::to_string(rounded / ratio) + std::string{units[i].name};
    if (rounded % ratio != 0)
      out += " " + std::to_string(rounded % ratio) + std::string{units[i + 1].name};
    return out;
  }
  return std::to_string(count / second) + "s";
}

}  // namespace tocsin
