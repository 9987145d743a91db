// Whatever a file of the host holds, its parser answers with numbers in their range or an error
// with words.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "checks/loadavg.hpp"
#include "checks/meminfo.hpp"
#include "checks/mountinfo.hpp"
#include "checks/proc_stat.hpp"
#include "checks/process_stat.hpp"
#include "checks/psi.hpp"

namespace {

using namespace tocsin;
using namespace tocsin::checks;

void expect(bool holds) {
  if (!holds) std::abort();
}
bool is_share(double value) { return value >= 0 && value <= 1 + 1e-9; }

/// An error says something; otherwise its value is looked at.
template <class T, class Look>
void judge(const Result<T>& result, Look look) {
  if (result)
    look(*result);
  else
    expect(!result.error().detail.empty());
}

void system_files(std::string_view text) {
  judge(parse_load_averages(text), [](const LoadAverages& averages) {
    expect(std::isfinite(averages.one) && averages.one >= 0);
    expect(std::isfinite(averages.fifteen) && averages.fifteen >= 0);
  });
  judge(parse_cpu_times(text), [](const CpuTimes& times) {
    const auto shares = shares_between({}, times);
    if (!shares) return;
    expect(is_share(shares->busy) && is_share(shares->iowait) && is_share(shares->steal));
    expect(is_share(shares->user + shares->system + shares->softirq + shares->steal));
  });
  judge(parse_task_counts(text), [](const TaskCounts& counts) { expect(counts.processors > 0); });
  judge(parse_memory_info(text), [](const MemoryInfo& info) {
    expect(info.total > 0 && info.available <= info.total);
    expect(info.swap_free <= info.swap_total);
  });
  judge(parse_paging_counts(text), [](const PagingCounts&) {});
  judge(parse_group_limit(text), [](const std::optional<std::uint64_t>&) {});
  judge(parse_pressure("/proc/pressure/io", text), [](const Pressure& pressure) {
    expect(is_share(pressure.some) && is_share(pressure.full.value_or(0)));
  });
  expect(parse_oom_victims(text, 3).size() <= 3);
}

void process_files(std::string_view text) {
  judge(parse_process_stat(text), [&](const ProcessStat& stat) {
    expect(stat.pid >= 0 && stat.comm.data() >= text.data());
    expect(stat.comm.data() + stat.comm.size() <= text.data() + text.size());
    (void)stat.alive();
  });
  judge(parse_effective_user(text), [](std::uint64_t) {});
  judge(parse_open_files_limit(text), [](std::uint64_t) {});
  judge(parse_storage_bytes(text), [](std::uint64_t) {});
  judge(parse_user_id(text, "root"), [](std::uint64_t) {});
}

void mount_files(std::string_view text) {
  judge(parse_mounts(text), [](const std::vector<Mount>& mounts) {
    expect(!mounts.empty());
    for (const auto& mount : mounts) expect(mount.point.front() == '/');
    expect(real_file_systems(mounts).size() <= mounts.size());
  });
  for (const auto& point : writable_in_fstab(text)) expect(point.front() == '/');
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  system_files(text);
  process_files(text);
  mount_files(text);
  return 0;
}
