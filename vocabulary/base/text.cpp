#include "tocsin/base/text.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>

namespace tocsin {
namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";  // U+FFFD
constexpr std::string_view ellipsis = "\xE2\x80\xA6";     // U+2026

struct CodePoint {
  std::uint32_t value{};
  std::size_t bytes{1};
  bool valid{false};
};

std::size_t announced_bytes(unsigned char lead) {
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return 2;
  if (lead >= 0xE0 && lead <= 0xEF) return 3;
  if (lead >= 0xF0 && lead <= 0xF4) return 4;
  return 0;
}

/// The code point at the start of non-empty text. An invalid one counts for a single byte.
CodePoint first_code_point(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text.front());
  const auto bytes = announced_bytes(lead);
  if (bytes == 0 || bytes > text.size()) return {};
  if (bytes == 1) return {lead, 1, true};
  std::uint32_t value = lead & (0x7Fu >> bytes);
  for (std::size_t i = 1; i < bytes; ++i) {
    const auto next = static_cast<unsigned char>(text[i]);
    if ((next & 0xC0u) != 0x80u) return {};
    value = (value << 6u) | (next & 0x3Fu);
  }
  const bool overlong = (bytes == 3 && value < 0x800) || (bytes == 4 && value < 0x10000);
  const bool surrogate = value >= 0xD800 && value <= 0xDFFF;
  if (overlong || surrogate || value > 0x10FFFF) return {};
  return {value, bytes, true};
}

/// Valid text, a code point at a time, without copying: calls take(piece) until it says stop.
template <class Take>
void each_code_point(std::string_view text, Take take) {
  while (!text.empty()) {
    const auto point = first_code_point(text);
    if (!take(point, point.valid ? text.substr(0, point.bytes) : replacement)) return;
    text.remove_prefix(point.bytes);
  }
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

constexpr std::size_t longest_word = 64;

/// Edits (insert, drop, replace, swap neighbours) from one word to the other, letter case aside.
std::size_t edit_distance(std::string_view from, std::string_view to) {
  using Row = std::array<std::size_t, longest_word + 1>;
  Row before_last{}, last{}, row{};
  for (std::size_t j = 0; j <= to.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= from.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= to.size(); ++j) {
      const bool same = lower(from[i - 1]) == lower(to[j - 1]);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (same ? 0u : 1u)});
      const bool swapped = i > 1 && j > 1 && lower(from[i - 1]) == lower(to[j - 2]) &&
                           lower(from[i - 2]) == lower(to[j - 1]);
      if (swapped) row[j] = std::min(row[j], before_last[j - 2] + 1);
    }
    before_last = last;
    last = row;
  }
  return last[to.size()];
}

}  // namespace

std::string cut_characters(std::string_view text, std::size_t characters) {
  std::string out;
  std::size_t count = 0;
  std::size_t before_last =
      0;  // Where the last character that is kept begins, should it have to give way to "…".
  bool cut = false;
  each_code_point(text, [&](const CodePoint&, std::string_view piece) {
    if (count == characters) {
      cut = true;
      return false;
    }
    before_last = out.size();
    out += piece;
    ++count;
    return true;
  });
  if (!cut || characters == 0) return out;
  out.resize(before_last);
  out += ellipsis;
  return out;
}

std::string cut_bytes(std::string_view text, std::size_t bytes) {
  std::string out;
  std::size_t room_for_ellipsis = 0;  // The longest prefix that leaves room for "…".
  bool cut = false;
  each_code_point(text, [&](const CodePoint&, std::string_view piece) {
    if (out.size() + piece.size() > bytes) {
      cut = true;
      return false;
    }
    out += piece;
    if (out.size() + ellipsis.size() <= bytes) room_for_ellipsis = out.size();
    return true;
  });
  if (!cut) return out;
  if (bytes < ellipsis.size()) return {};
  out.resize(room_for_ellipsis);
  out += ellipsis;
  return out;
}

std::string clean_utf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  each_code_point(text, [&](const CodePoint& point, std::string_view piece) {
    const bool kept_control = point.value == '\n' || point.value == '\t';
    const bool control =
        point.valid && (point.value < 0x20 || (point.value >= 0x7F && point.value < 0xA0));
    if (!control || kept_control) out += piece;
    return true;
  });
  return out;
}

std::string_view trim(std::string_view text) {
  constexpr std::string_view blank = " \t\r\n\v\f";
  const auto first = text.find_first_not_of(blank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blank) - first + 1);
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const auto at = text.find(separator);
    parts.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

bool starts_with(std::string_view text, std::string_view prefix) {
  return text.starts_with(prefix);
}

std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates) {
  if (word.empty() || word.size() > longest_word) return {};
  std::string_view best;
  auto best_distance = std::max<std::size_t>(2, word.size() / 3) + 1;
  for (const auto candidate : candidates) {
    if (candidate.size() > longest_word) continue;
    const auto distance = edit_distance(word, candidate);
    // Replacing every letter makes anything near: a short word must keep at least one.
    if (distance >= best_distance || distance >= std::max(word.size(), candidate.size())) continue;
    best = candidate;
    best_distance = distance;
  }
  return best;
}

std::string describe_number(double value, int digits) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  std::array<char, 64> buffer{};
  const auto written = [&](int length) {
    return std::string{buffer.data(), static_cast<std::size_t>(length)};
  };
  const auto magnitude = std::fabs(value);
  if (magnitude >= 1e15)
    return written(std::snprintf(buffer.data(), buffer.size(), "%.*g", digits, value));
  const int whole_digits =
      magnitude < 1 ? 0 : static_cast<int>(std::floor(std::log10(magnitude))) + 1;
  int decimals = std::max(0, digits - whole_digits);
  if (magnitude > 0 && magnitude < 1) {
    decimals = std::min(12, digits - 1 - static_cast<int>(std::floor(std::log10(magnitude))));
  }
  auto out =
      written(std::snprintf(buffer.data(), buffer.size(), "%.*f", std::max(0, decimals), value));
  if (out.find('.') != std::string::npos) {
    out.erase(out.find_last_not_of('0') + 1);
    if (out.back() == '.') out.pop_back();
  }
  return out == "-0" ? "0" : out;
}

}  // namespace tocsin
