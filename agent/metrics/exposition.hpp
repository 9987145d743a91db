#pragma once

#include <string>
#include <string_view>

namespace tocsin::metrics {

enum class Format {
  text,         ///< Prometheus text 0.0.4: what everything reads.
  openmetrics,  ///< OpenMetrics 1.0, for those who prefer it.
};

/// What the Accept header asks for: OpenMetrics only when it is given a higher quality than plain text.
Format format_for(std::string_view accept);
std::string_view content_type(Format format);
/// Text 0.0.4 rewritten as OpenMetrics 1.0: counters' families lose "_total" in HELP and TYPE, and "# EOF" ends it.
std::string to_openmetrics(std::string_view text);

}  // namespace tocsin::metrics
