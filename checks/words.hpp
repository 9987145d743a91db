#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "tocsin/base/error.hpp"

namespace tocsin::checks {

/// A word that is wholly a decimal number, else nothing.
inline std::optional<std::uint64_t> to_number(std::string_view word) {
  std::uint64_t value{};
  const auto* const end = word.data() + word.size();
  const auto [rest, problem] = std::from_chars(word.data(), end, value);
  if (problem != std::errc{} || rest != end) return std::nullopt;
  return value;
}

/// A word that is wholly a finite decimal number, else nothing.
std::optional<double> to_real(std::string_view word);

/// Walks the words of a text that are separated by blanks, tabs or line ends. Allocates nothing.
class Words {
 public:
  explicit Words(std::string_view text) : rest_{text} {}

  /// The next word; empty at the end.
  std::string_view next();
  std::optional<std::uint64_t> number() { return to_number(next()); }
  std::optional<double> real() { return to_real(next()); }
  void skip(int words) {
    while (words-- > 0) next();
  }

 private:
  std::string_view rest_;
};

/// "1 message", "2 messages".
std::string counted(std::uint64_t count, std::string_view noun);

/// Whether two words are the same but for the case of their letters (ASCII).
bool is_same_word(std::string_view a, std::string_view b);

/// Cuts the first line off `text`, without its line end; empty lines are lines.
std::string_view take_line(std::string_view& text);

/// The first number after `key` on the line that starts with it: ("pswpin ", "MemTotal:").
std::optional<std::uint64_t> number_after(std::string_view text, std::string_view key);

/// "PATH is not as expected (no such-and-such): 'its first words'".
Error malformed(std::string_view path, std::string_view wanted, std::string_view text);

}  // namespace tocsin::checks
