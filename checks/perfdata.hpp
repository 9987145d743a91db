#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "checks/range.hpp"

namespace tocsin::checks {

/// One number of a plugin: `'label'=value[UOM][;warn[;crit[;min[;max]]]]`.
struct PerfValue {
  std::string label{};
  double value{};       ///< In base units: seconds, bytes, ratio; NaN for "U" (undetermined).
  double as_written{};  ///< Before scaling: what the ranges speak of.
  std::string unit{};   ///< As written.
  std::optional<Range> warning{}, critical{};
};

/// What a plugin printed, taken apart: text before '|', numbers after it.
struct PluginOutput {
  std::string first_line{};
  std::vector<std::string> long_lines{};  ///< At most 40, each cut and cleaned.
  std::vector<PerfValue> values{};        ///< The first of each label, at most 500.
  std::size_t unreadable{0};              ///< Numbers that were not of this form, and left out.
};

/// Reads what follows '|'. What is not of the form is counted and passed over up to the next blank.
void parse_perfdata(std::string_view text, PluginOutput& into);
PluginOutput parse_plugin_output(std::string_view text);

}  // namespace tocsin::checks
