#pragma once

#include <string>
#include <string_view>

#include "tocsin/base/time.hpp"

namespace tocsin::checks {

/// The deadlocks that a run counted last. The count alone is gone a run later, when somebody looks.
class SeenDeadlocks {
 public:
  /// How long one is worth a line.
  static constexpr Duration told_for = std::chrono::minutes{10};

  void see(double count, SteadyTime now);
  /// "2 deadlocks, counted 4s ago; WHERE" — "" when there was none of late. `where`: what names
  /// those who were in it, which the count does not.
  std::string describe_at(SteadyTime now, std::string_view where) const;

 private:
  double count_{0};
  SteadyTime at_{};
};

}  // namespace tocsin::checks
