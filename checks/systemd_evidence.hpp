#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "checks/unit_look.hpp"
#include "tocsin/model/sample.hpp"

namespace tocsin::checks {

/// One sentence on how a unit fares and why.
std::string describe_unit(const UnitStatus& unit, SteadyTime now);

/// Lines on the units that are down or missing and on those that were started again; the first of
/// them is the probable cause. Returns the unit whose journal tells most, or null.
const UnitStatus* tell_of_units(Evidence& evidence, const UnitLook& look,
                                const UnitRestarts& restarts, SteadyTime now);

/// How many of the journal's lines on a unit are asked for.
inline constexpr int journal_lines_told = 5;

/// Adds the journal's last lines on a unit, without what may be a secret in them; the last of them
/// completes the probable cause.
void tell_of_journal(Evidence& evidence, const UnitStatus& unit, std::string_view lines);

}  // namespace tocsin::checks
