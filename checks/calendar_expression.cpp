#include "checks/calendar_expression.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <vector>

#include "checks/words.hpp"
#include "tocsin/base/text.hpp"

namespace tocsin::checks {
namespace {

constexpr std::size_t shown_characters = 60;
constexpr std::array<std::string_view, 7> weekday_names{
    "sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"};

std::string lower(std::string_view text) {
  std::string out{text};
  for (auto& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  return out;
}

Error wrong(std::string_view what, std::string_view text, std::string_view why) {
  return {Errc::malformed, "the " + std::string{what} + " \"" +
                               cut_characters(text, shown_characters) + "\" " + std::string{why}};
}

std::string_view written_out(std::string_view shortcut) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 11> table{{
      {"minutely", "*-*-* *:*:00"},
      {"hourly", "*-*-* *:00:00"},
      {"daily", "*-*-* 00:00:00"},
      {"weekly", "Mon *-*-* 00:00:00"},
      {"monthly", "*-*-01 00:00:00"},
      {"quarterly", "*-01,04,07,10-01 00:00:00"},
      {"semiannually", "*-01,07-01 00:00:00"},
      {"semi-annually", "*-01,07-01 00:00:00"},
      {"yearly", "*-01-01 00:00:00"},
      {"annually", "*-01-01 00:00:00"},
      {"anually", "*-01-01 00:00:00"},  // systemd takes this one, too.
  }};
  for (const auto& [name, words] : table)
    if (name == shortcut) return words;
  return {};
}

/// The number of a weekday, by its name in full or its first three letters; -1 for anything else.
int weekday_of(std::string_view word) {
  const auto name = lower(word);
  for (std::size_t i = 0; i < weekday_names.size(); ++i)
    if (name == weekday_names[i] || name == weekday_names[i].substr(0, 3))
      return static_cast<int>(i);
  return -1;
}

bool is_weekdays(std::string_view word) {
  return weekday_of(word.substr(0, word.find_first_of(",.-"))) >= 0;
}

Result<void> read_weekdays(std::string_view text, std::bitset<7>& into) {
  for (const auto element : split(text, ',')) {
    const auto dots = element.find("..");
    const auto dash = element.find('-');
    const auto at = std::min(dots, dash);
    const auto first = weekday_of(element.substr(0, at));
    const auto last = at == std::string_view::npos
                          ? first
                          : weekday_of(element.substr(at + (dots == at ? 2 : 1)));
    if (first < 0 || last < 0)
      return wrong("weekday", element, "is none: write Mon, Mon,Thu or Mon..Fri");
    // The week begins with Monday here.
    if ((first + 6) % 7 > (last + 6) % 7)
      return wrong("weekday", element, "ends before it begins: weeks run from Mon to Sun");
    for (int day = (first + 6) % 7; day <= (last + 6) % 7; ++day)
      into.set(static_cast<std::size_t>((day + 1) % 7));
  }
  return {};
}

struct Part {
  std::string_view name;
  std::uint64_t least{}, most{};
  std::uint64_t first_bit{0};  ///< The value that bit 0 stands for.
};

/// One element: "*", "3", "1..5", "0/15", "8..20/4".
template <std::size_t Size>
Result<void> read_element(const Part& part, std::string_view text, std::bitset<Size>& into) {
  const auto slash = text.find('/');
  const auto range = text.substr(0, slash);
  const auto dots = range.find("..");
  std::optional<std::uint64_t> first{part.least}, last{part.most};
  std::uint64_t step = 1;
  if (range != "*") {
    first = to_number(range.substr(0, dots));
    if (dots != std::string_view::npos)
      last = to_number(range.substr(dots + 2));
    else if (slash == std::string_view::npos)
      last = first;
  }
  if (slash != std::string_view::npos) {
    const auto given = to_number(text.substr(slash + 1));
    if (!given || *given == 0) return wrong(part.name, text, "needs a whole step after the \"/\"");
    step = *given;
  }
  if (!first || !last || *first < part.least || *last > part.most || *first > part.most)
    return wrong(part.name, text,
                 "is not within " + std::to_string(part.least) + " to " +
                     std::to_string(part.most) + ", with \"..\" for ranges");
  if (*first > *last) return wrong(part.name, text, "ends before it begins");
  for (auto value = *first; value <= *last; value += step) into.set(value - part.first_bit);
  return {};
}

template <std::size_t Size>
Result<void> read_part(const Part& part, std::string_view text, std::bitset<Size>& into) {
  into.reset();
  for (const auto element : split(text, ',')) {
    const auto read = read_element(part, element, into);
    if (!read) return read.error();
  }
  return {};
}

Result<void> read_date(std::string_view text, Recurrence& into) {
  if (text.find('~') != std::string_view::npos)
    return wrong("date", text, "counts from the end of the month (\"~\"), which is not known here");
  auto parts = split(text, '-');
  if (parts.size() != 2 && parts.size() != 3)
    return wrong("date", text, "is not YEAR-MONTH-DAY or MONTH-DAY, such as *-*-01");
  if (parts.size() == 2) parts.insert(parts.begin(), "*");
  for (const auto& read : {read_part({"year", recurrence_first_year, 2199, recurrence_first_year},
                                     parts[0], into.years),
                           read_part({"month", 1, 12}, parts[1], into.months),
                           read_part({"day", 1, 31}, parts[2], into.days)})
    if (!read) return read.error();
  return {};
}

Result<void> read_time(std::string_view text, Recurrence& into) {
  auto parts = split(text, ':');
  if (parts.size() != 2 && parts.size() != 3)
    return wrong("time", text, "is not HOUR:MINUTE or HOUR:MINUTE:SECOND, such as 03:00");
  if (parts.size() == 2) parts.emplace_back("00");
  for (const auto& read : {read_part({"hour", 0, 23}, parts[0], into.hours),
                           read_part({"minute", 0, 59}, parts[1], into.minutes),
                           read_part({"second (a whole number)", 0, 59}, parts[2], into.seconds)})
    if (!read) return read.error();
  return {};
}

}  // namespace

Result<CalendarExpression> parse_calendar(std::string_view text) {
  const Error shape{Errc::malformed,
                    "\"" + cut_characters(text, shown_characters) +
                        "\" is not a calendar expression such as daily, Mon..Fri 03:00, *:0/15 or "
                        "*-*-01 04:00:00"};
  std::vector<std::string_view> words;
  Words rest{text};
  for (auto word = rest.next(); !word.empty() && words.size() < 5; word = rest.next())
    words.push_back(word);
  CalendarExpression out;
  if (words.size() > 1 && words.back().find_first_of(":*") == std::string_view::npos &&
      zone_exists(words.back())) {
    out.zone = std::string{words.back()};
    words.pop_back();
  }
  if (words.empty() || words.size() > 3) return shape;
  if (words.size() == 1) {
    if (const auto full = written_out(lower(words[0])); !full.empty()) {
      words.clear();
      Words again{full};
      for (auto word = again.next(); !word.empty(); word = again.next()) words.push_back(word);
    }
  }
  auto& r = out.recurrence;
  r.months.set();
  r.days.set();
  r.weekdays.set();
  r.hours.set(0);
  r.minutes.set(0);
  r.seconds.set(0);
  std::size_t next = 0;
  const auto is_time = [](std::string_view word) {
    return word.find(':') != std::string_view::npos;
  };
  if (is_weekdays(words[next])) {
    r.weekdays.reset();
    if (const auto read = read_weekdays(words[next++], r.weekdays); !read) return read.error();
  }
  if (next < words.size() && !is_time(words[next]) &&
      words[next].find('-') != std::string_view::npos)
    if (const auto read = read_date(words[next++], r); !read) return read.error();
  if (next < words.size() && is_time(words[next]))
    if (const auto read = read_time(words[next++], r); !read) return read.error();
  if (next != words.size()) return shape;
  r.follows_clock = r.hours.all() || r.minutes.all();
  return out;
}

}  // namespace tocsin::checks
