#include <glob.h>

#include <algorithm>
#include <filesystem>

#include "agent/config/reading.hpp"
#include "agent/config/report.hpp"
#include "agent/config/tree.hpp"
#include "tocsin/base/limits.hpp"
#include "tocsin/base/text.hpp"

namespace tocsin::config {
namespace {

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

std::string directory_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? std::string{} : path.substr(0, slash + 1);
}

/// A path as its file means it: relative ones are beside the file.
std::string beside(const std::string& file, const std::string& path) {
  if (path.empty() || path.starts_with('/')) return path;
  return std::filesystem::path{directory_of(file) + path}.lexically_normal().string();
}

std::vector<std::string> files_matching(const std::string& pattern) {
  std::vector<std::string> out;
  glob_t found{};
  if (::glob(pattern.c_str(), 0, nullptr, &found) == 0)
    out.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  ::globfree(&found);
  return out;
}

/// Loading one configuration, from the text of its main file to Settings or complaints.
class Loading {
 public:
  Loading(const CheckRegistry& registry, const SecretSource& secrets)
      : secrets_{secrets}, reading_{registry, secrets_, sources_, complaints_} {}

  Loaded refuse(const std::string& path, const Error& error) {
    complaints_.add({std::make_shared<const std::string>(path), 0, 0}, {}, error.detail);
    return finish();
  }
  Loaded load(const std::string& name, std::string text);

 private:
  std::optional<Node> tree_of(const std::string& name, std::string text);
  void read_settings(const Node& root);
  void read_checks(const Node& root);
  void include_all(const Node& root, const std::string& main);
  void include(const std::string& path, const Node& from, const std::string& at);
  void gather_warnings();
  Loaded finish();

  FollowedSecrets secrets_;
  Sources sources_;
  Complaints complaints_;
  Reading reading_;
  Settings settings_{};
  std::vector<CheckDraft> checks_{};
  std::vector<std::string> files_{};
  std::string state_dir_{};
};

std::optional<Node> Loading::tree_of(const std::string& name, std::string text) {
  if (text.starts_with(byte_order_mark)) text.erase(0, byte_order_mark.size());
  const auto& source = sources_.add(name, std::move(text));
  auto root = read_tree(source, complaints_);
  if (root && root->kind == Node::Kind::null) root->place = source.whole();
  return root;
}

void Loading::read_settings(const Node& root) {
  auto decoding = reading_.decoding();
  decode_fields(Settings::fields(), root, settings_, decoding);
  auto known = field_names(Settings::fields());
  known.push_back("checks");
  refuse_unknown_keys(root, known, decoding);
  judge_settings(settings_, root, complaints_);
}

void Loading::read_checks(const Node& root) {
  const auto* list = root.find("checks");
  if (list == nullptr) return;
  auto decoding = reading_.decoding("checks");
  if (!require_kind(*list, Node::Kind::list, "list of checks", decoding)) return;
  for (std::size_t i = 0; i < list->items.size(); ++i) {
    if (checks_.size() == limits::config_checks) {
      decoding.complain(list->items[i],
                        "more than " + std::to_string(limits::config_checks) + " checks");
      return;
    }
    checks_.push_back(
        read_check(list->items[i], decoding.at(i).path, settings_.defaults, reading_));
  }
}

void Loading::include_all(const Node& root, const std::string& main) {
  const auto* list = root.find("include");
  if (list == nullptr || list->kind != Node::Kind::list) return;
  files_.push_back(std::filesystem::path{main}.lexically_normal().string());
  for (std::size_t i = 0; i < list->items.size(); ++i) {
    const auto& item = list->items[i];
    if (item.kind != Node::Kind::scalar) continue;  // Complained of already.
    const auto at = reading_.decoding("include").at(i).path;
    const auto found = files_matching(beside(main, item.text));
    if (found.empty()) complaints_.add(item.place, at, "matches no file that can be read");
    for (const auto& path : found) include(path, item, at);
  }
}

void Loading::include(const std::string& path, const Node& from, const std::string& at) {
  const auto normal = std::filesystem::path{path}.lexically_normal().string();
  if (normal == files_.front())
    return complaints_.add(from.place, at, "includes the very file it stands in");
  if (std::ranges::find(files_, normal) != files_.end())
    return;  // Two globs may well match one file.
  if (files_.size() == limits::config_files) {
    return complaints_.add(from.place, at,
                           "more than " + std::to_string(limits::config_files) + " files");
  }
  files_.push_back(normal);
  auto text = read_config_file(path);
  if (!text) return complaints_.add(from.place, at, path + ": " + text.error().detail);
  const auto root = tree_of(path, std::move(*text));
  if (!root || root->kind == Node::Kind::null) return;
  auto decoding = reading_.decoding();
  if (!require_kind(*root, Node::Kind::map, "map with the key \"checks\"", decoding)) return;
  const auto main_keys = field_names(Settings::fields());
  for (const auto& entry : root->entries) {
    const bool main_only =
        std::ranges::find(main_keys, std::string_view{entry.key}) != main_keys.end();
    if (main_only)
      complaints_.add(entry.key_place, entry.key,
                      "belongs into the main file; an included file has only checks");
    else if (entry.key != "checks")
      complaints_.add(entry.key_place, entry.key, "unknown key; an included file has only checks");
  }
  read_checks(*root);
}

void Loading::gather_warnings() {
  settings_.warnings = secrets_.doubts();
  if (settings_.checks.empty())
    settings_.warnings.push_back("there are no checks: nothing is watched");
  const auto unused = [&](bool is_set, const std::string& what, const std::string& so) {
    if (is_set) settings_.warnings.push_back(what + " is not used yet: " + so);
  };
  const auto& pagerduty = settings_.pagerduty;
  unused(settings_.slack && settings_.slack->app_token, "slack.app_token",
         "messages in the channel have no buttons");
  unused(pagerduty && pagerduty->api_token, "pagerduty.api_token",
         "acknowledgements made in PagerDuty are not seen");
  unused(pagerduty && pagerduty->webhook_secret, "pagerduty.webhook_secret",
         "acknowledgements made in PagerDuty are not seen");
  std::string fleet;
  for (const auto& check : settings_.checks)
    if (check.scope == Scope::fleet) fleet += (fleet.empty() ? "" : ", ") + check.name;
  if (!fleet.empty()) {
    settings_.warnings.push_back("scope: fleet behaves as host until a hub is configured: " +
                                 cut_characters(fleet, 200));
  }
}

Loaded Loading::load(const std::string& name, std::string text) {
  const auto root = tree_of(name, std::move(text));
  if (!root) return finish();
  if (root->kind == Node::Kind::null) {
    complaints_.add(root->place, {}, "the file says nothing: no checks, no settings");
    return finish();
  }
  auto decoding = reading_.decoding();
  if (!require_kind(*root, Node::Kind::map, "map of settings", decoding)) return finish();
  read_settings(*root);
  settings_.state_dir = beside(name, settings_.state_dir);
  state_dir_ = settings_.state_dir;
  settings_.http.web_config = beside(name, settings_.http.web_config);
  read_checks(*root);
  include_all(*root, name);
  judge_checks(checks_, complaints_);
  if (complaints_.empty()) {
    for (auto& check : checks_)
      if (check.setting) settings_.checks.push_back(std::move(*check.setting));
    gather_warnings();
  }
  return finish();
}

Loaded Loading::finish() {
  Loaded loaded;
  loaded.complaints = in_order(complaints_, sources_);
  loaded.report = describe(loaded.complaints, sources_);
  const bool doubtful = std::ranges::any_of(
      loaded.complaints, [](const Complaint& each) { return each.path == "state_dir"; });
  if (!doubtful) loaded.state_dir = std::move(state_dir_);
  if (loaded.complaints.empty()) loaded.settings = std::move(settings_);
  return loaded;
}

}  // namespace

Loaded load_text(const std::string& file_name, const std::string& text,
                 const CheckRegistry& registry, const SecretSource& secrets) {
  set_pattern_judge(&judge_pattern);
  Loading loading{registry, secrets};
  return loading.load(file_name, text);
}

Loaded load_file(const std::string& path, const CheckRegistry& registry,
                 const SecretSource& secrets) {
  set_pattern_judge(&judge_pattern);
  Loading loading{registry, secrets};
  auto text = read_config_file(path);
  if (!text) return loading.refuse(path, text.error());
  return loading.load(path, std::move(*text));
}

}  // namespace tocsin::config
