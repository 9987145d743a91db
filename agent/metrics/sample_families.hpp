#pragma once

#include <vector>

#include <prometheus/metric_family.h>

#include "agent/metrics/instruments.hpp"

namespace tocsin::metrics {

/// Adds one gauge family for every sample of every type among the checks, with the labels check, the instance's, and
/// those configured. A sample that a run did not yield has no series. Values are in the metric's base unit.
void append_sample_families(const std::vector<CheckView>& checks, std::vector<prometheus::MetricFamily>& families);

}  // namespace tocsin::metrics
