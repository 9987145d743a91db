#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin {

/// At most `characters` code points of valid UTF-8; what was cut is shown by a final "…", which
/// counts. Invalid bytes become U+FFFD, so the result is always valid UTF-8.
std::string cut_characters(std::string_view text, std::size_t characters);
/// At most `bytes` bytes, cut at a code point's boundary, with a final "…" (3 bytes, counted) if
/// anything was cut.
std::string cut_bytes(std::string_view text, std::size_t bytes);
/// Valid UTF-8 without control characters but newline and tab: safe to store, show and send.
std::string clean_utf8(std::string_view text);
std::string_view trim(std::string_view text);
std::vector<std::string_view> split(std::string_view text, char separator);
bool starts_with(std::string_view text, std::string_view prefix);
/// The candidate nearest to `word` by edit distance, or empty when none is near (distance > 1/3 of
/// its length, least 2).
std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates);
/// A number as people write it: at most `digits` significant ones (whole digits are never rounded
/// away), no trailing zeros, never an exponent below 1e15.
std::string describe_number(double value, int digits = 3);

}  // namespace tocsin
