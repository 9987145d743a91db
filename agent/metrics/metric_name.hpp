#pragma once

#include <string>
#include <string_view>

#include "tocsin/model/sample.hpp"

namespace tocsin::metrics {

/// "tocsin_<type>_<sample>_<unit>", as Prometheus names things: base units, no doubled unit
/// ("available_ratio" stays as it is), no word that names another unit or abbreviates one
/// ("hours_to_full" becomes "to_full_seconds"), no suffix that only histograms, summaries and
/// counters may have ("count" becomes "number"). Characters outside [a-z0-9_] become "_". The rules
/// are those of promlint, which `promtool check metrics` runs.
std::string metric_name(std::string_view type, const SampleSpec& spec);

/// A configured label's name as Prometheus takes it, and never one that we use ourselves ("check",
/// `instance_label`) or that has a meaning ("le", "quantile"): those get the prefix "configured_".
std::string label_name(std::string_view configured, std::string_view instance_label);

}  // namespace tocsin::metrics
