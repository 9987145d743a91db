#pragma once

#include <string>
#include <string_view>

namespace tocsin::notify {

/// A channel's name taken apart: "issue-nginx-2211-3" is the third of "issue-nginx-2211".
struct SuffixedName {
  std::string base{};
  int number{1};
};
SuffixedName take_suffix(const std::string& name);
/// "issue-nginx-2211", "issue-nginx-2211-2"…, within Slack's length.
std::string with_suffix(const std::string& base, int number);
/// Whether the purpose holds this very marker, or some other incident's.
bool has_marker(std::string_view purpose, std::string_view marker);
bool has_other_marker(std::string_view purpose, std::string_view marker);

/// "C024BE91L": an id rather than a name, for names have no capitals.
bool looks_like_channel_id(std::string_view text);
/// What every marker begins with.
inline constexpr std::string_view marker_prefix = "tocsin:";

}  // namespace tocsin::notify
