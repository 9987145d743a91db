#pragma once

#include <array>
#include <cstdint>

#include "tocsin/base/time.hpp"

namespace tocsin::checks {

/// How often something happened within the last while: sixty counters that are used in turn, so
/// that its cost does not depend on how often it happened.
class SlidingCount {
 public:
  static constexpr std::size_t slices = 60;
  explicit SlidingCount(Duration window) : slice_{window / slices} {}

  void add(SteadyTime now, std::uint64_t count = 1);
  /// Within the window that ends now, to a slice's precision.
  std::uint64_t total(SteadyTime now);

 private:
  void pass_to(SteadyTime now);
  Duration slice_;
  std::array<std::uint64_t, slices> counts_{};
  std::uint64_t total_{0};
  std::int64_t newest_{0};  ///< Which slice of time counts_[newest_ mod slices] is.
};

}  // namespace tocsin::checks
