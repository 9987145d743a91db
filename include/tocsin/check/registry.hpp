#pragma once

#include <string_view>
#include <vector>

#include "tocsin/check/check.hpp"

namespace tocsin {

/// The check types this program knows. Filled by ordinary calls from checks/CMakeLists.txt's list,
/// before anything runs.
class CheckRegistry {
 public:
  /// Two types of one name are a bug.
  void add(CheckType type);
  const CheckType* find(std::string_view name) const;
  const std::vector<CheckType>& types() const { return types_; }  ///< By name.

 private:
  std::vector<CheckType> types_;
};

/// Generated from checks/CMakeLists.txt.
void register_checks(CheckRegistry& registry);

}  // namespace tocsin
