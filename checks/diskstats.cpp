#include "checks/diskstats.hpp"

#include <algorithm>

#include "checks/words.hpp"

namespace tocsin::checks {
namespace {

constexpr std::string_view path = "/proc/diskstats";
constexpr double sector_bytes = 512;  // Whatever the device's own sectors are.

bool is_digit(char c) { return c >= '0' && c <= '9'; }

double risen(std::uint64_t before, std::uint64_t after) {
  return static_cast<double>(after - before);
}

/// Milliseconds wrap at 32 bits.
double risen_ms(std::uint64_t before, std::uint64_t after) {
  return static_cast<double>(static_cast<std::uint32_t>(after) -
                             static_cast<std::uint32_t>(before));
}

}  // namespace

Result<std::vector<DiskCounters>> parse_disk_counters(std::string_view text) {
  std::vector<DiskCounters> disks;
  while (!text.empty()) {
    const auto line = take_line(text);
    Words words{line};
    if (words.next().empty()) continue;
    words.skip(1);  // major and minor number
    DiskCounters disk;
    disk.name = words.next();
    std::uint64_t merged{};
    std::uint64_t* const columns[] = {&disk.reads,           &merged,          &disk.sectors_read,
                                      &disk.reading_ms,      &disk.writes,     &merged,
                                      &disk.sectors_written, &disk.writing_ms, &disk.in_flight,
                                      &disk.busy_ms,         &disk.waiting_ms};
    for (auto* column : columns) {
      const auto value = words.number();
      if (!value) return malformed(path, "eleven numbers after a device's name", line);
      *column = *value;
    }
    disks.push_back(disk);
  }
  return disks;
}

std::optional<DiskWork> work_between(const DiskCounters& before, const DiskCounters& after,
                                     double seconds) {
  if (seconds <= 0 || after.reads < before.reads || after.writes < before.writes ||
      after.sectors_read < before.sectors_read || after.sectors_written < before.sectors_written)
    return std::nullopt;
  const auto reads = risen(before.reads, after.reads);
  const auto writes = risen(before.writes, after.writes);
  const auto spent_ms =
      risen_ms(before.reading_ms, after.reading_ms) + risen_ms(before.writing_ms, after.writing_ms);
  DiskWork work;
  work.reads_per_second = reads / seconds;
  work.writes_per_second = writes / seconds;
  work.read_bytes_per_second =
      risen(before.sectors_read, after.sectors_read) * sector_bytes / seconds;
  work.write_bytes_per_second =
      risen(before.sectors_written, after.sectors_written) * sector_bytes / seconds;
  work.completed = reads + writes > 0;
  if (work.completed) work.await_seconds = spent_ms / 1000 / (reads + writes);
  // The kernel rounds to its ticks, so that a busy device may seem busier than time allows.
  work.utilisation_ratio = std::min(1.0, risen_ms(before.busy_ms, after.busy_ms) / 1000 / seconds);
  work.queue_depth = risen_ms(before.waiting_ms, after.waiting_ms) / 1000 / seconds;
  return work;
}

bool names_a_partition(std::string_view name) {
  if (name.empty() || !is_digit(name.back())) return false;
  const auto last = name.find_last_not_of("0123456789");
  if (last == std::string_view::npos) return false;
  const auto stem = name.substr(0, last + 1);
  // Disks whose own name ends in a digit put a p between.
  for (const std::string_view disk : {"nvme", "mmcblk", "nbd", "md"})
    if (stem.substr(0, disk.size()) == disk)
      return stem.size() > disk.size() + 1 && stem.back() == 'p' && is_digit(stem[stem.size() - 2]);
  for (const std::string_view disk : {"sd", "vd", "xvd", "hd"})
    if (stem.size() > disk.size() && stem.substr(0, disk.size()) == disk) return true;
  return false;
}

}  // namespace tocsin::checks
