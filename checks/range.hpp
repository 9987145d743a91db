#pragma once

#include <string_view>

#include "tocsin/base/error.hpp"

namespace tocsin::checks {

/// A threshold as monitoring plugins write it: `[@][start:]end` (Monitoring Plugins guidelines,
/// "Range expressions"). Outside of it is bad; with '@', inside of it, bounds included.
struct Range {
  double start{0};
  double end{0};
  bool inside{false};
  /// NaN is never bad.
  bool alerts(double value) const;
  friend bool operator==(const Range&, const Range&) = default;
};

/// "10", "10:", "~:10", "10:20", "@10:20", ":10". Errc::malformed otherwise, and for start > end.
Result<Range> parse_range(std::string_view text);

}  // namespace tocsin::checks
