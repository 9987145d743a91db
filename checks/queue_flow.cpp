#include "checks/queue_flow.hpp"

#include <algorithm>
#include <cmath>

#include "tocsin/base/text.hpp"

namespace tocsin::checks {
namespace {

constexpr Duration point_spacing = std::chrono::seconds{1};
constexpr Duration depth_spacing = std::chrono::minutes{1};

double seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

bool went_back(const std::optional<double>& before, const std::optional<double>& now) {
  return before && now && *now < *before;
}

std::optional<double> rate(const std::optional<double>& before, const std::optional<double>& now,
                           double passed) {
  if (!before || !now) return std::nullopt;
  return (*now - *before) / passed;
}

std::optional<double> or_else(std::optional<double> first, std::optional<double> second) {
  return first ? first : second;
}

/// "14 min": one unit, as people say it.
std::string rough(double duration_seconds) {
  struct Row {
    double below;
    double unit;
    const char* name;
  };
  constexpr Row table[] = {{90, 1, " s"}, {90 * 60, 60, " min"}, {48 * 3600, 3600, " h"}};
  for (const auto& row : table)
    if (duration_seconds < row.below)
      return std::to_string(static_cast<long>(std::ceil(duration_seconds / row.unit))) + row.name;
  return std::to_string(static_cast<long>(std::ceil(duration_seconds / 86400))) + " days";
}

std::string per_second(double rate_now) {
  return describe_number(std::round(rate_now * 100) / 100) + "/s";
}

}  // namespace

void QueueFlow::forget() {
  points_.clear();
  depths_.clear();
  rates_ = {};
  depth_ = 0;
  consumers_.reset();
}

QueueRates QueueFlow::rates_since(const Point& before, const Point& now) const {
  const auto passed = seconds(now.at - before.at);
  if (passed <= 0) return {};
  QueueRates rates{rate(before.in_total, now.in_total, passed),
                   rate(before.out_total, now.out_total, passed),
                   (now.depth - before.depth) / passed};
  // What is not counted follows from the depth.
  if (rates.in && !rates.out) rates.out = std::max(0.0, *rates.in - *rates.growth);
  if (rates.out && !rates.in) rates.in = std::max(0.0, *rates.out + *rates.growth);
  return rates;
}

void QueueFlow::note(const QueueReading& reading, SteadyTime now) {
  const Point point{now, reading.depth, reading.in_total, reading.out_total};
  if (!points_.empty() && (went_back(points_.back().in_total, point.in_total) ||
                           went_back(points_.back().out_total, point.out_total)))
    forget();
  while (points_.size() > 1 && now - points_.front().at > window) points_.erase(points_.begin());
  rates_ = {};
  depth_ = reading.depth;
  consumers_ = reading.consumers;
  if (!points_.empty()) rates_ = rates_since(points_.front(), point);
  if (!points_.empty() && is_abandoned()) {
    // Once nobody consumes, what was drained a minute ago says nothing any more.
    const auto recent = rates_since(points_.back(), point);
    const auto fallen = std::max(0.0, -recent.growth.value_or(0));
    rates_.out = point.out_total && points_.back().out_total ? recent.out : fallen;
    rates_.growth = recent.growth;
  }
  // What the server says lags behind its counters.
  if (points_.empty() || !point.in_total) rates_.in = or_else(rates_.in, reading.in_per_second);
  if (points_.empty() || !point.out_total) rates_.out = or_else(rates_.out, reading.out_per_second);
  if (!rates_.growth && rates_.in && rates_.out) rates_.growth = *rates_.in - *rates_.out;
  remember(point);
}

void QueueFlow::remember(const Point& point) {
  if (points_.empty() || point.at - points_.back().at >= point_spacing) points_.push_back(point);
  if (depths_.empty() || point.at - depths_.back().at >= depth_spacing)
    depths_.push_back({point.at, point.depth});
  const auto is_told = [&](const Depth& one) { return point.at - one.at <= memory; };
  depths_.erase(depths_.begin(), std::find_if(depths_.begin(), depths_.end(), is_told));
}

std::optional<double> QueueFlow::drain_seconds() const {
  if (depth_ <= 0) return 0;
  if (!rates_.growth) return std::nullopt;
  if (*rates_.growth >= 0) return drain_seconds_max;
  return std::min(depth_ / -*rates_.growth, drain_seconds_max);
}

std::string QueueFlow::rates_in_words() const {
  std::string words;
  if (rates_.in) words = per_second(*rates_.in) + " come in";
  if (rates_.out) words += (words.empty() ? "" : ", ") + per_second(*rates_.out) + " go out";
  return words;
}

std::string QueueFlow::drain_estimate() const {
  if (depth_ <= 0) return {};
  const auto left = drain_seconds();
  if (left && *left < drain_seconds_max)
    return "drains in about " + rough(*left) + " at the present rate";
  if (!left && !is_abandoned()) return {};
  std::string why = is_abandoned() ? "it has no consumers" : "";
  if (auto rates = rates_in_words(); !rates.empty())
    why += (why.empty() ? "" : "; ") + rates;
  else if (rates_.growth && *rates_.growth > 0)
    why += (why.empty() ? "" : "; ") + std::string{"it grows by "} + per_second(*rates_.growth);
  return "does not drain: " + (why.empty() ? "its depth does not fall" : why);
}

std::string QueueFlow::growth_in_words(SteadyTime now) const {
  const Depth* lowest = nullptr;
  for (const auto& one : depths_)
    if (lowest == nullptr || one.depth <= lowest->depth) lowest = &one;
  if (lowest == nullptr || lowest->depth >= depth_ || now <= lowest->at) return {};
  return "grew from " + describe_number(lowest->depth) + " to " + describe_number(depth_) + " in " +
         describe(now - lowest->at);
}

}  // namespace tocsin::checks
