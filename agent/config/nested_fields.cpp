#include "agent/config/nested_fields.hpp"

#include <boost/json.hpp>

#include "tocsin/net/url.hpp"

namespace tocsin::config {
namespace {

namespace json = boost::json;

constexpr int deepest = 4;

/// The fragment without its description: what Codec<T>::schema() gave.
json::object bare(const json::object& schema) {
  auto out = schema;
  out.erase("description");
  return out;
}

template <class T>
bool is(const json::object& schema) {
  return json::parse(Codec<T>::schema()) == json::value(bare(schema));
}

/// The value's kind in words, as Codec<T>::type_name() would have put it.
std::string type_of(const json::object& schema) {
  if (is<Duration>(schema)) return Codec<Duration>::type_name();
  if (is<ByteCount>(schema)) return Codec<ByteCount>::type_name();
  if (is<Ratio>(schema)) return Codec<Ratio>::type_name();
  if (is<Pattern>(schema)) return Codec<Pattern>::type_name();
  if (is<Secret>(schema)) return Codec<Secret>::type_name();
  if (is<Url>(schema)) return Codec<Url>::type_name();
  if (is<HostPort>(schema)) return Codec<HostPort>::type_name();
  if (is<bool>(schema)) return Codec<bool>::type_name();
  if (is<std::int64_t>(schema)) return Codec<std::int64_t>::type_name();
  if (is<double>(schema)) return Codec<double>::type_name();
  if (is<std::string>(schema)) return Codec<std::string>::type_name();
  if (const auto* words = schema.if_contains("enum"); words != nullptr && words->is_array()) {
    std::string out;
    for (const auto& word : words->as_array()) {
      if (word.is_string()) out += (out.empty() ? "" : " | ") + std::string{word.as_string()};
    }
    return out;
  }
  const auto* items = schema.if_contains("items");
  if (items != nullptr && items->is_object()) return "list of " + type_of(items->as_object());
  const auto* values = schema.if_contains("additionalProperties");
  if (values != nullptr && values->is_object()) return "map of " + type_of(values->as_object());
  if (const auto* kinds = schema.if_contains("anyOf"); kinds != nullptr && kinds->is_array()) {
    std::string out;
    for (const auto& kind : kinds->as_array()) {
      if (kind.is_object()) out += (out.empty() ? "" : " or ") + type_of(kind.as_object());
    }
    return out;
  }
  return schema.contains("properties") ? "map" : "value";
}

bool is_required(const json::object& block, const json::string& key) {
  const auto* required = block.if_contains("required");
  if (required == nullptr || !required->is_array()) return false;
  for (const auto& name : required->as_array())
    if (name.is_string() && name.as_string() == key) return true;
  return false;
}

void gather(const json::object& schema, const std::string& path, int depth,
            std::vector<FieldDoc>& out) {
  if (depth > deepest || is<Secret>(schema)) return;
  if (const auto* items = schema.if_contains("items"); items != nullptr && items->is_object()) {
    return gather(items->as_object(), path + "[]", depth + 1, out);
  }
  if (const auto* values = schema.if_contains("additionalProperties");
      values != nullptr && values->is_object()) {
    return gather(values->as_object(), path + ".NAME", depth + 1, out);
  }
  const auto* properties = schema.if_contains("properties");
  if (properties == nullptr || !properties->is_object()) return;
  for (const auto& [key, value] : properties->as_object()) {
    if (!value.is_object()) continue;
    const auto& field = value.as_object();
    FieldDoc doc;
    doc.name = path + "." + std::string{key};
    doc.type = type_of(field);
    doc.required = is_required(schema, json::string{key});
    if (const auto* help = field.if_contains("description"); help != nullptr && help->is_string()) {
      doc.help = std::string{help->as_string()};
    }
    out.push_back(std::move(doc));
    gather(field, path + "." + std::string{key}, depth + 1, out);
  }
}

}  // namespace

std::vector<FieldDoc> nested_fields(const FieldDoc& doc) {
  std::vector<FieldDoc> out;
  boost::system::error_code problem;
  const auto schema = json::parse(doc.schema, problem);
  check_that(!problem, "a field's JSON Schema is no JSON");
  if (schema.is_object()) gather(schema.as_object(), doc.name, 0, out);
  return out;
}

}  // namespace tocsin::config
