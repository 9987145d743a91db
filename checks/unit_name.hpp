#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tocsin::checks {

/// The name with ".service" where it has no suffix of a unit's kind, as systemctl reads names. A
/// glob whose end may stand for a suffix stays as it is.
std::string whole_unit_name(std::string_view text);

/// Why this is neither a unit's name nor a glob of such; nothing when it is one of them.
std::optional<std::string> fault_of_unit_name(std::string_view text);

bool is_unit_glob(std::string_view name);
/// As systemd itself compares: fnmatch(3).
bool fits_unit_glob(const std::string& glob, const std::string& name);

/// "service" of "nginx.service".
std::string_view kind_of_unit(std::string_view name);

}  // namespace tocsin::checks
