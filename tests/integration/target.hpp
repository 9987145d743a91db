#pragma once

#include <filesystem>
#include <string>

#include "tests/integration/program.hpp"

namespace tocsin::integration {

/// Something that is well or broken as the test wants it: a file that is there or not, looked at by
/// `ls` through the exec check (its exit code 2 means, as for a plugin, critical).
class Target {
 public:
  explicit Target(std::string name) : name_{std::move(name)} { mend(); }

  void mend() { folder_.write("well", ""); }
  void breach() { std::filesystem::remove(folder_ / "well"); }
  const std::string& name() const { return name_; }

  /// An element of `checks:` that looks every `every` and tells at once.
  std::string check(std::string_view every = "200ms") const {
    return "  - {name: " + name_ + ", type: exec, every: " + std::string{every} +
           ", command: [/bin/ls, " + (folder_ / "well") +
           "], critical: state == 2, clear: state == 0}\n";
  }

 private:
  std::string name_;
  Folder folder_;
};

}  // namespace tocsin::integration
