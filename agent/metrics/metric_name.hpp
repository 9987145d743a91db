#pragma once

#include <string>
#include <string_view>

#include "tocsin/model/sample.hpp"

namespace tocsin::metrics {

/// "tocsin_<type>_<sample>_<unit>", as Prometheus names things: base units, no doubled unit ("available_ratio" stays as it
/// is), no segment that names another unit or abbreviates one ("hours_to_full" becomes "to_full_seconds"), no suffix that
/// only histograms, summaries and counters may have ("count" becomes "number"). Characters outside [a-z0-9_] become "_".
/// The rules are those of promlint, which `promtool check metrics` runs.
std::string metric_name(std::string_view type, const SampleSpec& spec);

}  // namespace tocsin::metrics
