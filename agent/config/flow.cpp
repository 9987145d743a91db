#include <algorithm>

#include "agent/config/common_keys.hpp"
#include "agent/config/reading.hpp"

namespace tocsin::config {
namespace {

bool is_reference(const Node& node) {
  if (node.entries.size() != 1) return false;
  const auto& key = node.entries.front().key;
  return key == "file" || key == "env" || key == "credential";
}

/// A plain word and the same word in quotes are different values: "5" is text, 5 is a number.
std::string scalar_to_flow(const Node& node) {
  if (node.quoted) return quote_json(node.text);
  const bool would_break = node.text.find_first_of(":{}[],&*#?|!@`\"'\\\n") != std::string::npos;
  return would_break ? quote_yaml(node.text) : node.text;
}

std::string map_to_flow(const Node& node, const Flow& flow) {
  if (flow.hidden && is_reference(node)) return "<secret>";
  std::vector<const Node::Entry*> entries;
  for (const auto& entry : node.entries) entries.push_back(&entry);
  if (flow.sorted) std::ranges::sort(entries, {}, &Node::Entry::key);
  std::string out = "{";
  for (const auto* entry : entries)
    out +=
        (out.size() > 1 ? ", " : "") + quote_yaml(entry->key) + ": " + to_flow(entry->value, flow);
  return out + "}";
}

/// Whether such a field holds a secret, itself or somewhere inside.
bool holds_secret(const FieldDoc& doc) {
  return doc.schema.find(Codec<Secret>::schema()) != std::string::npos;
}

std::string rules_to_flow(const std::vector<Rule>& rules) {
  std::string out = "[";
  for (const auto& rule : rules) out += (out.size() > 1 ? ", " : "") + quote_yaml(rule.text);
  return out + "]";
}

}  // namespace

std::string to_flow(const Node& node, const Flow& flow) {
  switch (node.kind) {
    case Node::Kind::null:
      return "~";
    case Node::Kind::scalar:
      return scalar_to_flow(node);
    case Node::Kind::list: {
      std::string out = "[";
      for (const auto& item : node.items) out += (out.size() > 1 ? ", " : "") + to_flow(item, flow);
      return out + "]";
    }
    case Node::Kind::map:
      return map_to_flow(node, flow);
  }
  return "~";
}

std::string show_check(const CheckSetting& setting, const Node& node, const CheckType& type) {
  std::string out;
  const auto line = [&](std::string_view key, const std::string& value) {
    out += (out.empty() ? "  - " : "    ") + std::string{key} + ": " + value + "\n";
  };
  line("name", quote_yaml(setting.name));
  line("type", setting.type);
  line("every", to_config(setting.every));
  line("timeout", to_config(setting.timeout));
  line("confirm_every", to_config(setting.confirm_every));
  line("topic", quote_yaml(setting.topic));
  line("component", quote_yaml(setting.component));
  if (!setting.labels.empty())
    line("labels", Codec<std::map<std::string, std::string>>::show(setting.labels));
  line("critical", rules_to_flow(setting.critical));
  line("warning", rules_to_flow(setting.warning));
  if (setting.clear) line("clear", quote_yaml(setting.clear->text));
  line("unknown", Codec<Unknown>::show(setting.unknown));
  line("scope", Codec<Scope>::show(setting.scope));
  if (!setting.depends_on.empty())
    line("depends_on", Codec<std::vector<std::string>>::show(setting.depends_on));
  if (setting.owner != OwnersSetting{}) line("owner", Codec<OwnersSetting>::show(setting.owner));
  if (!setting.runbook.empty()) line("runbook", quote_yaml(setting.runbook));
  if (!setting.dashboard.empty()) line("dashboard", quote_yaml(setting.dashboard));
  for (const auto& doc : type.fields) {
    if (const auto* value = node.find(doc.name))
      line(doc.name, to_flow(*value, {.sorted = false, .hidden = holds_secret(doc)}));
    else if (!doc.default_value.empty() && doc.default_value != "~")
      line(doc.name, doc.default_value);
  }
  return out;
}

}  // namespace tocsin::config
