#include "checks/meminfo.hpp"

#include <algorithm>

#include "checks/words.hpp"
#include "tocsin/base/text.hpp"

namespace tocsin::checks {

Result<MemoryInfo> parse_memory_info(std::string_view text) {
  constexpr std::uint64_t kibibyte = 1024;
  constexpr std::uint64_t most = std::uint64_t{1}
                                 << 53;  // in bytes it still fits, with room to add
  const auto total = number_after(text, "MemTotal:");
  if (!total || *total == 0 || *total > most) return malformed("/proc/meminfo", "'MemTotal'", text);
  auto available = number_after(text, "MemAvailable:");
  if (!available) {
    const auto free = number_after(text, "MemFree:");
    if (!free) return malformed("/proc/meminfo", "'MemAvailable' or 'MemFree'", text);
    const auto cache =
        number_after(text, "Buffers:").value_or(0) + number_after(text, "Cached:").value_or(0);
    // Shared memory is counted as cache, but cannot be dropped.
    const auto shared = number_after(text, "Shmem:").value_or(0);
    available = *free + (cache > shared ? cache - shared : 0);
  }
  const auto swap_total = std::min(number_after(text, "SwapTotal:").value_or(0), most);
  const auto swap_free = number_after(text, "SwapFree:").value_or(swap_total);
  return MemoryInfo{.total = *total * kibibyte,
                    .available = std::min(*available, *total) * kibibyte,
                    .swap_total = swap_total * kibibyte,
                    .swap_free = std::min(swap_free, swap_total) * kibibyte};
}

Result<PagingCounts> parse_paging_counts(std::string_view text) {
  const auto in = number_after(text, "pswpin ");
  const auto out = number_after(text, "pswpout ");
  if (!in || !out) return malformed("/proc/vmstat", "'pswpin' and 'pswpout'", text);
  return PagingCounts{*in, *out, number_after(text, "oom_kill ")};
}

Result<std::optional<std::uint64_t>> parse_group_limit(std::string_view text) {
  const auto word = trim(text);
  if (word == "max") return std::optional<std::uint64_t>{};
  const auto value = to_number(word);
  if (!value) return malformed("the control group's memory limit", "number or 'max'", text);
  return value;
}

std::vector<std::string> parse_oom_victims(std::string_view kernel_log, std::size_t most) {
  std::vector<std::string> victims;
  // "Out of memory: Killed process 812 (mysqld) …", or "Memory cgroup out of memory: …"
  // (mm/oom_kill.c)
  constexpr std::string_view key = "Killed process ";
  for (auto at = kernel_log.rfind(key); at != std::string_view::npos && victims.size() < most;
       at = at == 0 ? std::string_view::npos : kernel_log.rfind(key, at - 1)) {
    auto rest = kernel_log.substr(at + key.size());
    auto line = take_line(rest);
    const auto pid = Words{line}.next();
    const auto open = line.find('(');
    const auto close = line.find(')', open == std::string_view::npos ? 0 : open);
    if (!to_number(pid.substr(0, pid.find(','))) || open == std::string_view::npos ||
        close == std::string_view::npos)
      continue;
    victims.push_back(
        clean_utf8(line.substr(open + 1, std::min<std::size_t>(close - open - 1, 64))) + " (pid " +
        std::string{pid.substr(0, pid.find(','))} + ")");
  }
  std::reverse(victims.begin(), victims.end());
  return victims;
}

}  // namespace tocsin::checks
