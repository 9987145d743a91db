// Block devices' counters, the kernel's tables, and what a backup check kept of its last life.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "checks/backup_files.hpp"
#include "checks/diskstats.hpp"
#include "checks/kernel_tables.hpp"
#include "checks/wildcard.hpp"

namespace {

using namespace tocsin;
using namespace tocsin::checks;

void expect(bool holds) {
  if (!holds) std::abort();
}

void disks(std::string_view text) {
  const auto counters = parse_disk_counters(text);
  if (!counters) return expect(!counters.error().detail.empty());
  for (std::size_t i = 1; i < counters->size(); ++i) {
    const auto work = work_between((*counters)[i - 1], (*counters)[i], 10);
    if (!work) continue;
    for (const auto number : {work->await_seconds, work->queue_depth, work->reads_per_second,
                              work->write_bytes_per_second})
      expect(std::isfinite(number) && number >= 0);
    expect(work->utilisation_ratio >= 0 && work->utilisation_ratio <= 1);
  }
  for (const auto& disk : *counters) (void)names_a_partition(disk.name);
}

void tables(std::string_view text) {
  if (const auto handles = parse_file_handles(text)) expect(handles->ratio() >= 0);
  (void)parse_task_count(text);
  (void)parse_single_number("/proc/x", text);
  (void)parse_pids_limit(text);
}

void history(std::string_view text) {
  BackupHistory first;
  first.read(text);
  BackupHistory second;
  second.read(first.to_text());
  expect(first.to_text() == second.to_text());
  const auto lines = first.to_text();
  expect(static_cast<std::size_t>(std::count(lines.begin(), lines.end(), '\n')) <=
         BackupHistory::sizes_compared + 1);
  (void)first.median_before({"/x", 1, WallTime::max(), {}});
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  disks(text);
  tables(text);
  history(text);
  expect(matches_wildcard(text, text) && matches_wildcard("*", text));
  return 0;
}
