#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "tocsin/base/limits.hpp"
#include "tocsin/base/time.hpp"

namespace tocsin::checks {

/// How fast free space shrinks: a straight line (least squares) through the points of a window.
/// Fixed in size: points that come closer together than the window's share are not kept, and the
/// oldest make room.
class DiskTrend {
 public:
  explicit DiskTrend(Duration window);

  /// Takes a reading if enough time has passed since the last one that was kept.
  void add(SteadyTime at, std::uint64_t free_bytes);
  void clear();

  /// Bytes per second; positive while free space grows. Nothing until the points span half of the
  /// window.
  std::optional<double> bytes_per_second() const { return slope_; }
  /// Hours until nothing is free at that speed. Nothing when it is not shrinking, or too slowly to
  /// tell.
  std::optional<double> hours_to_full(std::uint64_t free_bytes) const;

 private:
  struct Point {
    SteadyTime at{};
    double free{};
  };
  const Point& point(std::size_t i) const { return points_[(first_ + i) % points_.size()]; }
  std::optional<double> fitted() const;

  Duration window_;
  Duration spacing_;
  std::array<Point, limits::disk_trend_points> points_{};
  std::size_t first_{0};
  std::size_t count_{0};
  std::optional<double> slope_{};
};

}  // namespace tocsin::checks
