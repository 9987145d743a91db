#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "tocsin/base/error.hpp"
#include "tocsin/base/secret.hpp"
#include "tocsin/config/node.hpp"

namespace tocsin {

/// Where secret references lead: {file: …}, {env: …}, {credential: …}. Injected, so that tests need
/// no files.
class SecretSource {
 public:
  virtual ~SecretSource() = default;
  virtual Result<Secret> from_file(const std::string& path) const = 0;
  virtual Result<Secret> from_env(const std::string& name) const = 0;
  virtual Result<Secret> from_credential(const std::string& name) const = 0;
  /// What is doubtful about a file that could be read (its mode), as one sentence; empty: nothing.
  virtual std::string doubt_about_file(const std::string& path) const {
    (void)path;
    return {};
  }
};

/// What decoding carries along: the faults found so far, where secrets come from, and the path to
/// here.
struct Decoding {
  Complaints& complaints;
  const SecretSource& secrets;
  std::string path{};

  /// Complains of this very value.
  void complain(const Node& node, std::string message) {
    complaints.add(node.place, path, std::move(message));
  }
  void complain(const Place& place, std::string message) {
    complaints.add(place, path, std::move(message));
  }
  /// The same, one level down: `key` of a map or `[index]` of a list.
  Decoding at(std::string_view key) const {
    return {complaints, secrets, path.empty() ? std::string{key} : path + "." + std::string{key}};
  }
  Decoding at(std::size_t index) const {
    return {complaints, secrets, path + "[" + std::to_string(index) + "]"};
  }
};

}  // namespace tocsin
