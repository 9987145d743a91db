#include "agent/metrics/exposition.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <vector>

#include <prometheus/metric_family.h>

#include "tocsin/base/text.hpp"

namespace tocsin::metrics {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

std::string_view type_word(MetricType type) {
  switch (type) {
    case MetricType::Counter:
      return "counter";
    case MetricType::Gauge:
      return "gauge";
    case MetricType::Summary:
      return "summary";
    case MetricType::Untyped:
      return "untyped";
    case MetricType::Histogram:
      return "histogram";
  }
  return "untyped";
}

void append_labels(std::string& out, const ClientMetric& metric, std::string_view extra_name = {},
                   std::string_view extra_value = {}) {
  if (metric.label.empty() && extra_name.empty()) {
    out += ' ';
    return;
  }
  char before = '{';
  const auto one = [&](std::string_view name, std::string_view value) {
    out += before;
    before = ',';
    out.append(name).append("=\"");
    append_escaped(out, value, true);
    out += '"';
  };
  for (const auto& label : metric.label) one(label.name, label.value);
  if (!extra_name.empty()) one(extra_name, extra_value);
  out += "} ";
}

void append_sample(std::string& out, std::string_view name, std::string_view suffix,
                   const ClientMetric& metric, double value, std::string_view extra_name = {},
                   std::string_view extra_value = {}) {
  out.append(name).append(suffix);
  append_labels(out, metric, extra_name, extra_value);
  append_number(out, value);
  out += '\n';
}

/// OpenMetrics wants 1.0 where the text format has 1.
std::string bound(double value, Format format) {
  std::string text;
  append_number(text, value);
  const bool whole = text.find_first_of(".eIN") == std::string::npos;
  if (format == Format::openmetrics && whole) text += ".0";
  return text;
}

void append_histogram(std::string& out, const MetricFamily& family, const ClientMetric& metric,
                      Format format) {
  for (const auto& bucket : metric.histogram.bucket) {
    append_sample(out, family.name, "_bucket", metric, static_cast<double>(bucket.cumulative_count),
                  "le", bound(bucket.upper_bound, format));
  }
  const bool open =
      metric.histogram.bucket.empty() || !std::isinf(metric.histogram.bucket.back().upper_bound);
  const auto count = static_cast<double>(metric.histogram.sample_count);
  if (open) append_sample(out, family.name, "_bucket", metric, count, "le", "+Inf");
  append_sample(out, family.name, "_sum", metric, metric.histogram.sample_sum);
  append_sample(out, family.name, "_count", metric, count);
}

void append_metric(std::string& out, const MetricFamily& family, const ClientMetric& metric,
                   Format format) {
  switch (family.type) {
    case MetricType::Counter:
      append_sample(out, family.name, "", metric, metric.counter.value);
      break;
    case MetricType::Gauge:
      append_sample(out, family.name, "", metric, metric.gauge.value);
      break;
    case MetricType::Untyped:
      append_sample(out, family.name, "", metric, metric.untyped.value);
      break;
    case MetricType::Histogram:
      append_histogram(out, family, metric, format);
      break;
    case MetricType::Summary:
      for (const auto& quantile : metric.summary.quantile) {
        append_sample(out, family.name, "", metric, quantile.value, "quantile",
                      bound(quantile.quantile, format));
      }
      append_sample(out, family.name, "_sum", metric, metric.summary.sample_sum);
      append_sample(out, family.name, "_count", metric,
                    static_cast<double>(metric.summary.sample_count));
      break;
  }
}

void append_family(std::string& out, const MetricFamily& family, Format format) {
  if (family.metric.empty()) return;
  std::string_view name = family.name;
  constexpr std::string_view total = "_total";
  if (format == Format::openmetrics && family.type == MetricType::Counter &&
      name.ends_with(total)) {
    name.remove_suffix(total.size());
  }
  auto type = type_word(family.type);
  if (format == Format::openmetrics && type == "untyped") type = "unknown";
  out.append("# HELP ").append(name).append(" ");
  append_escaped(out, family.help, format == Format::openmetrics);
  out.append("\n# TYPE ").append(name).append(" ").append(type).append("\n");
  for (const auto& metric : family.metric) append_metric(out, family, metric, format);
}

/// One media range of an Accept header.
struct Range {
  std::string_view type;
  std::string_view version{};
  double quality{1};
};

Range range_of(std::string_view text) {
  Range range;
  bool first = true;
  for (const auto part : split(text, ';')) {
    const auto word = trim(part);
    if (first) {
      range.type = word;
      first = false;
    } else if (word.starts_with("version=")) {
      range.version = word.substr(8);
    } else if (word.starts_with("q=")) {
      const auto number = word.substr(2);
      double quality = 0;
      const auto [rest, problem] =
          std::from_chars(number.data(), number.data() + number.size(), quality);
      range.quality = problem == std::errc{} && rest == number.data() + number.size() ? quality : 0;
    }
  }
  return range;
}

}  // namespace

Format format_for(std::string_view accept) {
  double openmetrics = 0, text = 0;
  for (const auto part : split(accept, ',')) {
    const auto range = range_of(part);
    if (range.type == "application/openmetrics-text" &&
        (range.version.empty() || range.version == "1.0.0")) {
      openmetrics = std::max(openmetrics, range.quality);
    } else if (range.type == "text/plain" || range.type == "text/*" || range.type == "*/*") {
      text = std::max(text, range.quality);
    }
  }
  return openmetrics > text ? Format::openmetrics : Format::text;
}

std::string_view content_type(Format format) {
  switch (format) {
    case Format::text:
      return "text/plain; version=0.0.4; charset=utf-8";
    case Format::openmetrics:
      return "application/openmetrics-text; version=1.0.0; charset=utf-8";
  }
  return "text/plain; version=0.0.4; charset=utf-8";
}

void append_number(std::string& out, double value) {
  if (std::isnan(value)) {
    out += "NaN";
  } else if (std::isinf(value)) {
    out += value > 0 ? "+Inf" : "-Inf";
  } else {
    std::array<char, 32> text;
    // Whole numbers in full, for people; "1.7e+09" would be shorter for a time.
    constexpr double exact = 1e15;
    const bool whole = std::abs(value) < exact && value == std::floor(value);
    const auto end = whole ? std::to_chars(text.data(), text.data() + text.size(),
                                           static_cast<std::int64_t>(value))
                                 .ptr
                           : std::to_chars(text.data(), text.data() + text.size(), value).ptr;
    out.append(text.data(), end);
  }
}

void append_escaped(std::string& out, std::string_view text, bool quotes) {
  for (const char c : text) {
    if (c == '\\') {
      out += "\\\\";
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '"' && quotes) {
      out += "\\\"";
    } else {
      out += c;
    }
  }
}

void append_families(std::string& out, const std::vector<prometheus::MetricFamily>& families,
                     Format format) {
  for (const auto& family : families) append_family(out, family, format);
}

}  // namespace tocsin::metrics
