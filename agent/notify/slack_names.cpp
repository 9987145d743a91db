#include "agent/notify/slack_names.hpp"

#include <algorithm>

#include "tocsin/base/limits.hpp"

namespace tocsin::notify {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_id_character(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
}

}  // namespace

SuffixedName take_suffix(const std::string& name) {
  // Behind the four digits of day and month, one or two more are the number.
  const auto dash = name.rfind('-');
  if (dash == std::string::npos || dash < 5) return {name, 1};
  const auto digits = name.size() - dash - 1;
  if (digits < 1 || digits > 2) return {name, 1};
  const bool number =
      std::all_of(name.begin() + static_cast<std::ptrdiff_t>(dash) + 1, name.end(), is_digit);
  const auto date = name.substr(dash - 5, 5);
  const bool dated = date[0] == '-' && std::all_of(date.begin() + 1, date.end(), is_digit);
  if (!number || !dated) return {name, 1};
  return {name.substr(0, dash), std::max(1, std::stoi(name.substr(dash + 1)))};
}

std::string with_suffix(const std::string& base, int number) {
  const auto suffix = number > 1 ? "-" + std::to_string(number) : std::string{};
  return base.substr(0, limits::slack_channel_name_characters - suffix.size()) + suffix;
}

bool has_marker(std::string_view purpose, std::string_view marker) {
  if (marker.empty()) return false;
  for (auto at = purpose.find(marker); at != std::string_view::npos;
       at = purpose.find(marker, at + 1)) {
    const auto end = at + marker.size();
    if (end == purpose.size() || !is_id_character(purpose[end])) return true;
  }
  return false;
}

bool has_other_marker(std::string_view purpose, std::string_view marker) {
  return purpose.find(marker_prefix) != std::string_view::npos && !has_marker(purpose, marker);
}

bool looks_like_channel_id(std::string_view text) {
  return text.size() >= 8 && (text[0] == 'C' || text[0] == 'G') &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return is_digit(c) || (c >= 'A' && c <= 'Z'); });
}

}  // namespace tocsin::notify
