#include "checks/received_headers.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "checks/mail_date.hpp"
#include "checks/words.hpp"
#include "tocsin/base/text.hpp"

namespace tocsin::checks {
namespace {

constexpr std::string_view unnamed_host = "an unnamed host";

bool is_blank(char c) { return c == ' ' || c == '\t'; }

/// Cuts the first header off the block, with the lines that continue it and without its last line
/// end.
std::string_view take_field(std::string_view& block) {
  const auto whole = block;
  std::size_t length = 0;
  do {
    take_line(block);
    length = whole.size() - block.size();
  } while (!block.empty() && is_blank(block.front()));
  auto field = whole.substr(0, length);
  while (!field.empty() && (field.back() == '\n' || field.back() == '\r')) field.remove_suffix(1);
  return field;
}

/// Calls take(value) for each header of the name, folded as it stands, until that says stop.
template <class Take>
void each_value(std::string_view block, std::string_view name, Take take) {
  block = block.substr(0, mail_header_bytes);
  while (!block.empty()) {
    if (block.starts_with('\n') || block.starts_with("\r\n")) return;
    const auto field = take_field(block);
    const auto colon = field.find(':');
    if (colon == std::string_view::npos || is_blank(field.front())) continue;
    // The old form has blanks before the colon (RFC 5322, section 4.5).
    if (is_same_word(trim(field.substr(0, colon)), name) && !take(field.substr(colon + 1))) return;
  }
}

/// Moves past a quoted string, which the text begins with; past its end when it is not closed.
void skip_quoted(std::string_view& text) {
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      text.remove_prefix(i + 1);
      return;
    }
  }
  text = {};
}

/// The next word of a stamp: comments are passed over, ';' is a word of its own, and a quoted
/// string is part of one. Empty at the end.
std::string_view next_word(std::string_view& text) {
  while (!text.empty()) {
    const char c = text.front();
    if (c == '(')
      skip_comment(text);
    else if (is_blank(c) || c == '\r' || c == '\n')
      text.remove_prefix(1);
    else
      break;
  }
  const auto whole = text;
  if (text.starts_with(';')) text.remove_prefix(1);
  while (!whole.starts_with(';') && !text.empty() &&
         std::string_view{" \t\r\n(;"}.find(text.front()) == std::string_view::npos) {
    if (text.front() == '"')
      skip_quoted(text);
    else
      text.remove_prefix(1);
  }
  return whole.substr(0, whole.size() - text.size());
}

std::string host_of(std::string_view word) {
  auto clean = clean_utf8(word);
  std::erase_if(clean, [](char c) { return is_blank(c) || c == '\n'; });
  return cut_characters(clean, mail_host_characters);
}

/// The name after "from" or "by"; the first one counts.
void take_host(std::string_view& text, std::string& host) {
  auto rest = text;
  const auto word = next_word(rest);
  if (!host.empty() || word == ";") return;
  host = host_of(word);
  text = rest;
}

/// `from NAME (…) by NAME (…) with … id … for …; DATE`, in which any part but the date may miss.
std::optional<MailHop> read_stamp(std::string_view stamp) {
  MailHop hop;
  std::string_view dated;
  auto rest = stamp;
  for (auto word = next_word(rest); !word.empty(); word = next_word(rest)) {
    if (word == ";")
      dated = rest;
    else if (is_same_word(word, "from"))
      take_host(rest, hop.from);
    else if (is_same_word(word, "by"))
      take_host(rest, hop.by);
  }
  auto at = parse_mail_date(dated);
  // A comment or a quoted string that is never closed hides the date.
  const auto last = stamp.rfind(';');
  if (!at && last != std::string_view::npos) at = parse_mail_date(stamp.substr(last + 1));
  if (!at) return std::nullopt;
  hop.at = *at;
  return hop;
}

/// Who set this stamp: by its own words, or by those of the next.
std::string setter_of(std::span<const MailHop> hops, std::size_t hop) {
  if (!hops[hop].by.empty()) return hops[hop].by;
  if (hop + 1 < hops.size() && !hops[hop + 1].from.empty()) return hops[hop + 1].from;
  return std::string{unnamed_host};
}

}  // namespace

std::vector<std::string> mail_headers(std::string_view block, std::string_view name,
                                      std::size_t most) {
  std::vector<std::string> out;
  if (most == 0) return out;
  each_value(block, name, [&](std::string_view value) {
    auto clean = clean_utf8(value);
    std::erase(clean, '\n');
    std::ranges::replace(clean, '\t', ' ');
    out.emplace_back(trim(clean));
    return out.size() < most;
  });
  return out;
}

std::optional<std::string> mail_header(std::string_view block, std::string_view name) {
  auto found = mail_headers(block, name, 1);
  if (found.empty()) return std::nullopt;
  return std::move(found.front());
}

std::vector<MailHop> mail_hops(std::string_view block) {
  std::vector<MailHop> hops;
  // Each server puts its own above those of the servers before it.
  each_value(block, "Received", [&](std::string_view value) {
    if (auto hop = read_stamp(value)) hops.push_back(*std::move(hop));
    return hops.size() < mail_hops_max;
  });
  std::ranges::reverse(hops);
  return hops;
}

std::optional<SlowestHop> slowest_hop(std::span<const MailHop> hops, std::optional<WallTime> sent,
                                      std::optional<WallTime> arrived) {
  if (hops.empty()) return std::nullopt;
  if (sent && arrived) arrived = std::max(*sent, *arrived);
  std::optional<SlowestHop> slowest;
  std::optional<WallTime> before = sent;
  auto holder = hops.front().from.empty() ? std::string{unnamed_host} : hops.front().from;
  const auto pass_to = [&](WallTime at) {
    if (sent) at = std::max(at, *sent);
    if (arrived) at = std::min(at, *arrived);
    if (before) {
      using Gap = WallTime::duration;
      constexpr auto longest = std::chrono::duration_cast<Gap>(Duration::max());
      const Duration held = std::clamp(at - *before, Gap{0}, longest);
      if (!slowest || held > slowest->held) slowest = SlowestHop{held, holder};
    }
    before = at;
  };
  for (std::size_t i = 0; i < hops.size(); ++i) {
    pass_to(hops[i].at);
    holder = setter_of(hops, i);
  }
  if (arrived) pass_to(*arrived);
  return slowest;
}

}  // namespace tocsin::checks
