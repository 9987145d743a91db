#include "checks/words.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "tocsin/base/text.hpp"

namespace tocsin::checks {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n'; }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

}  // namespace

std::optional<double> to_real(std::string_view word) {
  double value{};
  const auto* const end = word.data() + word.size();
  const auto [rest, problem] = std::from_chars(word.data(), end, value);
  if (problem != std::errc{} || rest != end || !std::isfinite(value)) return std::nullopt;
  return value;
}

std::string_view Words::next() {
  std::size_t begin = 0;
  while (begin < rest_.size() && is_blank(rest_[begin])) ++begin;
  std::size_t end = begin;
  while (end < rest_.size() && !is_blank(rest_[end])) ++end;
  const auto word = rest_.substr(begin, end - begin);
  rest_.remove_prefix(end);
  return word;
}

std::string counted(std::uint64_t count, std::string_view noun) {
  return std::to_string(count) + " " + std::string{noun} + (count == 1 ? "" : "s");
}

bool is_same_word(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

std::string_view take_line(std::string_view& text) {
  const auto end = text.find('\n');
  const auto line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return line;
}

std::optional<std::uint64_t> number_after(std::string_view text, std::string_view key) {
  for (std::size_t at = text.find(key); at != std::string_view::npos; at = text.find(key, at + 1)) {
    if (at == 0 || text[at - 1] == '\n') return Words{text.substr(at + key.size())}.number();
  }
  return std::nullopt;
}

Error malformed(std::string_view path, std::string_view wanted, std::string_view text) {
  constexpr std::size_t shown = 60;
  return {Errc::malformed, std::string{path} + " is not as expected (no " + std::string{wanted} +
                               "): '" + cut_characters(clean_utf8(text.substr(0, 200)), shown) +
                               "'"};
}

}  // namespace tocsin::checks
