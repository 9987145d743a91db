#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "tocsin/check/memory.hpp"
#include "tocsin/model/commit.hpp"

namespace tocsin::app {

/// What all checks keep, in memory, with every change handed on to be written. One loop.
class CheckMemories final : public Memories {
 public:
  /// Called at each change, to write it.
  using Write = std::function<void(CheckMemory)>;
  CheckMemories(std::vector<CheckMemory> kept, Write write);
  ~CheckMemories() override;

  Memory& of(const std::string& check) override;
  /// Forgets those of checks that are no more. Their Memory objects live on, empty.
  void retain(const std::set<std::string>& checks);

 private:
  class Kept;
  std::map<std::string, std::unique_ptr<Kept>> kept_;
  Write write_;
};

}  // namespace tocsin::app
