#include "checks/prometheus_reply.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>

#include "checks/json_members.hpp"
#include "checks/words.hpp"
#include "tocsin/base/text.hpp"
#include "tocsin/net/digest.hpp"

namespace tocsin::checks {
namespace {

namespace json = boost::json;

constexpr std::size_t labels_characters_max = 120;
constexpr std::size_t digest_characters = 8;
constexpr std::size_t warnings_max = 3;
constexpr std::size_t sentence_characters_max = 250;

std::string shown(std::string_view text) {
  return cut_characters(clean_utf8(text), sentence_characters_max);
}

Error malformed(std::string what) { return {Errc::malformed, std::move(what)}; }

/// Prometheus writes numbers as text: "1", "3.5e+09", "+Inf", "-Inf", "NaN".
std::optional<double> number_of(std::string_view text) {
  constexpr auto infinity = std::numeric_limits<double>::infinity();
  if (text == "NaN") return std::nan("");
  if (text == "+Inf" || text == "Inf") return infinity;
  if (text == "-Inf") return -infinity;
  return to_real(text);
}

/// The number of `[time, "value"]`.
std::optional<double> number_of(const json::value& sample) {
  const auto* pair = sample.if_array();
  if (pair == nullptr || pair->size() != 2) return std::nullopt;
  const auto* text = (*pair)[1].if_string();
  if (text == nullptr) return std::nullopt;
  return number_of(std::string_view{text->data(), text->size()});
}

std::string labels_of(const json::object& metric) {
  std::vector<std::pair<std::string_view, std::string_view>> labels;
  for (const auto& member : metric) {
    const std::string_view name{member.key().data(), member.key().size()};
    if (name != "__name__") labels.emplace_back(name, text_in(metric, name));
  }
  std::sort(labels.begin(), labels.end());
  std::string text;
  for (const auto& [name, value] : labels)
    text += (text.empty() ? "" : ", ") + std::string{name} + "=" + std::string{value};
  auto clean = clean_utf8(text);
  std::replace(clean.begin(), clean.end(), '\n', ' ');
  const auto cut = cut_characters(clean, labels_characters_max);
  // Two long ones must not become one by cutting them.
  return cut == text ? cut : cut + " #" + sha256_hex(text).substr(0, digest_characters);
}

/// "" when it could be taken.
std::string take_series(const json::value& series, PrometheusReply& reply) {
  const auto* object = series.if_object();
  if (object == nullptr) return "has a series that is not an object";
  const auto* metric = object_in(*object, "metric");
  if (metric == nullptr) return "has a series without labels";
  const auto* sample = object->if_contains("value");
  if (sample == nullptr)
    return object->contains("histogram") ? "histogram" : "has a series without a value";
  const auto number = number_of(*sample);
  if (!number) return "has a value that is not a number";
  if (std::isnan(*number))
    ++reply.not_numbers;
  else
    reply.values.push_back({labels_of(*metric), *number});
  return {};
}

Result<void> take_vector(const json::array& all, PrometheusReply& reply) {
  if (all.size() > prometheus_series_max)
    return Error{Errc::too_large,
                 "it gives " + std::to_string(all.size()) + " series; the bound is " +
                     std::to_string(prometheus_series_max) + ": aggregate them (sum by …, topk)"};
  for (const auto& series : all) {
    const auto fault = take_series(series, reply);
    if (fault == "histogram")
      return Error{Errc::unsupported,
                   "it gives a native histogram: make a number of it (histogram_quantile)"};
    if (!fault.empty()) return malformed(fault);
  }
  // Without the metric's name two series may have the same labels ({__name__=~"…"}).
  auto& values = reply.values;
  std::stable_sort(values.begin(), values.end(),
                   [](const auto& a, const auto& b) { return a.labels < b.labels; });
  const auto twin =
      std::adjacent_find(values.begin(), values.end(),
                         [](const auto& a, const auto& b) { return a.labels == b.labels; });
  if (twin != values.end())
    return Error{Errc::unsupported, "it gives several series with the same labels {" +
                                        twin->labels + "}: ask for one metric, or aggregate"};
  return {};
}

Result<void> take_result(const json::object& data, PrometheusReply& reply) {
  const auto type = text_in(data, "resultType");
  const auto* result = data.if_contains("result");
  if (result == nullptr) return malformed("has no result");
  if (type == "vector" && result->is_array()) return take_vector(result->get_array(), reply);
  if (type == "scalar") {
    const auto number = number_of(*result);
    if (!number) return malformed("has a value that is not a number");
    if (std::isnan(*number))
      ++reply.not_numbers;
    else
      reply.values.push_back({{}, *number});
    return {};
  }
  if (type == "matrix")
    return Error{Errc::unsupported,
                 "it gives ranges: apply a function such as rate() or max_over_time()"};
  if (type == "string") return Error{Errc::unsupported, "it gives a text, not a number"};
  return malformed("has no result of a known type");
}

}  // namespace

Result<PrometheusReply> parse_prometheus_reply(std::string_view body) {
  boost::system::error_code fault;
  const auto document = json::parse({body.data(), body.size()}, fault);
  if (fault) return malformed("is not JSON: " + fault.message());
  const auto* object = document.if_object();
  if (object == nullptr) return malformed("is JSON but not an answer of the Prometheus API");
  const auto status = text_in(*object, "status");
  if (status == "error")
    return Error{Errc::refused,
                 shown(text_in(*object, "errorType")) + ": " + shown(text_in(*object, "error"))};
  const auto* data = object_in(*object, "data");
  if (status != "success" || data == nullptr)
    return malformed("is JSON but not an answer of the Prometheus API");
  PrometheusReply reply;
  if (auto taken = take_result(*data, reply); !taken) return taken.error();
  const auto* warnings = object->if_contains("warnings");
  if (warnings == nullptr || !warnings->is_array()) return reply;
  for (const auto& warning : warnings->get_array())
    if (warning.is_string() && reply.warnings.size() < warnings_max)
      reply.warnings.push_back(shown({warning.get_string().data(), warning.get_string().size()}));
  return reply;
}

}  // namespace tocsin::checks
