#include "checks/perfdata.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>

#include "checks/plugin_number.hpp"
#include "tocsin/base/limits.hpp"
#include "tocsin/base/text.hpp"

namespace tocsin::checks {
namespace {

constexpr std::size_t long_lines_max = 40;
constexpr std::size_t values_max = 500;
constexpr std::size_t label_characters_max = 100;
static_assert(values_max + 2 <= limits::samples_per_run);

/// What to multiply by to reach the base unit. Plugins count their KB in steps of 1024 (check_disk,
/// check_swap). An unknown unit leaves the number as it is.
double scale_of(std::string_view unit) {
  constexpr double step = 1024;
  constexpr std::pair<std::string_view, double> table[] = {
      {"ms", 1e-3},
      {"us", 1e-6},
      {"\xc2\xb5s", 1e-6},
      {"ns", 1e-9},
      {"%", 1e-2},
      {"KB", step},
      {"kB", step},
      {"KiB", step},
      {"MB", step * step},
      {"MiB", step * step},
      {"GB", step * step * step},
      {"GiB", step * step * step},
      {"TB", step * step * step * step},
      {"TiB", step * step * step * step},
      {"PB", step * step * step * step * step},
  };
  for (const auto& [word, scale] : table)
    if (word == unit) return scale;
  return 1;
}

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

void skip_blanks(std::string_view& text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
}

std::string_view take_word(std::string_view& text) {
  const auto end = std::find_if(text.begin(), text.end(), is_blank);
  const auto word = text.substr(0, static_cast<std::size_t>(end - text.begin()));
  text.remove_prefix(word.size());
  return word;
}

/// The label, with the '=' after it taken as well; nothing when there is none.
std::optional<std::string> take_label(std::string_view& text) {
  std::string label;
  auto rest = text;
  if (rest.front() == '\'') {
    rest.remove_prefix(1);
    while (true) {
      const auto quote = rest.find('\'');
      if (quote == std::string_view::npos) return std::nullopt;
      label += rest.substr(0, quote);
      rest.remove_prefix(quote + 1);
      if (rest.empty() || rest.front() != '\'') break;
      label += '\'';  // Two quotes are one.
      rest.remove_prefix(1);
    }
    if (rest.empty() || rest.front() != '=') return std::nullopt;
  } else {
    const auto end =
        std::find_if(rest.begin(), rest.end(), [](char c) { return c == '=' || is_blank(c); });
    if (end == rest.end() || *end != '=') return std::nullopt;
    label = std::string{rest.begin(), end};
    rest.remove_prefix(label.size());
  }
  rest.remove_prefix(1);
  label = std::string{trim(clean_utf8(label))};
  if (label.empty()) return std::nullopt;
  text = rest;
  return cut_characters(label, label_characters_max);
}

std::optional<Range> range_at(const std::vector<std::string_view>& fields, std::size_t index) {
  if (index >= fields.size() || fields[index].empty()) return std::nullopt;
  const auto range = parse_range(fields[index]);
  return range ? std::optional{*range} : std::nullopt;
}

std::optional<PerfValue> read_value(std::string label, std::string_view word) {
  const auto fields = split(word, ';');
  PerfValue out;
  out.label = std::move(label);
  if (fields.front() == "U") {
    out.value = out.as_written = std::numeric_limits<double>::quiet_NaN();
  } else {
    const auto number = plugin_number(fields.front());
    if (!number) return std::nullopt;
    const auto unit = fields.front().substr(number->length);
    // A comma is a decimal point of another locale: the number is not what it seems.
    if (unit.find_first_of(",.0123456789'=") != std::string_view::npos) return std::nullopt;
    out.unit = cut_characters(clean_utf8(unit), 16);
    out.as_written = number->value;
    out.value = number->value * scale_of(out.unit);
    if (!std::isfinite(out.value)) return std::nullopt;
  }
  out.warning = range_at(fields, 1);
  out.critical = range_at(fields, 2);
  return out;
}

std::string line_of(std::string_view text) {
  return cut_characters(clean_utf8(trim(text)), limits::evidence_line_characters);
}

}  // namespace

void parse_perfdata(std::string_view text, PluginOutput& into) {
  for (skip_blanks(text); !text.empty(); skip_blanks(text)) {
    auto label = take_label(text);
    const auto word = take_word(text);
    auto value = label ? read_value(std::move(*label), word) : std::nullopt;
    if (!value || into.values.size() >= values_max) {
      ++into.unreadable;
      continue;
    }
    const bool known =
        std::any_of(into.values.begin(), into.values.end(),
                    [&](const PerfValue& other) { return other.label == value->label; });
    if (known)
      ++into.unreadable;
    else
      into.values.push_back(std::move(*value));
  }
}

PluginOutput parse_plugin_output(std::string_view text) {
  PluginOutput out;
  bool first = true;
  bool numbers_only = false;
  for (const auto line : split(text, '\n')) {
    const auto bar = numbers_only ? 0 : line.find('|');
    const auto words = numbers_only ? std::string_view{} : line.substr(0, bar);
    if (first) {
      out.first_line = line_of(words);
    } else if (!trim(words).empty() && out.long_lines.size() < long_lines_max) {
      out.long_lines.push_back(line_of(words));
    }
    if (numbers_only)
      parse_perfdata(line, out);
    else if (bar != std::string_view::npos)
      parse_perfdata(line.substr(bar + 1), out);
    // After a bar in the long text all further lines are numbers; after the first line's, text.
    if (!first && bar != std::string_view::npos) numbers_only = true;
    first = false;
  }
  return out;
}

}  // namespace tocsin::checks
