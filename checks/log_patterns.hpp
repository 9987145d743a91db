#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tocsin/config/codec.hpp"

namespace tocsin::checks {

/// Patterns by the name that becomes a sample's.
using LogPatterns = std::map<std::string, Pattern>;

/// Patterns that come with the program, under a name to ask for them by.
struct PatternSet {
  std::string_view name;
  std::string_view what;  ///< For people: what its matches tell of.
  std::vector<std::pair<std::string_view, std::string_view>> patterns;
};
std::span<const PatternSet> pattern_sets();
const PatternSet* find_pattern_set(std::string_view name);

/// Whether a sample can be called so: lower-case letters, digits and underscores, beginning with a
/// letter, at most 40.
bool is_pattern_name(std::string_view name);

}  // namespace tocsin::checks
