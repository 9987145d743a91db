#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "agent/metrics/exposition.hpp"
#include "agent/metrics/instruments.hpp"

namespace tocsin::metrics {

/// Writes one gauge family for every sample of every type among the checks, with the labels check,
/// those configured, and the instance's. A sample that a run did not yield has no series, and no
/// two series are the same. Values are in the metric's base unit. Keeps the names it has made, for
/// making one costs more than writing a series.
class SampleFamilies {
 public:
  void append(std::string& out, const std::vector<CheckView>& checks, Format format);

 private:
  const std::string& name_of(std::string_view type, const SampleSpec& spec);
  /// By type, sample and unit: as many as the configuration's types have samples.
  std::map<std::string, std::string, std::less<>> names_;
};

}  // namespace tocsin::metrics
