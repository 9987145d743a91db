#include "tocsin/config/fields.hpp"

#include <algorithm>
#include <array>

#include "tocsin/base/text.hpp"

namespace tocsin {
namespace {

constexpr std::size_t names_listed = 40;

std::string list_of(const std::vector<std::string_view>& names) {
  std::string out;
  for (std::size_t i = 0; i < std::min(names.size(), names_listed); ++i)
    out += (out.empty() ? "" : ", ") + std::string{names[i]};
  return names.size() > names_listed ? out + ", …" : out;
}

/// The fragment with a description put in front of what it says.
std::string described(const std::string& schema, std::string_view description) {
  const auto body = schema.substr(1);
  return "{\"description\":" + quote_json(description) + (body == "}" ? "" : ",") + body;
}

/// Whether the value of such a key could be a secret written in plain, which no report may quote.
bool names_a_secret(std::string_view key) {
  constexpr std::array<std::string_view, 6> words{"token", "key", "secret",
                                                  "passw", "dsn", "credential"};
  return std::ranges::any_of(words,
                             [&](auto word) { return key.find(word) != std::string_view::npos; });
}

/// Defaults of nothing are not worth mentioning.
bool says_something(std::string_view value) {
  constexpr std::array<std::string_view, 5> nothing{"", "~", "\"\"", "[]", "{}"};
  return std::ranges::find(nothing, value) == nothing.end();
}

}  // namespace

void refuse_unknown_keys(const Node& map, const std::vector<std::string_view>& known,
                         Decoding& decoding) {
  for (const auto& entry : map.entries) {
    if (std::ranges::find(known, std::string_view{entry.key}) != known.end()) continue;
    const auto near = nearest(entry.key, known);
    auto message = near.empty() ? "unknown key; known here: " + list_of(known)
                                : "unknown key: did you mean \"" + std::string{near} + "\"?";
    auto& complaints = decoding.complaints;
    const auto path = decoding.at(entry.key).path;
    if (names_a_secret(entry.key) || names_a_secret(near)) {
      complaints.add_confidential(entry.key_place, path, std::move(message));
    } else {
      complaints.add(entry.key_place, path, std::move(message));
    }
  }
}

void complain_missing(const Node& map, std::string_view name, std::string_view type,
                      Decoding& decoding) {
  decoding.complain(map,
                    "key \"" + std::string{name} + "\" is missing (" + std::string{type} + ")");
}

std::string block_schema(const std::vector<FieldDoc>& docs) {
  std::string properties;
  std::string required;
  for (const auto& doc : docs) {
    auto help = doc.help;
    if (!doc.required && says_something(doc.default_value))
      help += " Default: " + doc.default_value + ".";
    properties +=
        (properties.empty() ? "" : ",") + quote_json(doc.name) + ":" + described(doc.schema, help);
    if (doc.required) required += (required.empty() ? "" : ",") + quote_json(doc.name);
  }
  auto out = R"({"type":"object","additionalProperties":false,"properties":{)" + properties + "}";
  if (!required.empty()) out += ",\"required\":[" + required + "]";
  return out + "}";
}

}  // namespace tocsin
