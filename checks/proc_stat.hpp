#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "tocsin/base/error.hpp"

namespace tocsin::checks {

/// The "cpu" line of /proc/stat: ticks since boot, over all processors (proc(5)). Guest time is
/// part of user and nice. Columns an old kernel does not have are 0.
struct CpuTimes {
  std::uint64_t user{};
  std::uint64_t nice{};
  std::uint64_t system{};
  std::uint64_t idle{};
  std::uint64_t iowait{};
  std::uint64_t irq{};
  std::uint64_t softirq{};
  std::uint64_t steal{};
};
Result<CpuTimes> parse_cpu_times(std::string_view text);

/// How the time between two readings was spent, each from 0 to 1.
struct CpuShares {
  double busy{};  ///< All but idle and iowait.
  double user{};  ///< With nice.
  double system{};
  double iowait{};
  double steal{};
  double softirq{};
};
/// Nothing when no time has passed. A counter that went backwards (iowait may, a processor may be
/// taken away) counts as standing still.
std::optional<CpuShares> shares_between(const CpuTimes& before, const CpuTimes& after);

/// What /proc/stat says of tasks.
struct TaskCounts {
  std::uint64_t processors{};  ///< Online now: its cpuN lines.
  std::uint64_t running{};
  std::uint64_t blocked{};  ///< Waiting for io (state D).
};
Result<TaskCounts> parse_task_counts(std::string_view text);

}  // namespace tocsin::checks
