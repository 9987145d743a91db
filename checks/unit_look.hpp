#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "checks/systemd_bus.hpp"
#include "checks/unit_status.hpp"

namespace tocsin::checks {

/// Units of one check; six samples each stay below limits::samples_per_run.
inline constexpr std::size_t units_watched_max = 64;

/// Which units are meant, by whole names.
struct UnitChoice {
  std::vector<std::string> names{};
  std::vector<std::string> globs{};
  std::vector<std::string> except{};  ///< Names and globs of what the globs do not mean.
};

/// What systemd said of them.
struct UnitLook {
  std::vector<UnitStatus> units{};       ///< Those named first, the others by their names.
  std::size_t unwatched{0};              ///< How many more the globs mean.
  std::vector<std::string> unmatched{};  ///< Globs that no loaded unit fits.
};

/// Asks for all of it over a connection that is open; both must outlive the look.
Task<UnitLook> look_at_units(SystemdBus& bus, const UnitChoice& choice);

}  // namespace tocsin::checks
