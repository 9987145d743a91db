// What plugins print: any bytes must give few clean texts and finite numbers, which read back when
// they are written down again.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <set>
#include <string>
#include <string_view>

#include "checks/perfdata.hpp"
#include "tocsin/base/error.hpp"
#include "tocsin/base/limits.hpp"
#include "tocsin/base/text.hpp"

namespace {

using namespace tocsin;
using namespace tocsin::checks;

bool is_line(std::string_view text, std::size_t characters) {
  return clean_utf8(text) == text && text.find('\n') == text.npos &&
         cut_characters(text, characters) == text;
}

std::string written(double number) {
  char buffer[64];
  std::snprintf(buffer, sizeof buffer, "%.17g", number);
  return buffer;
}

std::string written(const std::optional<Range>& range) {
  if (!range) return "";
  const auto start = std::isinf(range->start) ? "~" : written(range->start);
  const auto end = std::isinf(range->end) ? "" : written(range->end);
  return (range->inside ? "@" : "") + start + ":" + end;
}

std::string written(const PerfValue& value) {
  std::string label;
  for (const char c : value.label) label += c == '\'' ? "''" : std::string{c};
  const auto number = std::isnan(value.as_written) ? "U" : written(value.as_written) + value.unit;
  return "'" + label + "'=" + number + ";" + written(value.warning) + ";" +
         written(value.critical) + " ";
}

bool same(double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); }

void reads_back(const PluginOutput& output) {
  std::string text;
  for (const auto& value : output.values) text += written(value);
  PluginOutput again;
  parse_perfdata(text, again);
  check_that(again.unreadable == 0, "all of it can be read");
  check_that(again.values.size() == output.values.size(), "nothing is lost");
  for (std::size_t i = 0; i < again.values.size(); ++i) {
    const auto& before = output.values[i];
    const auto& after = again.values[i];
    check_that(after.label == before.label && after.unit == before.unit, "names stay");
    check_that(same(after.value, before.value), "numbers stay");
    check_that(same(after.as_written, before.as_written), "numbers stay as written");
    check_that(after.warning == before.warning && after.critical == before.critical, "ranges stay");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  const auto output = parse_plugin_output(text);
  check_that(output.values.size() <= 500, "perfdata is bounded");
  check_that(output.long_lines.size() <= 40, "lines are bounded");
  check_that(is_line(output.first_line, limits::evidence_line_characters), "a line is one");
  for (const auto& line : output.long_lines)
    check_that(is_line(line, limits::evidence_line_characters), "each line is one");
  std::set<std::string_view> labels;
  for (const auto& value : output.values) {
    check_that(!value.label.empty() && is_line(value.label, 100), "a label is a short line");
    check_that(labels.insert(value.label).second, "each label comes once");
    check_that(is_line(value.unit, 16), "a unit is short");
    check_that(!std::isinf(value.as_written), "a number is finite");
    check_that(!std::isinf(value.value), "a number is finite in its base unit too");
    check_that(std::isnan(value.value) == std::isnan(value.as_written), "unknown is unknown");
    for (const auto& range : {value.warning, value.critical})
      check_that(!range || range->start <= range->end, "a range begins before it ends");
  }
  reads_back(output);
  return 0;
}
