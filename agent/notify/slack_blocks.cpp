#include "agent/notify/slack_blocks.hpp"

#include <algorithm>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "tocsin/base/limits.hpp"
#include "tocsin/base/text.hpp"

namespace tocsin::notify {
namespace json = boost::json;
namespace {

// The parts of a summary share limits::slack_blocks_characters; these are their shares.
constexpr std::size_t footer_characters = 600;
constexpr std::size_t field_characters_most = 600;
constexpr std::size_t fields_most = 80;  // Two a section: 40 of the 50 blocks.
constexpr std::size_t fields_a_section = 2;
constexpr std::size_t spare_characters = 250;

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

std::size_t characters_in(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return !is_continuation(c); }));
}

std::string_view entity_for(char c) {
  switch (c) {
    case '&':
      return "&amp;";
    case '<':
      return "&lt;";
    case '>':
      return "&gt;";
    default:
      return {};
  }
}

json::object markup(std::string text) { return {{"type", "mrkdwn"}, {"text", std::move(text)}}; }

std::string field_text(const std::pair<std::string, std::string>& field, std::size_t characters) {
  const auto title = fit_markup(field.first.empty() ? "-" : field.first, characters / 3);
  const auto room = characters - characters_in(title) - 3;
  return "*" + title + "*\n" + fit_markup(field.second.empty() ? "UNKNOWN" : field.second, room);
}

std::string joined(const std::vector<std::string>& lines) {
  std::string all;
  for (const auto& line : lines) {
    if (!all.empty()) all += '\n';
    all += line;
  }
  // Three backticks would end the block of code that the evidence is shown in.
  for (auto at = all.find("```"); at != std::string::npos; at = all.find("```", at)) {
    all.replace(at, 3, "'''");
  }
  return all;
}

void add_fields(json::array& blocks, const DraftPutSummary& summary) {
  const auto count = std::min(summary.fields.size(), fields_most);
  if (count == 0) return;
  const auto left = limits::slack_blocks_characters - limits::slack_header_characters -
                    footer_characters - limits::slack_section_characters - spare_characters;
  const auto share = std::min(field_characters_most, left / count);
  for (std::size_t i = 0; i < count; i += fields_a_section) {
    json::array pair;
    for (std::size_t k = i; k < std::min(i + fields_a_section, count); ++k) {
      pair.push_back(markup(field_text(summary.fields[k], share)));
    }
    blocks.push_back(json::object{{"type", "section"}, {"fields", std::move(pair)}});
  }
}

std::string plain_summary(const DraftPutSummary& summary) {
  std::string all = summary.headline;
  for (const auto& [title, value] : summary.fields) {
    all += '\n' + title + ": " + (value.empty() ? "UNKNOWN" : value);
  }
  for (const auto& line : summary.evidence) all += "\n" + line;
  if (!summary.footer.empty()) all += "\n" + summary.footer;
  return all;
}

}  // namespace

std::string escape_markup(std::string_view text) {
  const auto clean = clean_utf8(text);
  std::string out;
  out.reserve(clean.size() + 16);
  for (const char c : clean) {
    const auto entity = entity_for(c);
    if (entity.empty()) {
      out += c;
    } else {
      out += entity;
    }
  }
  return out;
}

std::string fit_markup(std::string_view text, std::size_t characters) {
  const auto clean = clean_utf8(text);
  std::string out;
  std::size_t used = 0;
  std::size_t room_for_mark = 0;  // Where to cut so that the final "…" still fits.
  for (const char c : clean) {
    const auto entity = entity_for(c);
    const auto width = is_continuation(c) ? 0 : (entity.empty() ? 1 : entity.size());
    if (width > 0 && used + 1 <= characters) room_for_mark = out.size();
    if (used + width > characters) {
      out.resize(room_for_mark);
      return characters == 0 ? std::string{} : out + "…";
    }
    if (entity.empty()) {
      out += c;
    } else {
      out += entity;
    }
    used += width;
  }
  return out;
}

std::string fit_plain(std::string_view text, std::size_t characters) {
  const auto clean = clean_utf8(text);
  std::string out;
  for (std::size_t i = 0; i < clean.size(); ++i) {
    const char next = i + 1 < clean.size() ? clean[i + 1] : ' ';
    const bool harmless = next == ' ' || next == '=' || next == '-' || (next >= '0' && next <= '9');
    if (clean[i] == '<' && !harmless) {
      out += "‹";
    } else {
      out += clean[i] == '\n' ? ' ' : clean[i];
    }
  }
  return cut_characters(out, characters);
}

std::string fit_purpose(std::string_view text, std::string_view marker_prefix) {
  auto out = fit_plain(text, limits::slack_topic_characters);
  const auto at = text.find(marker_prefix);
  if (at == std::string_view::npos) return out;
  const auto end = std::min(text.find_first_of(" \t\n,;)", at), text.size());
  const auto marker = text.substr(at, end - at);
  if (out.find(marker) != std::string::npos) return out;
  const std::string front = fit_plain(marker, limits::slack_topic_characters);
  const auto left = limits::slack_topic_characters - characters_in(front);
  return left < 2 ? front : front + " " + fit_plain(text.substr(0, at), left - 1);
}

SummaryForms summary_forms(const DraftPutSummary& summary) {
  json::array blocks;
  const auto headline = summary.headline.empty() ? std::string{"Incident"} : summary.headline;
  // A header is plain_text: shown as it is, without markup or entities.
  json::object title{
      {"type", "plain_text"},
      {"text", cut_characters(clean_utf8(headline), limits::slack_header_characters)},
      {"emoji", false}};
  blocks.push_back(json::object{{"type", "header"}, {"text", std::move(title)}});
  add_fields(blocks, summary);
  if (!summary.evidence.empty()) {
    constexpr std::size_t fences = 6;
    auto code = "```" +
                fit_markup(joined(summary.evidence), limits::slack_section_characters - fences) +
                "```";
    blocks.push_back(json::object{{"type", "section"}, {"text", markup(std::move(code))}});
  }
  if (!summary.footer.empty()) {
    json::array elements;
    elements.push_back(markup(fit_markup(summary.footer, footer_characters)));
    blocks.push_back(json::object{{"type", "context"}, {"elements", std::move(elements)}});
  }
  return {json::serialize(blocks), fit_markup(headline, limits::slack_section_characters),
          fit_markup(plain_summary(summary), limits::slack_update_text_characters)};
}

std::string message_metadata(const Draft& draft, std::string_view kind) {
  const json::object payload{{"entry", std::to_string(draft.entry.value)},
                             {"incident", draft.incident.value},
                             {"kind", kind}};
  return json::serialize(
      json::object{{"event_type", message_event_type}, {"event_payload", payload}});
}

}  // namespace tocsin::notify
