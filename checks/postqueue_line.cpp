#include "checks/postqueue_line.hpp"

#include <algorithm>
#include <array>
#include <boost/json/monotonic_resource.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <cctype>

#include "tocsin/base/text.hpp"

namespace tocsin::checks {
namespace {

constexpr std::size_t reason_characters_max = 160;
constexpr std::size_t domain_characters_max = 100;
constexpr std::size_t identifier_length_least = 8;
constexpr std::size_t first_room_bytes = 8u << 10;

std::string_view text_of(const boost::json::object& object, std::string_view key) {
  const auto* found = object.if_contains(key);
  const auto* text = found == nullptr ? nullptr : found->if_string();
  return text == nullptr ? std::string_view{} : std::string_view{*text};
}

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; }
bool is_address_character(char c) {
  return is_word(c) ||
         std::string_view{"@.!#$%&'*+/=?^_`{|}~-\""}.find(c) != std::string_view::npos;
}

/// A queue id, a session id, a message number: long, and with digits in it.
bool is_identifier(std::string_view word) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  return word.size() >= identifier_length_least && std::any_of(word.begin(), word.end(), is_digit);
}

/// One word of a reason: "<jane@example.com>:" keeps its brackets and its colon.
std::string plain_word(std::string_view word) {
  const auto at = word.rfind('@');
  if (at == std::string_view::npos) {
    std::string out;
    for (std::size_t i = 0; i < word.size();) {
      auto end = i;
      while (end < word.size() && is_word(word[end])) ++end;
      if (end == i) {
        out += word[i++];
        continue;
      }
      const auto part = word.substr(i, end - i);
      out += is_identifier(part) ? std::string{"#"} : std::string{part};
      i = end;
    }
    return out;
  }
  auto begin = at, end = at + 1;
  while (begin > 0 && is_address_character(word[begin - 1])) --begin;
  while (end < word.size() && (is_word(word[end]) || word[end] == '.' || word[end] == '-')) ++end;
  // Whatever stands before the address may be a part of it that we took for something else.
  const auto opening = begin > 0 && word[begin - 1] == '<' ? std::string{"<"} : std::string{};
  return opening + "…" + std::string{word.substr(at, end - at)} + std::string{word.substr(end)};
}

/// Puts "…" for a name wherever it stands alone.
void forget(std::string& text, std::string_view name) {
  if (name.size() < 2) return;
  for (auto at = text.find(name); at != std::string::npos; at = text.find(name, at + 1)) {
    const auto end = at + name.size();
    const bool alone =
        (at == 0 || !is_word(text[at - 1])) && (end == text.size() || !is_word(text[end]));
    if (alone) text.replace(at, name.size(), "…");
  }
}

Result<WaitingMessage> read_message(const boost::json::object& object) {
  WaitingMessage message;
  message.queue = clean_utf8(text_of(object, "queue_name").substr(0, domain_characters_max));
  message.id = clean_utf8(text_of(object, "queue_id").substr(0, domain_characters_max));
  const auto* arrival = object.if_contains("arrival_time");
  if (message.queue.empty() || arrival == nullptr || !arrival->is_int64() ||
      arrival->get_int64() < 0)
    return Error{Errc::malformed, "a line of the queue has no queue_name or no arrival_time"};
  message.arrival = arrival->get_int64();
  const auto* listed = object.if_contains("recipients");
  const auto* recipients = listed == nullptr ? nullptr : listed->if_array();
  if (recipients == nullptr) return message;
  message.recipients.reserve(recipients->size());
  for (const auto& each : *recipients) {
    const auto* recipient = each.if_object();
    if (recipient == nullptr) continue;
    const auto address = text_of(*recipient, "address");
    message.recipients.push_back(
        {domain_of(address), plain_reason(text_of(*recipient, "delay_reason"), address)});
  }
  return message;
}

}  // namespace

std::string domain_of(std::string_view address) {
  const auto at = address.rfind('@');
  if (at == std::string_view::npos) return {};
  auto domain = cut_characters(clean_utf8(address.substr(at + 1)), domain_characters_max);
  std::transform(domain.begin(), domain.end(), domain.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return domain;
}

std::string plain_reason(std::string_view reason, std::string_view address) {
  // Servers may say pages; what is beyond a few lines tells nobody more.
  auto text = clean_utf8(reason.substr(0, 8 * reason_characters_max));
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c == '\n' || c == '\t'; }, ' ');
  std::string bare;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto close = text[i] == '[' ? text.find(']', i) : std::string::npos;
    const auto inside = close == std::string::npos
                            ? std::string_view{}
                            : std::string_view{text}.substr(i + 1, close - i - 1);
    const bool is_address =
        !inside.empty() && inside.find_first_not_of("0123456789abcdefABCDEF.:IPv") == inside.npos;
    // "mx.example.com[192.0.2.1]:25" is known by its name; "[192.0.2.1]:25" has no other.
    if (is_address && i > 0 && text[i - 1] != ' ')
      i = close;
    else
      bare += text[i];
  }
  forget(bare, address.substr(0, std::min(address.rfind('@'), address.size())));
  std::string out;
  for (const auto word : split(bare, ' ')) {
    if (word.empty()) continue;
    if (!out.empty()) out += ' ';
    out += plain_word(word);
  }
  return cut_characters(out, reason_characters_max);
}

Result<WaitingMessage> parse_postqueue_line(std::string_view line) {
  std::array<unsigned char, first_room_bytes> room;
  boost::json::monotonic_resource memory{room.data(), room.size()};
  boost::system::error_code fault;
  boost::json::parse_options options;
  options.max_depth = 8;
  options.allow_invalid_utf8 = true;  // Addresses may hold any byte; clean_utf8 sees to them.
  const auto value = boost::json::parse(boost::json::string_view{line.data(), line.size()}, fault,
                                        &memory, options);
  if (fault || !value.is_object())
    return Error{Errc::malformed, "a line of the queue is not a JSON object: " + fault.message()};
  return read_message(value.get_object());
}

Result<WaitingMessage> parse_postqueue_beginning(std::string_view beginning) {
  const auto recipients = beginning.find("\"recipients\"");
  if (recipients == std::string_view::npos)
    return Error{Errc::malformed, "a line of the queue is too long and begins unlike Postfix's"};
  auto kept = trim(beginning.substr(0, recipients));
  if (!kept.empty() && kept.back() == ',') kept.remove_suffix(1);
  return parse_postqueue_line(std::string{kept} + "}");
}

}  // namespace tocsin::checks
