#include "agent/config/common_keys.hpp"

namespace tocsin {

bool Codec<config::RuleNode>::read(const Node& node, config::RuleNode& into, Decoding& decoding) {
  if (node.kind == Node::Kind::scalar) {
    into.node = node;
    return true;
  }
  decoding.complain(node,
                    "expected a rule such as \"load1 > 4 for 5m\", found " + describe_found(node));
  return false;
}

bool Codec<config::RuleNodes>::read(const Node& node, config::RuleNodes& into, Decoding& decoding) {
  config::RuleNode one;
  if (node.kind != Node::Kind::list) {
    if (!Codec<config::RuleNode>::read(node, one, decoding)) return false;
    into.nodes = {node};
    return true;
  }
  bool good = true;
  for (std::size_t i = 0; i < node.items.size(); ++i) {
    auto inner = decoding.at(i);
    good = Codec<config::RuleNode>::read(node.items[i], one, inner) && good;
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
