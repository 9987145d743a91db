#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace prometheus {
struct MetricFamily;
}

namespace tocsin::metrics {

enum class Format {
  text,         ///< Prometheus text 0.0.4: what everything reads.
  openmetrics,  ///< OpenMetrics 1.0, for those who prefer it.
};

/// What the Accept header asks for: OpenMetrics 1.0.0 only when it is given a higher quality than
/// plain text.
Format format_for(std::string_view accept);
std::string_view content_type(Format format);

/// Writes families as the format has them: in OpenMetrics counters' families go without "_total"
/// and bounds are floats. OpenMetrics' final "# EOF" is the caller's.
void append_families(std::string& out, const std::vector<prometheus::MetricFamily>& families,
                     Format format);
/// A number as Prometheus reads it: the shortest form that reads back, NaN, +Inf, -Inf.
void append_number(std::string& out, double value);
/// A label's value or a HELP text, escaped; quotes too in label values and in OpenMetrics.
void append_escaped(std::string& out, std::string_view text, bool quotes);

}  // namespace tocsin::metrics
