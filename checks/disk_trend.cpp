#include "checks/disk_trend.hpp"

#include <algorithm>

namespace tocsin::checks {
namespace {

using Seconds = std::chrono::duration<double>;

// Ten years: slower than that is noise, not a forecast.
constexpr double hours_most = 24.0 * 365 * 10;

}  // namespace

DiskTrend::DiskTrend(Duration window)
    : window_{window},
      spacing_{window / static_cast<std::int64_t>(limits::disk_trend_points - 1)} {}

void DiskTrend::add(SteadyTime at, std::uint64_t free_bytes) {
  if (count_ > 0 && at - point(count_ - 1).at < spacing_) return;
  if (count_ == points_.size()) {
    first_ = (first_ + 1) % points_.size();
    --count_;
  }
  points_[(first_ + count_) % points_.size()] = {at, static_cast<double>(free_bytes)};
  ++count_;
  while (count_ > 1 && at - point(0).at > window_) {
    first_ = (first_ + 1) % points_.size();
    --count_;
  }
  slope_ = fitted();
}

void DiskTrend::clear() {
  first_ = 0;
  count_ = 0;
  slope_.reset();
}

std::optional<double> DiskTrend::hours_to_full(std::uint64_t free_bytes) const {
  if (!slope_ || *slope_ >= 0) return std::nullopt;
  const double hours = static_cast<double>(free_bytes) / -*slope_ / 3600.0;
  if (hours > hours_most) return std::nullopt;
  return hours;
}

std::optional<double> DiskTrend::fitted() const {
  // A few points far apart are no trend either: a line through two of them is whatever happened
  // between.
  constexpr std::size_t points_least = 4;
  if (count_ < points_least || point(count_ - 1).at - point(0).at < window_ / 2)
    return std::nullopt;
  const auto since_first = [this](std::size_t i) {
    return Seconds{point(i).at - point(0).at}.count();
  };
  double mean_time = 0;
  double mean_free = 0;
  for (std::size_t i = 0; i < count_; ++i) {
    mean_time += since_first(i);
    mean_free += point(i).free;
  }
  mean_time /= static_cast<double>(count_);
  mean_free /= static_cast<double>(count_);
  double together = 0;
  double alone = 0;
  for (std::size_t i = 0; i < count_; ++i) {
    const double time = since_first(i) - mean_time;
    together += time * (point(i).free - mean_free);
    alone += time * time;
  }
  if (alone <= 0) return std::nullopt;
  return together / alone;
}

}  // namespace tocsin::checks
