#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "agent/config/settings.hpp"
#include "agent/config/source.hpp"

namespace tocsin::config {

/// Passes secrets on and remembers which references were followed and what is doubtful about them,
/// so that they can be hidden in what is shown and count in what is compared.
class FollowedSecrets : public SecretSource {
 public:
  explicit FollowedSecrets(const SecretSource& source) : source_{source} {}
  Result<Secret> from_file(const std::string& path) const override;
  Result<Secret> from_env(const std::string& name) const override;
  Result<Secret> from_credential(const std::string& name) const override;

  const std::vector<std::string>& doubts() const { return doubts_; }
  /// The values followed since the last call, in order.
  std::vector<Secret> take_values();

 private:
  Result<Secret> remember(Result<Secret> secret) const;
  const SecretSource& source_;
  // The interface is const for its users; remembering is this class's own business.
  mutable std::vector<Secret> values_;
  mutable std::vector<std::string> doubts_;
};

/// What reading one configuration has at hand.
struct Reading {
  const CheckRegistry& registry;
  FollowedSecrets& secrets;
  Sources& sources;
  Complaints& complaints;

  Decoding decoding(std::string path = {}) { return {complaints, secrets, std::move(path)}; }
};

/// A name that must be the name of another check.
struct Dependency {
  std::string on;
  Place place;
  std::string path;
};

/// A check as far as it could be read: enough of it to judge the others even when it has faults of
/// its own.
struct CheckDraft {
  std::string name;  ///< Empty when it has none.
  Place name_place;
  std::string path;  ///< "checks[2]".
  std::vector<Dependency> depends_on;
  std::optional<CheckSetting> setting;  ///< Absent after a complaint.
};

/// Reads one stanza of `checks`.
CheckDraft read_check(const Node& node, const std::string& path, const DefaultsSetting& defaults,
                      Reading& reading);
/// Complains of names given twice, dependencies on nothing, and dependencies that go in circles.
void judge_checks(const std::vector<CheckDraft>& checks, Complaints& complaints);
/// Complains of settings that do not fit each other: zones, services, the order of escalation.
void judge_settings(const Settings& settings, const Node& root, Complaints& complaints);

/// The node as flow YAML, maps ordered by key when `sorted`; references that name secrets read
/// "<secret>" when `hidden`.
struct Flow {
  bool sorted{false};
  bool hidden{false};
};
std::string to_flow(const Node& node, const Flow& flow);
/// The stanza of a check in force, in block YAML as an item of a list.
std::string show_check(const CheckSetting& setting, const Node& node, const CheckType& type);
/// What RE2 says against a pattern, or nothing.
std::string judge_pattern(std::string_view pattern);

}  // namespace tocsin::config
