#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agent/config/settings.hpp"

namespace tocsin::config {

/// One rule, or a list of rules of which any is enough. Kept as nodes: their places are needed once
/// the samples are known.
struct RuleNodes {
  std::vector<Node> nodes{};
};

/// Just one rule.
struct RuleNode {
  Node node{};
};

/// The keys that every check has, as they are written.
struct CommonKeys {
  std::string name{};
  std::string type{};
  std::optional<Duration> every{};
  std::optional<Duration> timeout{};
  std::optional<Duration> confirm_every{};
  std::string topic{};
  std::string component{};
  std::map<std::string, std::string> labels{};
  std::optional<RuleNodes> critical{};
  std::optional<RuleNodes> warning{};
  std::optional<RuleNode> clear{};
  Unknown unknown{Unknown::alert};
  Scope scope{Scope::host};
  std::vector<std::string> depends_on{};
  OwnersSetting owner{};
  std::string runbook{};
  std::string dashboard{};
  static constexpr auto fields();
};

}  // namespace tocsin::config

template <>
struct tocsin::Codec<tocsin::config::RuleNode> {
  static bool read(const Node& node, config::RuleNode& into, Decoding& decoding);
  static std::string show(const config::RuleNode& rule) { return quote_yaml(rule.node.text); }
  static std::string schema() { return R"({"type":"string"})"; }
  static std::string type_name() { return "rule"; }
};
template <>
struct tocsin::Codec<tocsin::config::RuleNodes> {
  static bool read(const Node& node, config::RuleNodes& into, Decoding& decoding);
  static std::string show(const config::RuleNodes& rules);
  static std::string schema();
  static std::string type_name() { return "rule or list of rules"; }
};

namespace tocsin::config {

constexpr auto CommonKeys::fields() {
  return std::tuple{
      required_field("name", &CommonKeys::name,
                     "Unique over all files: letters, digits, '.', '_' and '-'."),
      required_field("type", &CommonKeys::type, "Which check type measures it."),
      field("every", &CommonKeys::every, "How often it runs. Default: defaults.every."),
      field("timeout", &CommonKeys::timeout,
            "When a run is cut off; less than every. Default: defaults.timeout, at most four "
            "fifths of every."),
      field("topic", &CommonKeys::topic,
            "What incidents are grouped by and channels are named after. Default: the name."),
      field("component", &CommonKeys::component,
            "The component responsible, for the summary. Default: the name."),
      field("labels", &CommonKeys::labels, "More labels on the check's metrics."),
      field("warning", &CommonKeys::warning,
            "Rules of which any one makes it warn. Default: the type's, unless critical is given."),
      field("critical", &CommonKeys::critical,
            "Rules of which any one makes it critical. Default: the type's; an empty list means "
            "none."),
      field("clear", &CommonKeys::clear,
            "The rule that must hold to recover. Default: no longer in breach for 1m."),
      field("unknown", &CommonKeys::unknown,
            "What a failure to measure does: alert, hold the state, or pass as ok."),
      field("scope", &CommonKeys::scope, "Whether incidents are this host's or the whole fleet's."),
      field("depends_on", &CommonKeys::depends_on, "Checks whose breach explains this one's."),
      field("owner", &CommonKeys::owner, "Who owns its incidents. Default: incidents.owners."),
      field("runbook", &CommonKeys::runbook, "Link to what to do about it."),
      field("dashboard", &CommonKeys::dashboard, "Link to where to look."),
      field("confirm_every", &CommonKeys::confirm_every,
            "How often to look again between the first breach and the verdict. Default: every, at "
            "most 2s.")};
}

}  // namespace tocsin::config
