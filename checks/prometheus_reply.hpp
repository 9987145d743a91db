#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "tocsin/base/error.hpp"

namespace tocsin::checks {

/// One series of an answer. `labels` is "instance=web-1:9100, job=node" without the metric's name:
/// the same at every look, and of its own for every series of one answer; "" for a single number.
struct PrometheusValue {
  std::string labels{};
  double value{};  ///< May be infinite, never NaN.
};

/// What an instant query gave.
struct PrometheusReply {
  std::vector<PrometheusValue> values{};
  std::size_t not_numbers{0};  ///< Series whose value is NaN, left out of `values`.
  /// Why the answer may be incomplete (a store that did not answer), a few at most.
  std::vector<std::string> warnings{};
};

/// More would be a dashboard's query, not an alarm's; each value is one time series of our own.
inline constexpr std::size_t prometheus_series_max = 200;

/// Reads an answer of the HTTP API (docs/querying/api.md of Prometheus). Errc::malformed when it is
/// none; Errc::refused with Prometheus' own words when it reports a fault; Errc::unsupported when
/// the expression gives no plain numbers; Errc::too_large when it gives too many. An answer without
/// a series is no fault here.
Result<PrometheusReply> parse_prometheus_reply(std::string_view body);

}  // namespace tocsin::checks
