#pragma once

#include <string_view>

#include "tocsin/base/error.hpp"

namespace tocsin::checks {

/// The three averages of /proc/loadavg (proc(5)).
struct LoadAverages {
  double one{};
  double five{};
  double fifteen{};
};
Result<LoadAverages> parse_load_averages(std::string_view text);

}  // namespace tocsin::checks
