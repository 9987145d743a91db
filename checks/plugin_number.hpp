#pragma once

#include <charconv>
#include <cmath>
#include <cstddef>
#include <optional>
#include <string_view>

namespace tocsin::checks {

/// A decimal number at the start of a text, in the C locale: "-1.5e3". Neither infinite nor
/// hexadecimal; a comma ends it.
struct PluginNumber {
  double value{};
  std::size_t length{};
};
inline std::optional<PluginNumber> plugin_number(std::string_view text) {
  const std::size_t sign = !text.empty() && (text.front() == '+' || text.front() == '-') ? 1 : 0;
  if (text.size() <= sign) return std::nullopt;
  // from_chars also reads "inf" and "nan", and no '+'.
  const char first = text[sign];
  if (first != '.' && (first < '0' || first > '9')) return std::nullopt;
  double value{};
  const auto [rest, fault] = std::from_chars(text.data() + sign, text.data() + text.size(), value);
  if (fault != std::errc{} || !std::isfinite(value)) return std::nullopt;
  const auto length = static_cast<std::size_t>(rest - text.data());
  return PluginNumber{text.front() == '-' ? -value : value, length};
}

}  // namespace tocsin::checks
