#include <algorithm>

#include "agent/config/settings.hpp"

namespace tocsin::config {
namespace {

/// The properties of a block's schema, without what makes it an object of its own.
std::string properties_of(const std::vector<FieldDoc>& docs) {
  auto schema = block_schema(docs);
  constexpr std::string_view front = R"({"type":"object","additionalProperties":false,)";
  check_that(schema.starts_with(front), "a block's schema begins differently than expected");
  return schema.substr(front.size(), schema.size() - front.size() - 1);
}

/// What a stanza of this type must look like besides the common keys.
std::string type_branch(const CheckType& type) {
  return R"({"if":{"properties":{"type":{"const":)" + quote_json(type.name) +
         R"(}},"required":["type"]},"then":{)" + "\"description\":" + quote_json(type.summary) +
         "," + properties_of(type.fields) + "}}";
}

std::string check_schema(const CheckRegistry& registry) {
  auto common = common_check_fields();
  std::vector<std::string_view> names;
  for (const auto& type : registry.types()) names.push_back(type.name);
  const auto type = std::ranges::find(common, std::string{"type"}, &FieldDoc::name);
  if (type != common.end()) type->schema = words_schema(names);
  std::string branches;
  for (const auto& each : registry.types())
    branches += (branches.empty() ? "" : ",") + type_branch(each);
  auto out = R"({"type":"object",)" + properties_of(common);
  if (!branches.empty()) out += ",\"allOf\":[" + branches + "]";
  return out + R"(,"unevaluatedProperties":false})";
}

}  // namespace

std::string schema(const CheckRegistry& registry) {
  auto docs = document_fields(Settings::fields(), Settings{});
  docs.push_back({"checks", "list of checks", "What is watched.", false, "",
                  R"({"type":"array","items":)" + check_schema(registry) + "}"});
  return R"({"$schema":"https://json-schema.org/draft/2020-12/schema","title":"tocsin configuration",)" +
         block_schema(docs).substr(1);
}

}  // namespace tocsin::config
