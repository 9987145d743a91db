#include "checks/redaction.hpp"

#include <re2/re2.h>

#include <algorithm>
#include <array>

namespace tocsin::checks {
namespace {

constexpr std::string_view placeholder = "<redacted>";

bool is_word_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/// How long the value is that the text begins with: a quoted one, or what has no blank in it. A
/// quote that is never closed, for the line was cut, reaches to the line's end, and so does one
/// that is closed in the midst of a word: which of its quotes is the last cannot be known.
std::size_t length_of_value(std::string_view text) {
  static const RE2 value{
      R"re((?i)"[^"]*"|"[^"\n]*|'[^']*'|'[^'\n]*|(?:(?:bearer|basic)\s+)?[^\s,;&"']+)re"};
  re2::StringPiece found;
  if (!value.Match(text, 0, text.size(), RE2::ANCHOR_START, &found, 1)) return 0;
  const bool is_quoted = text.front() == '"' || text.front() == '\'';
  if (!is_quoted || found.size() == text.size() || !is_word_character(text[found.size()]))
    return found.size();
  return std::min(text.find('\n', found.size()), text.size());
}

/// Without the values that follow a word such as password. "Failed password for root" tells of a
/// password and holds none: a value follows '=' or ':'.
std::string without_named(std::string_view text) {
  static const RE2 key{
      R"re((?i)["']?\b(?:[a-z0-9_-]*(?:password|passwd|passphrase|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|credential)[a-z0-9_-]*|pwd|authorization|cookie)["']?\s*[=:](\s*))re"};
  std::string out;
  std::size_t at = 0;
  std::array<re2::StringPiece, 2> found;
  while (key.Match(text, at, text.size(), RE2::UNANCHORED, found.data(), 2)) {
    const auto begin = static_cast<std::size_t>(found[0].data() - text.data()) + found[0].size();
    const bool apart = !found[1].empty();
    out += text.substr(at, begin - at);
    at = begin;
    // "password= token=…": the first has no value.
    if (apart && key.Match(text, at, text.size(), RE2::ANCHOR_START, nullptr, 0)) continue;
    const auto length = length_of_value(text.substr(at));
    if (length > 0) out += placeholder;
    at += length;
  }
  return out.append(text.substr(at));
}

}  // namespace

std::string redacted(std::string_view line) {
  static const RE2 bearer{R"re((?i)\b(bearer|basic)\s+[a-z0-9+/=._~-]{8,})re"};
  static const RE2 in_url{R"re(([a-z][a-z0-9+.-]*://[^\s/:@]*):[^\s/@]+@)re"};
  static const RE2 long_run{R"re(\b[A-Za-z0-9+_-]{32,}={0,2})re"};
  auto text = without_named(line);
  RE2::GlobalReplace(&text, bearer, "\\1 <redacted>");
  RE2::GlobalReplace(&text, in_url, "\\1:<redacted>@");
  RE2::GlobalReplace(&text, long_run, "<redacted>");
  return text;
}

std::string without_secret(std::string text, std::string_view secret) {
  constexpr std::size_t length_least = 4;
  constexpr std::string_view stars{"***"};
  if (secret.size() < length_least) return text;
  for (auto at = text.find(secret); at != std::string::npos;
       at = text.find(secret, at + stars.size()))
    text.replace(at, secret.size(), stars);
  return text;
}

}  // namespace tocsin::checks
