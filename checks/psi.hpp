#pragma once

#include <optional>
#include <string_view>

#include "tocsin/base/error.hpp"

namespace tocsin::checks {

/// One file of /proc/pressure: the share of the last ten seconds in which tasks stood still for
/// want of the resource (Documentation/accounting/psi.rst), each from 0 to 1.
struct Pressure {
  double some{};                 ///< At least one task stood still.
  std::optional<double> full{};  ///< All of them did. For cpu since Linux 5.13.
};
/// `path` is for sentences.
Result<Pressure> parse_pressure(std::string_view path, std::string_view text);

}  // namespace tocsin::checks
