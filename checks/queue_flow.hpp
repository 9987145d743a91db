#pragma once

#include <optional>
#include <string>
#include <vector>

#include "checks/queue_source.hpp"
#include "tocsin/base/time.hpp"

namespace tocsin::checks {

/// How a queue moves, per second.
struct QueueRates {
  std::optional<double> in{};
  std::optional<double> out{};
  std::optional<double> growth{};  ///< Of the depth; negative while it drains.
};

/// Follows a queue from look to look. Fixed in size, whatever the interval.
class QueueFlow {
 public:
  /// Counters and depths are compared with those of about this long ago: servers renew their
  /// numbers every few seconds only, so two looks one second apart would say nothing or too much.
  static constexpr Duration window = std::chrono::minutes{1};
  /// How far back growth is told.
  static constexpr Duration memory = std::chrono::hours{1};
  /// A queue that would take longer does not drain.
  static constexpr double drain_seconds_max = 30 * 86400;

  /// Takes a reading that is up. A counter that went back means that the server counts anew: what
  /// was known before is dropped.
  void note(const QueueReading& reading, SteadyTime now);
  /// Nothing known before may be compared with what comes: the host slept, or the server was away.
  void forget();

  const QueueRates& rates() const { return rates_; }
  /// Seconds until it is empty at the present rates: 0 when it is, at most `drain_seconds_max`,
  /// which also means never. Nothing while the rates are not known.
  std::optional<double> drain_seconds() const;
  /// "drains in about 14 min at the present rate", "does not drain: 12/s come in, 3/s go out", or
  /// "" when it is empty or nothing is known.
  std::string drain_estimate() const;
  /// "12/s come in, 3/s go out", or "" when neither is known.
  std::string rates_in_words() const;
  /// "grew from 120 to 5120 in 18m" since its lowest depth of the last hour, or "".
  std::string growth_in_words(SteadyTime now) const;

 private:
  struct Point {
    SteadyTime at{};
    double depth{};
    std::optional<double> in_total{}, out_total{};
  };
  struct Depth {
    SteadyTime at{};
    double depth{};
  };
  bool is_abandoned() const { return consumers_ && *consumers_ < 1; }
  void remember(const Point& point);
  QueueRates rates_since(const Point& before, const Point& now) const;

  std::vector<Point> points_{};  ///< Oldest first; at most one a second over the window.
  std::vector<Depth> depths_{};  ///< Oldest first; at most one a minute over the memory.
  QueueRates rates_{};
  double depth_{0};
  std::optional<double> consumers_{};
};

}  // namespace tocsin::checks
