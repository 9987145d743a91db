#include "agent/config/common_keys.hpp"

namespace tocsin {

bool Codec<config::RuleNodes>::read(const Node& node, config::RuleNodes& into, Decoding& decoding) {
  const auto is_text = [&](const Node& rule, Decoding& at) {
    if (rule.kind == Node::Kind::scalar) return true;
    at.complain(rule,
                "expected a rule such as \"load1 > 4 for 5m\", found " + describe_found(rule));
    return false;
  };
  if (node.kind != Node::Kind::list) {
    if (!is_text(node, decoding)) return false;
    into.nodes = {node};
    return true;
  }
  bool good = true;
  for (std::size_t i = 0; i < node.items.size(); ++i) {
    auto inner = decoding.at(i);
    good = is_text(node.items[i], inner) && good;
  }
  if (good) into.nodes = node.items;
  return good;
}

std::string Codec<config::RuleNodes>::show(const config::RuleNodes& rules) {
  std::string out = "[";
  for (const auto& node : rules.nodes) out += (out.size() > 1 ? ", " : "") + quote_json(node.text);
  return out + "]";
}

std::string Codec<config::RuleNodes>::schema() {
  return R"({"anyOf":[{"type":"string"},{"type":"array","items":{"type":"string"}}]})";
}

namespace config {

std::vector<FieldDoc> common_check_fields() {
  return document_fields(CommonKeys::fields(), CommonKeys{});
}

}  // namespace config
}  // namespace tocsin
