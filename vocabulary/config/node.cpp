#include "tocsin/config/node.hpp"

#include <algorithm>

#include "tocsin/base/limits.hpp"
#include "tocsin/base/text.hpp"

namespace tocsin {
namespace {

// Keys and values of the file come along in both: neither may carry control characters to a
// terminal.
constexpr std::size_t path_characters = 120;
constexpr std::size_t message_characters = 1'000;

Complaint make(Place where, const std::string& path, const std::string& message,
               bool confidential) {
  return {std::move(where), cut_characters(clean_utf8(path), path_characters),
          cut_characters(clean_utf8(mask_credentials(message)), message_characters), confidential};
}

bool is_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}
bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Slack's tokens begin with "xox" and a letter, or "xapp", and a hyphen; what follows is theirs.
void mask_slack_tokens(std::string& text) {
  for (const std::string_view prefix : {"xox", "xapp-"}) {
    for (auto at = text.find(prefix); at != std::string::npos; at = text.find(prefix, at + 1)) {
      auto end = at + prefix.size();
      if (prefix == "xox" && end + 1 < text.size() && text[end + 1] == '-')
        end += 2;
      else if (prefix == "xox")
        continue;
      for (; end < text.size() && (is_alphanumeric(text[end]) || text[end] == '-'); ++end)
        text[end] = '*';
    }
  }
}

/// Where the user's part of a URL ends that begins at `begin`: at its '@', or npos. A password may
/// hold a '/' or '?' that ought to be written as %2F or %3F: "u:pa/ss@host" has no port before the
/// slash, which tells it from "host:80/a@b".
std::size_t end_of_user(std::string_view text, std::size_t begin) {
  const auto stop = std::min(text.find_first_of("@/?# \t\"'", begin), text.size());
  if (stop == text.size() || text[stop] == '@') return stop < text.size() ? stop : text.npos;
  const auto colon = text.substr(begin, stop - begin).find(':');
  if (colon == text.npos) return text.npos;
  const auto port = text.substr(begin + colon + 1, stop - begin - colon - 1);
  if (text[begin] == '[' || std::all_of(port.begin(), port.end(), is_digit)) return text.npos;
  const auto end = text.find_first_of("@ \t\"'", stop);
  return end != text.npos && text[end] == '@' ? end : text.npos;
}

/// "scheme://user:password@host": everything between the slashes and the at sign.
void mask_user_info(std::string& text) {
  for (auto at = text.find("://"); at != std::string::npos; at = text.find("://", at + 3)) {
    const auto begin = at + 3;
    if (begin == text.size()) return;
    const auto end = end_of_user(text, begin);
    if (end == std::string::npos) continue;
    std::fill(text.begin() + static_cast<std::ptrdiff_t>(begin),
              text.begin() + static_cast<std::ptrdiff_t>(end), '*');
  }
}

/// What follows "Bearer " or "Basic ", as headers have it.
void mask_authorizations(std::string& text) {
  for (const std::string_view word : {"Bearer ", "bearer ", "Basic ", "basic "}) {
    for (auto at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) {
      const auto begin = at + word.size();
      const auto end = std::min(text.find_first_of(" \t\"',}", begin), text.size());
      // Small letters alone are a word of a sentence ("Basic authentication").
      const auto is_word = std::all_of(text.begin() + static_cast<std::ptrdiff_t>(begin),
                                       text.begin() + static_cast<std::ptrdiff_t>(end),
                                       [](char c) { return c >= 'a' && c <= 'z'; });
      if (is_word) continue;
      std::fill(text.begin() + static_cast<std::ptrdiff_t>(begin),
                text.begin() + static_cast<std::ptrdiff_t>(end), '*');
    }
  }
}

/// Keys of services are long runs of letters and digits mixed; words and numbers are not.
void mask_long_keys(std::string& text) {
  constexpr std::ptrdiff_t shortest_key = 20;
  for (auto begin = text.begin(); begin != text.end();) {
    begin = std::find_if(begin, text.end(), is_alphanumeric);
    const auto end = std::find_if_not(begin, text.end(), is_alphanumeric);
    const auto digits = std::count_if(begin, end, is_digit);
    if (end - begin >= shortest_key && digits > 0 && digits < end - begin)
      std::fill(begin, end, '*');
    begin = end;
  }
}

}  // namespace

std::string mask_credentials(std::string_view text) {
  std::string out{text};
  mask_slack_tokens(out);
  mask_user_info(out);
  mask_authorizations(out);
  mask_long_keys(out);
  return out;
}

void Complaints::add(Place where, std::string path, std::string message) {
  if (all_.size() < limits::complaints_kept)
    all_.push_back(make(std::move(where), path, message, false));
}

void Complaints::add_confidential(Place where, std::string path, std::string message) {
  if (all_.size() < limits::complaints_kept)
    all_.push_back(make(std::move(where), path, message, true));
}

const Node* Node::find(std::string_view key) const {
  const auto it = std::ranges::find(entries, key, &Entry::key);
  return it == entries.end() ? nullptr : &it->value;
}

}  // namespace tocsin
