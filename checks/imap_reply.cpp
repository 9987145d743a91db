#include "checks/imap_reply.hpp"

#include <algorithm>
#include <limits>
#include <optional>

#include "checks/mail_date.hpp"
#include "checks/words.hpp"

namespace tocsin::checks {
namespace {

constexpr std::string_view blanks = " \t\r";

std::optional<ImapUid> uid_of(std::string_view word) {
  const auto number = to_number(word);
  if (!number || *number == 0 || *number > std::numeric_limits<ImapUid>::max()) return std::nullopt;
  return static_cast<ImapUid>(*number);
}

std::string_view without_return(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

/// How many bytes follow the line as a literal, which its end announces: "{12}", "{12+}".
std::optional<std::size_t> literal_after(std::string_view line) {
  if (!line.ends_with('}')) return std::nullopt;
  const auto brace = line.rfind('{');
  if (brace == std::string_view::npos) return std::nullopt;
  auto digits = line.substr(brace + 1, line.size() - brace - 2);
  if (digits.ends_with('+')) digits.remove_suffix(1);
  const auto number = to_number(digits);
  return number ? std::optional{static_cast<std::size_t>(*number)} : std::nullopt;
}

/// Cuts the next response off the text, without its line end: a line, or several when there are
/// literals, in place of which it has an empty string.
std::string take_response(std::string_view& text) {
  std::string response;
  for (;;) {
    const auto line = without_return(take_line(text));
    const auto literal = literal_after(line);
    if (!literal) return response.append(line);
    response.append(line.substr(0, line.rfind('{'))).append("\"\"");
    text.remove_prefix(std::min(text.size(), *literal));
  }
}

void keep_highest(std::vector<ImapUid>& uids) {
  std::ranges::sort(uids);
  uids.erase(std::unique(uids.begin(), uids.end()), uids.end());
  if (uids.size() <= imap_uids_max) return;
  uids.erase(uids.begin(), uids.end() - static_cast<std::ptrdiff_t>(imap_uids_max));
}

void skip_blanks(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
}

/// Moves past a quoted string, which the text begins with; past its end when it is not closed.
std::string_view take_quoted(std::string_view& text) {
  const auto whole = text;
  for (std::size_t i = 1; i < whole.size(); ++i) {
    if (whole[i] == '\\') {
      ++i;
    } else if (whole[i] == '"') {
      text.remove_prefix(i + 1);
      return whole.substr(1, i - 1);
    }
  }
  text = {};
  return {};
}

/// An atom, such as an item's name with its section: "BODY[HEADER.FIELDS (DATE)]<0>".
std::string_view take_atom(std::string_view& text) {
  std::size_t length = 0;
  bool in_section = false;
  for (; length < text.size(); ++length) {
    const char c = text[length];
    if (c == '[') in_section = true;
    if (c == ']') in_section = false;
    if (!in_section && (c == '(' || c == ')' || c == '"' || blanks.find(c) != blanks.npos)) break;
  }
  const auto atom = text.substr(0, length);
  text.remove_prefix(length);
  return atom;
}

/// Moves past a list in parentheses, which the text begins with; past its end when it is not
/// closed.
void skip_list(std::string_view& text) {
  std::size_t depth = 0;
  while (!text.empty()) {
    const char c = text.front();
    if (c == '"') {
      take_quoted(text);
      continue;
    }
    if (c == '(') ++depth;
    if (c == ')') --depth;
    text.remove_prefix(1);
    if (depth == 0) return;
  }
}

/// A value: that of a string without its quotes, an atom, or nothing of a list.
std::string_view take_value(std::string_view& text) {
  if (text.starts_with('"')) return take_quoted(text);
  if (!text.starts_with('(')) return take_atom(text);
  skip_list(text);
  return {};
}

/// The items of a message, up to the parenthesis that closes them.
std::optional<ImapArrival> read_items(std::string_view text) {
  std::optional<ImapUid> uid;
  std::optional<WallTime> at;
  for (;;) {
    skip_blanks(text);
    if (text.starts_with(')')) break;
    const auto name = take_atom(text);
    if (name.empty()) return std::nullopt;
    skip_blanks(text);
    const auto value = take_value(text);
    if (is_same_word(name, "UID"))
      uid = uid_of(value);
    else if (is_same_word(name, "INTERNALDATE"))
      at = parse_imap_date(value);
  }
  if (!uid || !at) return std::nullopt;
  return ImapArrival{*uid, *at};
}

/// Cuts "* NUMBER FETCH (" off a response; false when it does not begin so.
bool is_of_message(std::string_view& response) {
  Words words{response};
  if (words.next() != "*" || !words.number() || !is_same_word(words.next(), "FETCH")) return false;
  const auto list = response.find('(');
  if (list == std::string_view::npos) return false;
  response.remove_prefix(list + 1);
  return true;
}

}  // namespace

std::vector<ImapUid> parse_imap_search(std::string_view reply) {
  std::vector<ImapUid> uids;
  while (!reply.empty()) {
    const auto response = take_response(reply);
    Words words{response};
    if (words.next() != "*" || !is_same_word(words.next(), "SEARCH")) continue;
    // Something other than numbers may follow them, such as "(MODSEQ 917162500)".
    for (auto uid = uid_of(words.next()); uid; uid = uid_of(words.next())) {
      uids.push_back(*uid);
      if (uids.size() == 2 * imap_uids_max) keep_highest(uids);
    }
  }
  keep_highest(uids);
  return uids;
}

std::optional<std::uint32_t> parse_imap_uid_validity(std::string_view reply) {
  std::optional<std::uint32_t> validity;
  while (!reply.empty()) {
    const auto response = take_response(reply);
    Words words{response};
    if (words.next() != "*" || !is_same_word(words.next(), "OK") ||
        !is_same_word(words.next(), "[UIDVALIDITY"))
      continue;
    auto number = words.next();
    if (!number.ends_with(']')) continue;
    number.remove_suffix(1);
    if (const auto said = uid_of(number)) validity = said;
  }
  return validity;
}

std::vector<ImapArrival> parse_imap_arrivals(std::string_view reply) {
  std::vector<ImapArrival> arrivals;
  while (!reply.empty() && arrivals.size() < imap_uids_max) {
    const auto response = take_response(reply);
    std::string_view rest{response};
    if (!is_of_message(rest)) continue;
    if (const auto arrival = read_items(rest)) arrivals.push_back(*arrival);
  }
  std::ranges::stable_sort(arrivals, {}, &ImapArrival::uid);
  const auto same = [](const ImapArrival& a, const ImapArrival& b) { return a.uid == b.uid; };
  arrivals.erase(std::unique(arrivals.begin(), arrivals.end(), same), arrivals.end());
  return arrivals;
}

std::string imap_uid_set(std::span<const ImapUid> uids) {
  std::vector<ImapUid> sorted{uids.begin(), uids.end()};
  std::ranges::sort(sorted);
  sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
  std::string text;
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    if (sorted[i] == 0) continue;
    const auto first = sorted[i];
    while (i + 1 < sorted.size() && sorted[i + 1] == sorted[i] + 1) ++i;
    if (!text.empty()) text += ',';
    text += std::to_string(first);
    if (sorted[i] != first) text += ':' + std::to_string(sorted[i]);
  }
  return text;
}

}  // namespace tocsin::checks
