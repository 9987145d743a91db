#include "checks/cron_expression.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "checks/words.hpp"
#include "tocsin/base/text.hpp"

namespace tocsin::checks {
namespace {

constexpr std::size_t shown_characters = 60;

constexpr std::array<std::string_view, 12> month_names{"jan", "feb", "mar", "apr", "may", "jun",
                                                       "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::array<std::string_view, 7> weekday_names{"sun", "mon", "tue", "wed",
                                                        "thu", "fri", "sat"};

struct FieldOf {
  std::string_view name;
  std::uint64_t least{}, most{};
  std::span<const std::string_view> words{};  ///< The first stands for `least`.
};

std::string lower(std::string_view text) {
  std::string out{text};
  for (auto& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  return out;
}

Error wrong(const FieldOf& field, std::string_view text, std::string_view why) {
  return {Errc::malformed, "the " + std::string{field.name} + " \"" +
                               cut_characters(text, shown_characters) + "\" " + std::string{why}};
}

std::optional<std::uint64_t> value_of(const FieldOf& field, std::string_view word) {
  const auto name = lower(word);
  for (std::size_t i = 0; i < field.words.size(); ++i)
    if (field.words[i] == name) return field.least + i;
  const auto number = to_number(word);
  return number && *number >= field.least && *number <= field.most ? number : std::nullopt;
}

/// One element of a list: "*", "7", "1-5", "*/10" or "10-40/5". Sets the bits it means.
template <std::size_t Size>
Result<void> read_element(const FieldOf& field, std::string_view text, std::bitset<Size>& into) {
  const auto range_text = "is not within " + std::to_string(field.least) + " to " +
                          std::to_string(field.most) + ", with \"-\" for ranges";
  const auto slash = text.find('/');
  const auto range = text.substr(0, slash);
  std::uint64_t step = 1;
  const auto dash = range.find('-');
  auto first = std::optional{field.least};
  auto last = std::optional{field.most};
  if (slash != std::string_view::npos) {
    const auto given = to_number(text.substr(slash + 1));
    if (!given || *given == 0 || *given > field.most)
      return wrong(field, text,
                   "needs a step from 1 to " + std::to_string(field.most) + " after the \"/\"");
    if (range != "*" && dash == std::string_view::npos)
      return wrong(field, text,
                   "has a step without a range: write " + std::string{range} + "-" +
                       std::to_string(field.most) + std::string{text.substr(slash)});
    step = *given;
  }
  if (range != "*") {
    first = value_of(field, range.substr(0, dash));
    last = dash == std::string_view::npos ? first : value_of(field, range.substr(dash + 1));
    // A week may end with Sunday.
    if (last == 0u && field.words.data() == weekday_names.data() && first > last) last = 7u;
  }
  if (!first || !last) return wrong(field, text, range_text);
  if (*first > *last) return wrong(field, text, "ends before it begins");
  for (auto value = *first; value <= *last; value += step) into.set(value % Size);
  return {};
}

template <std::size_t Size>
Result<void> read_field(const FieldOf& field, std::string_view text, std::bitset<Size>& into) {
  for (const auto element : split(text, ',')) {
    const auto read = read_element(field, element, into);
    if (!read) return read.error();
  }
  return {};
}

std::string_view written_out(std::string_view shortcut) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 7> table{{
      {"@hourly", "0 * * * *"},
      {"@daily", "0 0 * * *"},
      {"@midnight", "0 0 * * *"},
      {"@weekly", "0 0 * * 0"},
      {"@monthly", "0 0 1 * *"},
      {"@yearly", "0 0 1 1 *"},
      {"@annually", "0 0 1 1 *"},
  }};
  for (const auto& [name, fields] : table)
    if (name == shortcut) return fields;
  return {};
}

Result<std::vector<std::string_view>> fields_of(std::string_view text) {
  const auto shortcut = lower(trim(text));
  if (shortcut == "@reboot")
    return Error{Errc::malformed, "\"@reboot\" has no times at which it is due: use period"};
  const auto whole = shortcut.starts_with('@') ? written_out(shortcut) : text;
  std::vector<std::string_view> fields;
  Words words{whole};
  for (auto word = words.next(); !word.empty() && fields.size() < 7; word = words.next())
    fields.push_back(word);
  if (fields.size() == 5) return fields;
  return Error{Errc::malformed, "\"" + cut_characters(text, shown_characters) +
                                    "\" is not five fields (minute, hour, day of the month, "
                                    "month, weekday) nor @hourly, @daily, @weekly, @monthly or "
                                    "@yearly"};
}

}  // namespace

Result<Recurrence> parse_cron(std::string_view text) {
  const auto fields = fields_of(text);
  if (!fields) return fields.error();
  const auto& part = *fields;
  Recurrence out;
  out.seconds.set(0);
  std::bitset<7> weekdays;
  for (const auto& read : {read_field({"minute", 0, 59}, part[0], out.minutes),
                           read_field({"hour", 0, 23}, part[1], out.hours),
                           read_field({"day of the month", 1, 31}, part[2], out.days),
                           read_field({"month", 1, 12, month_names}, part[3], out.months),
                           read_field({"weekday", 0, 7, weekday_names}, part[4], weekdays)})
    if (!read) return read.error();
  out.weekdays = weekdays;
  // As Debian's cron reads a crontab: a field that begins with a star restricts together with the
  // other, and a job with a star for minutes or hours follows the clock.
  out.either_day = !part[2].starts_with('*') && !part[4].starts_with('*');
  out.follows_clock =
      part[0].starts_with('*') || part[1].starts_with('*') || out.hours.all() || out.minutes.all();
  return out;
}

}  // namespace tocsin::checks
