#include "agent/metrics/sample_families.hpp"

#include <map>

#include "agent/metrics/metric_name.hpp"
#include "tocsin/base/unit.hpp"

namespace tocsin::metrics {

namespace {

prometheus::ClientMetric series(const CheckView& check, const SampleSpec& spec, const Sample& sample) {
  prometheus::ClientMetric metric;
  metric.label.push_back({"check", std::string{check.name}});
  if (!spec.instance_label.empty()) metric.label.push_back({spec.instance_label, sample.instance});
  for (const auto& [label, value] : check.labels)
    if (label != "check" && label != spec.instance_label) metric.label.push_back({label, value});
  metric.gauge.value = sample.value * metric_scale(spec.unit);
  return metric;
}

}  // namespace

void append_sample_families(const std::vector<CheckView>& checks, std::vector<prometheus::MetricFamily>& families) {
  std::map<std::string, std::size_t> places;
  for (const auto& check : checks) {
    if (check.samples == nullptr) continue;
    for (const auto& sample : *check.samples) {
      if (sample.spec >= check.specs.size()) continue;
      const auto& spec = check.specs[sample.spec];
      auto name = metric_name(check.type, spec);
      const auto [at, fresh] = places.try_emplace(name, families.size());
      if (fresh) {
        families.push_back({.name = std::move(name),
                            .help = spec.help.empty() ? "Sample " + spec.name + " of " + std::string{check.type} + " checks."
                                                      : spec.help,
                            .type = prometheus::MetricType::Gauge,
                            .metric = {}});
      }
      families[at->second].metric.push_back(series(check, spec, sample));
    }
  }
}

}  // namespace tocsin::metrics
