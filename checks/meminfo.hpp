#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tocsin/base/error.hpp"

namespace tocsin::checks {

/// The parts of /proc/meminfo that matter here, in bytes.
struct MemoryInfo {
  std::uint64_t total{};
  std::uint64_t available{};  ///< Before Linux 3.14: free, buffers and cache without shared memory.
  std::uint64_t swap_total{};
  std::uint64_t swap_free{};
};
Result<MemoryInfo> parse_memory_info(std::string_view text);

/// The parts of /proc/vmstat that matter here: counts since boot.
struct PagingCounts {
  std::uint64_t pages_in{};                  ///< Pages read back from swap.
  std::uint64_t pages_out{};                 ///< Pages written to swap.
  std::optional<std::uint64_t> oom_kills{};  ///< Linux 4.13 and later.
};
Result<PagingCounts> parse_paging_counts(std::string_view text);

/// A control group's memory, in bytes; what tocsin may use of the host when it runs in a container.
struct GroupMemory {
  std::uint64_t limit{};
  std::uint64_t used{};         ///< With the page cache the group brought in.
  std::uint64_t reclaimable{};  ///< Of it, cache that is dropped first (inactive_file).
  std::uint64_t available() const {
    const auto held = used > reclaimable ? used - reclaimable : 0;
    return limit > held ? limit - held : 0;
  }
};
/// A limit as control groups write it: nothing for "max".
Result<std::optional<std::uint64_t>> parse_group_limit(std::string_view text);

/// The last processes the kernel's log says it killed for want of memory, newest last: "mysqld (pid
/// 123)". At most `most`.
std::vector<std::string> parse_oom_victims(std::string_view kernel_log, std::size_t most);

}  // namespace tocsin::checks
