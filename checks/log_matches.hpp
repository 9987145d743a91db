#pragma once

#include <re2/re2.h>
#include <re2/set.h>

#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "checks/log_patterns.hpp"
#include "checks/log_window.hpp"
#include "tocsin/model/incident.hpp"

namespace tocsin::checks {

/// Counts the lines that match each pattern within a window, and keeps the last of each for people.
/// All patterns are tried at once, so a line costs about the same however many there are.
class LogMatches {
 public:
  /// The patterns are known to be good.
  LogMatches(const LogPatterns& patterns, Duration window);

  void take(std::string_view line, SteadyTime now);
  /// By the patterns' order.
  std::uint64_t matches(std::size_t pattern, SteadyTime now) { return counts_[pattern].total(now); }
  /// A line for each pattern that matched within the window, and the last lines that did, newest
  /// last, without secrets. Each pattern has its share of them, however often another matched.
  void tell(Evidence& evidence, SteadyTime now);

 private:
  struct Kept {
    SteadyTime at{};
    std::uint64_t number{};  ///< Of all that were kept, in order.
    std::string text{};
  };
  void keep(std::string_view line, SteadyTime now);
  std::vector<std::string> last_lines(SteadyTime now) const;

  std::vector<std::string> names_{};
  std::vector<SlidingCount> counts_{};
  std::unique_ptr<RE2::Set> set_{};
  std::vector<std::unique_ptr<RE2>> alone_{};  ///< For lines that the set runs out of memory on.
  std::vector<int> matching_{};
  std::vector<std::deque<Kept>> last_{};  ///< By pattern, oldest first.
  std::uint64_t kept_{0};
  Duration window_;
};

}  // namespace tocsin::checks
