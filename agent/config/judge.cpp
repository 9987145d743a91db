#include <algorithm>
#include <map>

#include "agent/config/reading.hpp"
#include "tocsin/base/text.hpp"

namespace tocsin::config {
namespace {

using ByName = std::map<std::string_view, const CheckDraft*>;

ByName judge_names(const std::vector<CheckDraft>& checks, Complaints& complaints) {
  ByName known;
  for (const auto& check : checks) {
    if (check.name.empty()) continue;
    const auto [it, is_new] = known.emplace(check.name, &check);
    if (is_new) continue;
    const auto& first = it->second->name_place;
    const bool same_file = first.file == check.name_place.file;
    complaints.add(check.name_place, check.path + ".name",
                   "another check has this name, in line " + std::to_string(first.line) +
                       (same_file || !first.file ? std::string{} : " of " + *first.file));
  }
  return known;
}

void judge_dependencies(const std::vector<CheckDraft>& checks, const ByName& known,
                        Complaints& complaints) {
  std::vector<std::string_view> names;
  for (const auto& [name, check] : known) names.push_back(name);
  for (const auto& check : checks) {
    for (const auto& dependency : check.depends_on) {
      if (dependency.on.empty() || known.contains(dependency.on)) continue;
      const auto near = nearest(dependency.on, names);
      complaints.add(
          dependency.place, dependency.path,
          "there is no check \"" + dependency.on + "\"" +
              (near.empty() ? std::string{} : ": did you mean \"" + std::string{near} + "\"?"));
    }
  }
}

/// Finds circles: walks every chain once, and names a circle at the dependency that closes it.
class CircleFinder {
 public:
  CircleFinder(const ByName& known, Complaints& complaints)
      : known_{known}, complaints_{complaints} {}

  /// Iterative, for a chain may be as long as there are checks.
  void walk(std::string_view start) {
    if (done_.contains(start)) return;
    chain_.push_back({start, 0});
    while (!chain_.empty()) {
      auto& link = chain_.back();
      const auto& on = known_.at(link.name)->depends_on;
      if (link.next == on.size()) {
        done_.insert(link.name);
        chain_.pop_back();
        continue;
      }
      visit(on[link.next++]);
    }
  }

 private:
  struct Link {
    std::string_view name;
    std::size_t next;
  };
  void visit(const Dependency& dependency) {
    const auto target = known_.find(dependency.on);
    if (target == known_.end() || done_.contains(target->first)) return;
    const auto open = std::ranges::find(chain_, target->first, &Link::name);
    if (open == chain_.end()) {
      chain_.push_back({target->first, 0});
      return;
    }
    std::string circle;
    for (auto it = open; it != chain_.end(); ++it) circle += std::string{it->name} + " → ";
    complaints_.add(dependency.place, dependency.path,
                    "the dependencies go in a circle: " + circle + dependency.on);
  }

  const ByName& known_;
  Complaints& complaints_;
  std::vector<Link> chain_{};
  std::set<std::string_view> done_{};
};

/// The node at a path of keys, and whether it is there; else the last that is.
const Node& node_at(const Node& root, std::initializer_list<std::string_view> keys) {
  const auto* node = &root;
  for (const auto key : keys) {
    const auto* next = node->find(key);
    if (next == nullptr) break;
    node = next;
  }
  return *node;
}

class SettingsJudge {
 public:
  SettingsJudge(const Settings& settings, const Node& root, Complaints& complaints)
      : settings_{settings}, root_{root}, complaints_{complaints} {}

  void judge() {
    judge_identity();
    judge_listener();
    judge_receivers();
    judge_periods();
    judge_escalation();
  }

 private:
  void complain(std::initializer_list<std::string_view> keys, std::string message) {
    std::string path;
    for (const auto key : keys) path += (path.empty() ? "" : ".") + std::string{key};
    complaints_.add(node_at(root_, keys).place, path, std::move(message));
  }

  void judge_identity();
  void judge_listener();
  void judge_receivers();
  void judge_periods();
  void judge_escalation();
  void judge_service(const std::string& service, const Place& place, const std::string& path);

  const Settings& settings_;
  const Node& root_;
  Complaints& complaints_;
};

bool is_word(std::string_view text) {
  return !text.empty() && text.size() <= 64 && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  });
}

void SettingsJudge::judge_identity() {
  // Both are parts of keys that end at a slash, and of paths.
  if (!is_word(settings_.environment)) {
    complain({"environment"}, "expected one word of at most 64 letters, digits, '.', '_' and '-'");
  }
  if (!settings_.host.empty() && !is_word(settings_.host)) {
    complain({"host"}, "expected a host name of at most 64 letters, digits, '.', '_' and '-'");
  }
  if (!zone_exists(settings_.timezone)) {
    complain({"timezone"}, "this host knows no zone \"" + cut_characters(settings_.timezone, 40) +
                               "\"; expected a name such as \"Europe/London\" (package tzdata)");
  }
  // sun_path of a unix socket has 108 bytes with its end (unix(7)); the control socket lives here.
  constexpr std::size_t longest = 107 - std::string_view{"/control.sock"}.size();
  if (settings_.state_dir.empty() || settings_.state_dir.size() > longest) {
    complain({"state_dir"}, "expected a folder of at most " + std::to_string(longest) +
                                " bytes: the path of a socket in it must fit the kernel's bound");
  }
  if (!settings_.proxy.empty()) {
    if (const auto url = parse_url(settings_.proxy); !url) complain({"proxy"}, url.error().detail);
  }
}

void SettingsJudge::judge_listener() {
  // parse_host_port refuses port 0, which here means "any free one".
  auto listen = settings_.http.listen;
  if (listen.ends_with(":0")) listen.back() = '1';
  if (const auto address = parse_host_port(listen); !address)
    complain({"http", "listen"}, address.error().detail);
}

void SettingsJudge::judge_receivers() {
  if (settings_.slack && !settings_.slack->api_url.target.ends_with('/')) {
    complain({"slack", "api_url"}, "must end in a slash: method names are put behind it");
  }
  if (!settings_.pagerduty) return;
  if (settings_.pagerduty->services.empty())
    complain({"pagerduty", "services"}, "names no service");
  for (const auto& [name, service] : settings_.pagerduty->services) {
    if (!is_word(name))
      complain({"pagerduty", "services", name}, "a service's name is one plain word");
  }
  judge_service(settings_.pagerduty->page, node_at(root_, {"pagerduty", "page"}).place,
                "pagerduty.page");
}

void SettingsJudge::judge_periods() {
  const auto& defaults = settings_.defaults;
  const auto& written = node_at(root_, {"defaults"});
  if (defaults.every < limits::check_every_least || defaults.every > limits::check_every_most) {
    complain({"defaults", "every"}, "expected " + to_config(limits::check_every_least) + " to " +
                                        to_config(limits::check_every_most) + ", found " +
                                        to_config(defaults.every));
  }
  if (defaults.timeout <= Duration::zero())
    complain({"defaults", "timeout"}, "a timeout must be longer than nothing");
  if (written.find("timeout") != nullptr && defaults.timeout >= defaults.every) {
    complain({"defaults", "timeout"}, "must be less than every (" + to_config(defaults.every) +
                                          "), found " + to_config(defaults.timeout));
  }
  constexpr Duration shortest_reminder = std::chrono::seconds{10};
  if (settings_.incidents.remind_every < shortest_reminder) {
    complain({"incidents", "remind_every"}, "at least " + to_config(shortest_reminder) +
                                                ": people stop reading a channel that never rests");
  }
}

void SettingsJudge::judge_escalation() {
  const auto& steps = settings_.incidents.escalation;
  const auto& list = node_at(root_, {"incidents", "escalation"});
  const bool all_read =
      list.items.size() == steps.size();  // Else faults were found, and the order is not known.
  for (std::size_t i = 0; i < list.items.size(); ++i) {
    const auto path = "incidents.escalation[" + std::to_string(i) + "]";
    if (const auto* page = list.items[i].find("page");
        page != nullptr && page->kind == Node::Kind::scalar) {
      judge_service(page->text, page->place, path + ".page");
    }
    const auto* after = list.items[i].find("after");
    if (!all_read || after == nullptr) continue;
    if (i == 0 && steps[i].after <= Duration::zero()) {
      complaints_.add(after->place, path + ".after",
                      "the first step comes some time after opening");
    }
    if (i > 0 && steps[i].after <= steps[i - 1].after) {
      complaints_.add(after->place, path + ".after",
                      "steps come in order of time: expected more than " +
                          to_config(steps[i - 1].after) + ", found " + to_config(steps[i].after));
    }
  }
}

void SettingsJudge::judge_service(const std::string& service, const Place& place,
                                  const std::string& path) {
  const auto* block = root_.find("pagerduty");
  if (block == nullptr) {
    complaints_.add(place, path, "nobody can be paged: there is no pagerduty block");
    return;
  }
  // The names count even where a service's own keys have faults.
  std::vector<std::string_view> names;
  for (const auto& entry : node_at(root_, {"pagerduty", "services"}).entries)
    names.push_back(entry.key);
  if (std::ranges::find(names, std::string_view{service}) != names.end()) return;
  const auto near = nearest(service, names);
  complaints_.add(
      place, path,
      "there is no service \"" + service + "\" in pagerduty.services" +
          (near.empty() ? std::string{} : ": did you mean \"" + std::string{near} + "\"?"));
}

}  // namespace

void judge_checks(const std::vector<CheckDraft>& checks, Complaints& complaints) {
  const auto known = judge_names(checks, complaints);
  judge_dependencies(checks, known, complaints);
  CircleFinder finder{known, complaints};
  for (const auto& check : checks)
    if (!check.name.empty()) finder.walk(known.find(check.name)->first);
}

void judge_settings(const Settings& settings, const Node& root, Complaints& complaints) {
  SettingsJudge{settings, root, complaints}.judge();
}

}  // namespace tocsin::config
