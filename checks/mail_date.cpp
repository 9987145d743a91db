#include "checks/mail_date.hpp"

#include <array>
#include <chrono>
#include <utility>

#include "checks/words.hpp"

namespace tocsin::checks {
namespace {

namespace c = std::chrono;

/// What a date says before its zone is accounted for.
struct Parts {
  int day{}, year{}, hours{}, minutes{}, seconds{};
  unsigned month{};
  c::minutes zone{0};
};

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

std::optional<WallTime> moment(const Parts& parts) {
  constexpr int first_year = 1970;
  constexpr int last_year = 2199;
  const c::year_month_day date{c::year{parts.year}, c::month{parts.month},
                               c::day{static_cast<unsigned>(parts.day)}};
  if (parts.year < first_year || parts.year > last_year || !date.ok()) return std::nullopt;
  // A minute that ends with a leap second has one more.
  if (parts.hours > 23 || parts.minutes > 59 || parts.seconds > 60) return std::nullopt;
  return WallTime{c::sys_days{date}} + c::hours{parts.hours} + c::minutes{parts.minutes} +
         c::seconds{parts.seconds} - parts.zone;
}

bool take(std::string_view& text, char wanted) {
  if (text.empty() || text.front() != wanted) return false;
  text.remove_prefix(1);
  return true;
}

/// How many digits it had: 0 when there is none, or more than `most`.
std::size_t take_number(std::string_view& text, std::size_t most, int& value) {
  std::size_t digits = 0;
  value = 0;
  for (; digits < text.size() && is_digit(text[digits]); ++digits) {
    if (digits == most) return 0;
    value = value * 10 + (text[digits] - '0');
  }
  text.remove_prefix(digits);
  return digits;
}

std::string_view take_letters(std::string_view& text) {
  std::size_t length = 0;
  while (length < text.size() && is_letter(text[length])) ++length;
  const auto letters = text.substr(0, length);
  text.remove_prefix(length);
  return letters;
}

bool take_month(std::string_view& text, unsigned& month) {
  constexpr std::array<std::string_view, 12> names{"jan", "feb", "mar", "apr", "may", "jun",
                                                   "jul", "aug", "sep", "oct", "nov", "dec"};
  const auto word = take_letters(text);
  for (unsigned i = 0; i < names.size(); ++i) {
    if (!is_same_word(word, names[i])) continue;
    month = i + 1;
    return true;
  }
  return false;
}

/// "+0100"; false when there is no sign, or no such zone after it.
bool take_offset(std::string_view& text, c::minutes& zone) {
  const bool west = text.starts_with('-');
  int digits = 0;
  if (!take(text, west ? '-' : '+') || take_number(text, 4, digits) != 4) return false;
  if (digits / 100 > 23 || digits % 100 > 59) return false;
  zone = (c::hours{digits / 100} + c::minutes{digits % 100}) * (west ? -1 : 1);
  return true;
}

/// The zones that RFC 5322 (section 4.3) knows; any other is as good as UTC.
c::minutes zone_by_name(std::string_view name) {
  constexpr std::array<std::pair<std::string_view, int>, 8> hours{{{"edt", -4},
                                                                   {"est", -5},
                                                                   {"cdt", -5},
                                                                   {"cst", -6},
                                                                   {"mdt", -6},
                                                                   {"mst", -7},
                                                                   {"pdt", -7},
                                                                   {"pst", -8}}};
  for (const auto& [known, offset] : hours)
    if (is_same_word(name, known)) return c::hours{offset};
  return c::minutes{0};
}

/// Blanks, and comments among them.
void skip_between(std::string_view& text) {
  while (!text.empty()) {
    if (text.front() == '(')
      skip_comment(text);
    else if (const auto c = text.front(); c == ' ' || c == '\t' || c == '\r' || c == '\n')
      text.remove_prefix(1);
    else
      return;
  }
}

bool take_year(std::string_view& text, int& year) {
  const auto digits = take_number(text, 4, year);
  if (digits == 2) year += year < 50 ? 2000 : 1900;
  if (digits == 3) year += 1900;
  return digits >= 2;
}

bool take_separator(std::string_view& text, char separator) {
  auto rest = text;
  skip_between(rest);
  if (!take(rest, separator)) return false;
  skip_between(rest);
  text = rest;
  return true;
}

bool take_time(std::string_view& text, Parts& parts) {
  if (take_number(text, 2, parts.hours) == 0 || !take_separator(text, ':')) return false;
  if (take_number(text, 2, parts.minutes) == 0) return false;
  return !take_separator(text, ':') || take_number(text, 2, parts.seconds) != 0;
}

}  // namespace

void skip_comment(std::string_view& text) {
  std::size_t depth = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == '(') {
      ++depth;
    } else if (text[i] == ')' && --depth == 0) {
      text.remove_prefix(i + 1);
      return;
    }
  }
  text = {};
}

std::optional<WallTime> parse_mail_date(std::string_view text) {
  Parts parts;
  skip_between(text);
  if (!take_letters(text).empty()) {
    skip_between(text);
    take(text, ',');
    skip_between(text);
  }
  if (take_number(text, 2, parts.day) == 0) return std::nullopt;
  skip_between(text);
  if (!take_month(text, parts.month)) return std::nullopt;
  skip_between(text);
  if (!take_year(text, parts.year)) return std::nullopt;
  skip_between(text);
  if (!take_time(text, parts)) return std::nullopt;
  skip_between(text);
  if (const auto name = take_letters(text); !name.empty())
    parts.zone = zone_by_name(name);
  else if (!text.empty() && !take_offset(text, parts.zone))
    return std::nullopt;
  return moment(parts);
}

std::optional<WallTime> parse_imap_date(std::string_view text) {
  Parts parts;
  take(text, ' ');
  const bool shaped = take_number(text, 2, parts.day) != 0 && take(text, '-') &&
                      take_month(text, parts.month) && take(text, '-') &&
                      take_number(text, 4, parts.year) == 4 && take(text, ' ') &&
                      take_number(text, 2, parts.hours) == 2 && take(text, ':') &&
                      take_number(text, 2, parts.minutes) == 2 && take(text, ':') &&
                      take_number(text, 2, parts.seconds) == 2 && take(text, ' ') &&
                      take_offset(text, parts.zone) && text.empty();
  return shaped ? moment(parts) : std::nullopt;
}

}  // namespace tocsin::checks
