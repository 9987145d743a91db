#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "tocsin/base/error.hpp"

namespace tocsin::checks {

/// One line of /proc/diskstats (Documentation/admin-guide/iostats.rst). All but `in_flight` count
/// since boot. The kernel keeps the milliseconds in 32 bits, so they wrap. `name` points into the
/// text that was parsed.
struct DiskCounters {
  std::string_view name;
  std::uint64_t reads{};  ///< Completed.
  std::uint64_t sectors_read{};
  std::uint64_t reading_ms{};  ///< Added up over the requests.
  std::uint64_t writes{};
  std::uint64_t sectors_written{};
  std::uint64_t writing_ms{};
  std::uint64_t in_flight{};
  std::uint64_t busy_ms{};     ///< With at least one request in flight.
  std::uint64_t waiting_ms{};  ///< Added up over the requests.
};

/// Calls `each` for every line, in the kernel's order; lines of another form are malformed.
Result<std::vector<DiskCounters>> parse_disk_counters(std::string_view text);

/// What a device did between two readings.
struct DiskWork {
  double reads_per_second{};
  double writes_per_second{};
  double read_bytes_per_second{};
  double write_bytes_per_second{};
  double await_seconds{};      ///< Mean time of a request that was completed; 0 without any.
  double utilisation_ratio{};  ///< Share of the time with at least one request in flight.
  double queue_depth{};        ///< Requests in flight, on average.
  bool completed{};            ///< At least one request was completed.
};
/// Nothing when a counter fell, as when the device was taken away and put back.
std::optional<DiskWork> work_between(const DiskCounters& before, const DiskCounters& after,
                                     double seconds);

/// Whether a name is one of a partition of such disks as are known to have them (sda1, nvme0n1p2):
/// for hosts that show no /sys/block.
bool names_a_partition(std::string_view name);

}  // namespace tocsin::checks
