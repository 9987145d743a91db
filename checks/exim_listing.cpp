#include "checks/exim_listing.hpp"

#include <charconv>
#include <optional>
#include <utility>
#include <vector>

#include "tocsin/base/text.hpp"

namespace tocsin::checks {
namespace {

constexpr std::size_t recipients_max = 1000;
constexpr std::size_t id_length_max = 40;

/// "25m", "3h", "12d" in seconds.
std::optional<std::int64_t> age_of(std::string_view word) {
  if (word.size() < 2) return std::nullopt;
  std::int64_t number = 0;
  const auto* end = word.data() + word.size() - 1;
  const auto read = std::from_chars(word.data(), end, number);
  if (read.ec != std::errc{} || read.ptr != end || number < 0 || number > 1'000'000)
    return std::nullopt;
  switch (word.back()) {
    case 'm':
      return number * 60;
    case 'h':
      return number * 3600;
    case 'd':
      return number * 86400;
  }
  return std::nullopt;
}

/// Two or three groups of letters and digits: "0t5C6f-0000c8-00".
bool is_message_id(std::string_view word) {
  int groups = 1;
  for (const char c : word) {
    const bool is_group =
        (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    if (c == '-')
      ++groups;
    else if (!is_group)
      return false;
  }
  return groups == 3 && word.size() >= 12 && word.size() <= id_length_max;
}

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  for (const auto word : split(line, ' '))
    if (!word.empty()) words.push_back(word);
  return words;
}

}  // namespace

bool EximListing::take(std::string_view line) {
  const bool indented = starts_with(line, "          ");
  if (trim(line).empty()) return finish();
  if (inside_ && (indented || starts_with(line, "        D "))) {
    // 'D' marks those who have it already.
    if (indented && current_.recipients.size() < recipients_max)
      current_.recipients.push_back({domain_of(trim(line)), {}});
    return false;
  }
  const auto words = words_of(line);
  const auto age = words.empty() ? std::nullopt : age_of(words.front());
  // The size is missing when the spool file cannot be read.
  const std::size_t id = words.size() > 2 && is_message_id(words[2]) ? 2 : 1;
  if (!age || words.size() <= id || !is_message_id(words[id])) {
    ++strange_;
    return false;
  }
  const bool whole = finish();
  current_.queue = line.find("*** frozen ***") != std::string_view::npos ? "frozen" : "waiting";
  current_.id = std::string{words[id]};
  current_.arrival = now_ - *age;
  inside_ = true;
  return whole;
}

bool EximListing::finish() {
  if (!inside_) return false;
  inside_ = false;
  done_ = std::exchange(current_, {});
  return true;
}

}  // namespace tocsin::checks
