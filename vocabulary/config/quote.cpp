#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>

#include "tocsin/base/text.hpp"
#include "tocsin/config/codec.hpp"

namespace tocsin {
namespace {

bool is_plain_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '/' || c == '.' || c == '-' || c == '+' || c == '%' || c == '~' || c == '(' ||
         c == ')' || c == '$' || c == '=' || c == ';' || c == ' ' || c == '<' || c == '>' ||
         static_cast<unsigned char>(c) >= 0x80;
}

/// Words that YAML 1.1 or 1.2 readers take for something other than text.
bool is_special_word(std::string_view text) {
  constexpr std::array<std::string_view, 13> words{
      "", "~", "null", "true", "false", "yes", "no", "on", "off", "y", "n", "<<", "="};
  std::string lower{text};
  std::ranges::transform(lower, lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return std::ranges::find(words, lower) != words.end();
}

bool reads_as_number(std::string_view text) {
  const auto rest = text.starts_with('-') || text.starts_with('+') || text.starts_with('.')
                        ? text.substr(1)
                        : text;
  return !rest.empty() && ((rest[0] >= '0' && rest[0] <= '9') || rest[0] == '.') &&
         rest.find_first_not_of("0123456789.eE+-_xXoabcdefABCDEF:") == std::string_view::npos;
}

}  // namespace

std::string quote_json(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
          std::array<char, 8> escape{};
          std::snprintf(escape.data(), escape.size(), "\\u%04x",
                        static_cast<unsigned>(static_cast<unsigned char>(c)));
          out += escape.data();
        } else {
          out += c;
        }
    }
  }
  return out + "\"";
}

std::string quote_yaml(std::string_view text) {
  const bool plain = !is_special_word(text) && !reads_as_number(text) && text.front() != ' ' &&
                     text.back() != ' ' && text.find_first_of("-~%=<>") != 0 &&
                     std::ranges::all_of(text, is_plain_character);
  return plain ? std::string{text} : quote_json(text);
}

std::string describe_found(const Node& node) {
  switch (node.kind) {
    case Node::Kind::null:
      return "nothing";
    case Node::Kind::scalar:
      return "\"" + cut_characters(clean_utf8(node.text), 40) + "\"";
    case Node::Kind::list:
      return "a list";
    case Node::Kind::map:
      return "a map";
  }
  return "something else";
}

}  // namespace tocsin
