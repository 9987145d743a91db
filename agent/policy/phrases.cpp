#include "agent/policy/phrases.hpp"

#include <algorithm>
#include <array>
#include <tuple>

#include "tocsin/base/text.hpp"

namespace tocsin::policy {
namespace {

constexpr std::size_t topic_characters = 80;
constexpr std::size_t host_characters = 80;

}  // namespace

std::string one_line(std::string_view text, std::size_t characters) {
  // Four bytes a character at most: no need to clean what will be cut away.
  auto line = clean_utf8(text.substr(0, characters * 4 + 4));
  std::replace_if(
      line.begin(), line.end(), [](char c) { return c == '\n' || c == '\t' || c == '\r'; }, ' ');
  return cut_characters(trim(line), characters);
}

std::string upper(std::string_view text) {
  std::string out{text};
  for (auto& c : out) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return out;
}

std::string or_unknown(const std::string& text) {
  return text.empty() ? std::string{unknown_word} : text;
}

std::string drill_prefix(const Incident& incident) { return incident.drill ? "DRILL: " : ""; }

std::string subject(const Incident& incident) {
  return one_line(incident.topic, topic_characters) + " on " +
         one_line(incident.host, host_characters);
}

std::string elapsed(WallTime from, WallTime to) {
  using std::chrono::seconds;
  return describe(std::chrono::floor<seconds>(std::max(to, from) - from));
}

std::string ordinal(int n) {
  constexpr std::array<std::string_view, 6> words{"zeroth", "first",  "second",
                                                  "third",  "fourth", "fifth"};
  if (n >= 0 && n < static_cast<int>(words.size())) {
    return std::string{words[static_cast<std::size_t>(n)]};
  }
  const bool teens = n % 100 >= 11 && n % 100 <= 13;
  const auto* suffix = teens         ? "th"
                       : n % 10 == 1 ? "st"
                       : n % 10 == 2 ? "nd"
                       : n % 10 == 3 ? "rd"
                                     : "th";
  return std::to_string(n) + suffix;
}

std::string history_phrase(const Incident& incident) {
  std::string text;
  if (incident.recent_count > 1) text = ordinal(incident.recent_count) + " time in 7 days";
  if (!incident.previous_channel.empty()) {
    text += (text.empty() ? "last: #" : "; last: #") + one_line(incident.previous_channel, 80);
  }
  return text;
}

std::string channel_phrase(const Incident& incident) {
  return incident.channel.name.empty() ? std::string{} : "#" + one_line(incident.channel.name, 80);
}

std::vector<const Member*> by_concern(const Incident& incident) {
  std::vector<const Member*> members;
  for (const auto& member : incident.members) members.push_back(&member);
  std::stable_sort(members.begin(), members.end(), [](const Member* a, const Member* b) {
    return std::tuple{b->firing, concern(b->severity)} <
           std::tuple{a->firing, concern(a->severity)};
  });
  return members;
}

std::string listed(const std::vector<std::string>& words, std::size_t most) {
  std::string text;
  const auto shown = std::min(words.size(), most);
  for (std::size_t i = 0; i < shown; ++i) {
    if (i > 0) text += i + 1 == words.size() ? " and " : ", ";
    text += words[i];
  }
  if (words.size() > shown) text += " and " + std::to_string(words.size() - shown) + " more";
  return text;
}

std::string command(const Incident& incident, std::string_view verb, std::string_view rest) {
  std::string text = "tocsin incident " + std::string{verb} + " " + incident.id.value;
  if (!rest.empty()) text += " " + std::string{rest};
  return text;
}

}  // namespace tocsin::policy
