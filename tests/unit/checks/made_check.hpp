#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/fakes/fake_host.hpp"
#include "tocsin/check/check.hpp"

namespace tocsin::checks_test {

/// A fixture host's folder.
inline std::string fixture(std::string_view host) {
  return TOCSIN_SOURCE_DIR "/tests/fixtures/hosts/" + std::string{host};
}

inline Node word(std::string text) {
  Node node;
  node.kind = Node::Kind::scalar;
  node.text = std::move(text);
  return node;
}
inline Node list_of(std::vector<std::string> words) {
  Node node;
  node.kind = Node::Kind::list;
  for (auto& text : words) node.items.push_back(word(std::move(text)));
  return node;
}
inline Node map_of(std::vector<std::pair<std::string, Node>> entries) {
  Node node;
  node.kind = Node::Kind::map;
  for (auto& [key, value] : entries) node.entries.push_back({key, {}, std::move(value)});
  return node;
}

class NoSecrets final : public SecretSource {
 public:
  Result<Secret> from_file(const std::string&) const override { return none(); }
  Result<Secret> from_env(const std::string&) const override { return none(); }
  Result<Secret> from_credential(const std::string&) const override { return none(); }

 private:
  static Error none() { return {Errc::missing, "there are no secrets in this test"}; }
};

/// The sentences that building from `map` complains with; none means that it was built.
inline std::vector<std::string> complaints_of(const CheckType& type, const Node& map) {
  Complaints complaints;
  const NoSecrets secrets;
  Decoding decoding{complaints, secrets, {}};
  std::vector<std::string> sentences;
  if (type.build("test", map, decoding) != nullptr) return sentences;
  for (const auto& complaint : complaints.all())
    sentences.push_back(complaint.path + ": " + complaint.message);
  return sentences;
}

inline std::unique_ptr<Check> made(const CheckType& type, const Node& map = map_of({})) {
  Complaints complaints;
  const NoSecrets secrets;
  Decoding decoding{complaints, secrets, {}};
  auto check = type.build("test", map, decoding);
  if (check == nullptr) throw std::invalid_argument{complaints.all().front().message};
  return check;
}

/// A host that is a copy of a fixture, so that a test may change it.
struct FixtureHost : fakes::FakeHost {
  explicit FixtureHost(std::string_view name) {
    if (!name.empty()) root.copy_from(fixture(name));
  }
  /// Lets `passed` go by and puts the fixture's later state in place.
  void later(std::string_view name, Duration passed) {
    clock.advance(passed);
    root.copy_from(fixture(name) + "/later");
  }
};

/// Names of the samples that a run yielded, instances in brackets, in order.
inline std::vector<std::string> names_of(const Check& check, const Samples& samples) {
  std::vector<std::string> names;
  for (const auto& sample : samples)
    names.push_back(check.specs()[sample.spec].name +
                    (sample.instance.empty() ? "" : "[" + sample.instance + "]"));
  return names;
}

}  // namespace tocsin::checks_test
