#include <algorithm>
#include <exception>

#include "agent/config/common_keys.hpp"
#include "agent/config/reading.hpp"
#include "tocsin/base/limits.hpp"
#include "tocsin/base/text.hpp"
#include "tocsin/net/digest.hpp"

namespace tocsin::config {
namespace {

using std::chrono::seconds;

constexpr std::size_t topic_characters = 60;
constexpr std::size_t link_bytes = 2'048;

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '_' || c == '-';
}

/// One stanza being read: the node, what it says so far, and where to complain.
class Stanza {
 public:
  Stanza(const Node& node, std::string path, const DefaultsSetting& defaults, Reading& reading)
      : node_{node},
        defaults_{defaults},
        reading_{reading},
        decoding_{reading.decoding(std::move(path))} {}

  CheckDraft read();

 private:
  const Node& value(std::string_view key) const {
    const auto* found = node_.find(key);
    return found == nullptr ? node_ : *found;
  }
  void complain(std::string_view key, std::string message) {
    decoding_.at(key).complain(value(key), std::move(message));
  }
  bool given(std::string_view key) const { return node_.find(key) != nullptr; }

  const CheckType* find_type();
  void judge_keys(const CheckType* type);
  void judge_name();
  void judge_words();
  void judge_labels();
  void fill_times(CheckSetting& setting);
  void complain_of_rule(std::string_view key, std::size_t index, const Node& rule,
                        const RuleFault& fault);
  std::vector<Rule> read_rules(const std::optional<RuleNodes>& nodes, std::string_view key);
  void bind_rules(std::vector<Rule>& rules, const std::optional<RuleNodes>& nodes,
                  std::string_view key, std::span<const SampleSpec> specs, bool certain);
  void fill_rules(CheckSetting& setting, const CheckType& type);
  void build(CheckSetting& setting, const CheckType& type);
  std::string fingerprint(const CheckSetting& setting);
  CheckSetting words() const;

  const Node& node_;
  const DefaultsSetting& defaults_;
  Reading& reading_;
  Decoding decoding_;
  CommonKeys keys_{};
};

const CheckType* Stanza::find_type() {
  if (keys_.type.empty()) return nullptr;
  if (const auto* type = reading_.registry.find(keys_.type)) return type;
  std::vector<std::string_view> names;
  for (const auto& type : reading_.registry.types()) names.push_back(type.name);
  const auto near = nearest(keys_.type, names);
  std::string list;
  for (const auto name : names) list += (list.empty() ? "" : ", ") + std::string{name};
  complain("type", near.empty()
                       ? "no such check type; the types are " + list
                       : "no such check type: did you mean \"" + std::string{near} + "\"?");
  return nullptr;
}

void Stanza::judge_keys(const CheckType* type) {
  if (type == nullptr) return;  // Which keys it may have is not known then.
  auto known = field_names(CommonKeys::fields());
  for (const auto& doc : type->fields) known.push_back(doc.name);
  refuse_unknown_keys(node_, known, decoding_);
}

void Stanza::judge_name() {
  if (!given("name") || node_.find("name")->kind != Node::Kind::scalar) return;
  if (keys_.name.empty()) return complain("name", "a check needs a name");
  if (keys_.name.size() > limits::check_name_characters) {
    return complain("name",
                    "longer than " + std::to_string(limits::check_name_characters) + " characters");
  }
  if (!std::ranges::all_of(keys_.name, is_name_character)) {
    complain("name", "a name has letters, digits, '.', '_' and '-' only, found " +
                         describe_found(value("name")));
  }
}

void Stanza::judge_words() {
  const auto has_letter = [](const std::string& text) {
    return std::ranges::any_of(
        text, [](char c) { return is_name_character(c) && c != '.' && c != '_' && c != '-'; });
  };
  if (given("topic") && (!has_letter(keys_.topic) || keys_.topic.size() > topic_characters)) {
    complain("topic",
             "a topic has at most " + std::to_string(topic_characters) +
                 " characters and at least one letter or digit: channels are named after it");
  }
  for (const auto& [key, link] :
       {std::pair{"runbook", &keys_.runbook}, std::pair{"dashboard", &keys_.dashboard}}) {
    const bool is_link = link->starts_with("https://") || link->starts_with("http://");
    if (!link->empty() && (!is_link || link->size() > link_bytes)) {
      complain(key,
               "expected a link (https://…) of at most " + std::to_string(link_bytes) + " bytes");
    }
  }
}

void Stanza::judge_labels() {
  if (keys_.labels.size() > limits::check_labels) {
    complain("labels", "more than " + std::to_string(limits::check_labels) + " labels");
  }
  const auto* labels = node_.find("labels");
  if (labels == nullptr || labels->kind != Node::Kind::map) return;
  for (const auto& entry : labels->entries) {
    auto at = decoding_.at("labels").at(entry.key);
    const bool begins = !entry.key.empty() && (entry.key[0] < '0' || entry.key[0] > '9');
    const bool formed = begins && std::ranges::all_of(entry.key, [](char c) {
                          return is_name_character(c) && c != '.' && c != '-';
                        });
    if (!formed)
      at.complain(entry.key_place,
                  "a label's name has letters, digits and '_', and begins with no digit");
    if (entry.key.starts_with("__"))
      at.complain(entry.key_place, "names that begin with __ belong to Prometheus");
    for (const std::string_view ours : {"check", "le", "quantile", "outcome"})
      if (entry.key == ours)
        at.complain(entry.key_place, "tocsin's own metrics use this label: choose another name");
    if (entry.value.text.size() > limits::check_label_characters) {
      at.complain(entry.value,
                  "longer than " + std::to_string(limits::check_label_characters) + " bytes");
    }
  }
}

void Stanza::fill_times(CheckSetting& setting) {
  setting.every = keys_.every.value_or(defaults_.every);
  if (keys_.every &&
      (setting.every < limits::check_every_least || setting.every > limits::check_every_most)) {
    complain("every", "expected " + to_config(limits::check_every_least) + " to " +
                          to_config(limits::check_every_most) + ", found " +
                          to_config(setting.every));
  }
  // What is inherited gives way to a short interval; what is written here must fit it.
  setting.timeout = keys_.timeout.value_or(std::min(defaults_.timeout, setting.every * 4 / 5));
  if (keys_.timeout && *keys_.timeout <= Duration::zero())
    complain("timeout", "a timeout must be longer than nothing");
  if (keys_.timeout && *keys_.timeout >= setting.every) {
    complain("timeout", "must be less than every (" + to_config(setting.every) + "), found " +
                            to_config(*keys_.timeout) + ": a check never has two runs at once");
  }
  setting.confirm_every =
      keys_.confirm_every.value_or(std::min<Duration>(setting.every, seconds{2}));
  if (!keys_.confirm_every) return;
  if (*keys_.confirm_every > setting.every ||
      *keys_.confirm_every < std::min(limits::check_every_least, setting.every)) {
    complain("confirm_every", "expected " + to_config(limits::check_every_least) + " to every (" +
                                  to_config(setting.every) + "), found " +
                                  to_config(*keys_.confirm_every));
  }
}

void Stanza::complain_of_rule(std::string_view key, std::size_t index, const Node& rule,
                              const RuleFault& fault) {
  const auto outer = decoding_.at(key);
  auto at = value(key).kind == Node::Kind::list ? outer.at(index) : outer;
  at.complain(reading_.sources.inside(rule, fault.offset), fault.message);
}

std::vector<Rule> Stanza::read_rules(const std::optional<RuleNodes>& nodes, std::string_view key) {
  std::vector<Rule> rules;
  if (!nodes) return rules;
  for (std::size_t i = 0; i < nodes->nodes.size(); ++i) {
    const auto& node = nodes->nodes[i];
    auto parsed = parse_rule(node.text);
    if (auto* rule = std::get_if<Rule>(&parsed)) {
      rules.push_back(std::move(*rule));
      continue;
    }
    complain_of_rule(key, i, node, std::get<RuleFault>(parsed));
  }
  return rules;
}

/// `certain`: the specs are those of this very check. Otherwise they are its type's usual ones, and
/// a sample that is not among them may be fine.
void Stanza::bind_rules(std::vector<Rule>& rules, const std::optional<RuleNodes>& nodes,
                        std::string_view key, std::span<const SampleSpec> specs, bool certain) {
  if (!nodes || rules.size() != nodes->nodes.size())
    return;  // A rule was refused already: indices would not match.
  for (std::size_t i = 0; i < rules.size(); ++i) {
    for (const auto& fault : tocsin::bind(rules[i], specs)) {
      const bool unheard_of = fault.message.find("has no sample") != std::string::npos &&
                              fault.message.find("did you mean") == std::string::npos;
      if (!certain && unheard_of) continue;
      complain_of_rule(key, i, nodes->nodes[i], fault);
    }
  }
}

/// The type's own rules, as far as this check yields their samples.
std::vector<Rule> default_rules(const std::vector<std::string>& texts,
                                std::span<const SampleSpec> specs) {
  std::vector<Rule> rules;
  for (const auto& text : texts) {
    auto parsed = parse_rule(text);
    check_that(std::holds_alternative<Rule>(parsed), "a check type's default rule cannot be read");
    auto& rule = std::get<Rule>(parsed);
    if (tocsin::bind(rule, specs).empty()) rules.push_back(std::move(rule));
  }
  return rules;
}

void Stanza::fill_rules(CheckSetting& setting, const CheckType& type) {
  setting.critical = read_rules(keys_.critical, "critical");
  setting.warning = read_rules(keys_.warning, "warning");
  std::optional<RuleNodes> clear_node;
  if (keys_.clear) clear_node = RuleNodes{{keys_.clear->node}};
  auto clear = read_rules(clear_node, "clear");
  const bool certain = setting.check != nullptr;
  const auto specs = certain ? setting.check->specs() : std::span<const SampleSpec>{type.samples};
  bind_rules(setting.critical, keys_.critical, "critical", specs, certain);
  bind_rules(setting.warning, keys_.warning, "warning", specs, certain);
  bind_rules(clear, clear_node, "clear", specs, certain);
  if (!clear.empty()) setting.clear = std::move(clear.front());
  // Somebody who adds a warning does not want the page to be gone.
  if (!certain || given("critical")) return;
  setting.critical = default_rules(type.default_critical, specs);
  if (!given("warning")) setting.warning = default_rules(type.default_warning, specs);
}

void Stanza::build(CheckSetting& setting, const CheckType& type) {
  try {
    setting.check = type.build(setting.name, node_, decoding_);
  } catch (const std::exception& problem) {
    decoding_.complain(node_, "cannot be built: " + std::string{problem.what()});
  }
  if (!setting.check) return;
  for (const auto& spec : setting.check->specs()) {
    if (spec.instance_label.empty() || !setting.labels.contains(spec.instance_label)) continue;
    complain("labels",
             "the samples of this check already have a label \"" + spec.instance_label + "\"");
    return;
  }
}

std::string Stanza::fingerprint(const CheckSetting& setting) {
  auto text = to_flow(node_, {.sorted = true, .hidden = false});
  text += "\nevery " + to_config(setting.every) + "\ntimeout " + to_config(setting.timeout);
  text += "\nconfirm " + to_config(setting.confirm_every);
  // A secret counts by its own digest, so that the text that is digested holds none.
  for (const auto& secret : reading_.secrets.take_values())
    text += "\nsecret " + sha256_hex(secret.reveal());
  return sha256_hex(text);
}

CheckSetting Stanza::words() const {
  CheckSetting setting;
  setting.name = keys_.name;
  setting.type = keys_.type;
  setting.topic = keys_.topic.empty() ? keys_.name : keys_.topic;
  setting.component = keys_.component.empty() ? keys_.name : keys_.component;
  setting.labels = keys_.labels;
  setting.unknown = keys_.unknown;
  setting.scope = keys_.scope;
  setting.depends_on = keys_.depends_on;
  setting.owner = keys_.owner;
  setting.runbook = keys_.runbook;
  setting.dashboard = keys_.dashboard;
  setting.place = node_.place;
  return setting;
}

CheckDraft Stanza::read() {
  CheckDraft draft;
  draft.path = decoding_.path;
  const auto before = reading_.complaints.all().size();
  if (!decode_fields(CommonKeys::fields(), node_, keys_, decoding_) &&
      node_.kind != Node::Kind::map)
    return draft;
  draft.name = keys_.name;
  draft.name_place = value("name").place;
  if (const auto* on = node_.find("depends_on"); on != nullptr && on->kind == Node::Kind::list) {
    for (std::size_t i = 0; i < on->items.size(); ++i)
      draft.depends_on.push_back(
          {on->items[i].text, on->items[i].place, decoding_.at("depends_on").at(i).path});
  }
  const auto* type = find_type();
  judge_keys(type);
  judge_name();
  judge_words();
  judge_labels();
  auto setting = words();
  fill_times(setting);
  if (type == nullptr) {
    // Without its type only the form of its rules can be judged.
    (void)read_rules(keys_.critical, "critical");
    (void)read_rules(keys_.warning, "warning");
    return draft;
  }
  (void)reading_.secrets.take_values();  // Those of others do not count in this fingerprint.
  build(setting, *type);
  fill_rules(setting, *type);
  if (reading_.complaints.all().size() != before || !setting.check) return draft;
  setting.fingerprint = fingerprint(setting);
  setting.shown = show_check(setting, node_, *type);
  draft.setting = std::move(setting);
  return draft;
}

}  // namespace

CheckDraft read_check(const Node& node, const std::string& path, const DefaultsSetting& defaults,
                      Reading& reading) {
  return Stanza{node, path, defaults, reading}.read();
}

}  // namespace tocsin::config
