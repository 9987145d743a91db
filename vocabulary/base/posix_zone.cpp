#include "vocabulary/base/zone.hpp"

namespace tocsin {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

/// A POSIX TZ string, piece by piece off the front. Each take_… says whether it found what it
/// wanted.
class PosixZone {
 public:
  explicit PosixZone(std::string_view text) : rest_{text} {}
  bool done() const { return rest_.empty(); }
  bool take(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  bool take_name(std::string& name) {
    std::size_t length = 0;
    if (take('<')) {
      length = rest_.find('>');
      if (length == std::string_view::npos) return false;
      name = std::string{rest_.substr(0, length)};
      rest_.remove_prefix(length + 1);
      return !name.empty();
    }
    while (length < rest_.size() && is_letter(rest_[length])) ++length;
    name = std::string{rest_.substr(0, length)};
    rest_.remove_prefix(length);
    return length >= 3;
  }
  bool take_number(int most, int& value) {
    if (rest_.empty() || !is_digit(rest_.front())) return false;
    value = 0;
    while (!rest_.empty() && is_digit(rest_.front())) {
      value = value * 10 + (rest_.front() - '0');
      rest_.remove_prefix(1);
      if (value > most) return false;
    }
    return true;
  }
  /// [+-]hh[:mm[:ss]]
  bool take_time(std::int64_t& seconds) {
    const bool negative = take('-');
    if (!negative) take('+');
    int hours = 0, minutes = 0, rest = 0;
    if (!take_number(167, hours)) return false;
    if (take(':') && !take_number(59, minutes)) return false;
    if (minutes != 0 && take(':') && !take_number(59, rest)) return false;
    seconds = hours * 3'600 + minutes * 60 + rest;
    if (negative) seconds = -seconds;
    return true;
  }
  bool take_switch(ZoneSwitch& out) {
    if (take('M')) {
      out.form = ZoneSwitch::Form::month_week_day;
      if (!take_number(12, out.month) || !take('.') || !take_number(5, out.week) || !take('.') ||
          !take_number(6, out.day) || out.month < 1 || out.week < 1) {
        return false;
      }
    } else if (take('J')) {
      out.form = ZoneSwitch::Form::day_without_leap;
      if (!take_number(365, out.day) || out.day < 1) return false;
    } else {
      out.form = ZoneSwitch::Form::day_with_leap;
      if (!take_number(365, out.day)) return false;
    }
    return !take('/') || take_time(out.at_seconds);
  }

 private:
  std::string_view rest_;
};

}  // namespace

std::optional<ZoneFooter> parse_posix_zone(std::string_view text) {
  PosixZone zone{text};
  ZoneFooter out;
  std::int64_t west = 0;  // POSIX counts west of Greenwich as positive.
  if (!zone.take_name(out.standard.name) || !zone.take_time(west)) return std::nullopt;
  out.standard.seconds = -west;
  if (zone.done()) return out;
  ZoneOffset summer{out.standard.seconds + 3'600, {}};
  if (!zone.take_name(summer.name)) return std::nullopt;
  if (!zone.take(',')) {
    if (!zone.take_time(west)) return std::nullopt;
    summer.seconds = -west;
    if (!zone.take(',')) return std::nullopt;
  }
  if (!zone.take_switch(out.begin) || !zone.take(',') || !zone.take_switch(out.end))
    return std::nullopt;
  if (!zone.done()) return std::nullopt;
  out.summer = std::move(summer);
  return out;
}

}  // namespace tocsin
