#include "checks/proc_stat.hpp"

#include "checks/words.hpp"

namespace tocsin::checks {
namespace {

constexpr std::string_view path = "/proc/stat";

double risen(std::uint64_t before, std::uint64_t after) {
  return after > before ? static_cast<double>(after - before) : 0.0;
}

}  // namespace

Result<CpuTimes> parse_cpu_times(std::string_view text) {
  auto rest = text;
  const auto line = take_line(rest);
  Words words{line};
  if (words.next() != "cpu") return malformed(path, "'cpu' line at its start", text);
  CpuTimes times;
  // Kernels before 2.6.11 end after softirq; every column from iowait on was added later than the
  // first four.
  std::uint64_t* const columns[] = {&times.user,   &times.nice, &times.system,  &times.idle,
                                    &times.iowait, &times.irq,  &times.softirq, &times.steal};
  int read = 0;
  for (auto* column : columns) {
    const auto word = words.next();
    if (word.empty()) break;
    const auto value = to_number(word);
    if (!value) return malformed(path, "numbers on the 'cpu' line", line);
    *column = *value;
    ++read;
  }
  if (read < 4) return malformed(path, "four numbers on the 'cpu' line", line);
  return times;
}

std::optional<CpuShares> shares_between(const CpuTimes& before, const CpuTimes& after) {
  const double user = risen(before.user, after.user) + risen(before.nice, after.nice);
  const double system = risen(before.system, after.system);
  const double idle = risen(before.idle, after.idle);
  const double iowait = risen(before.iowait, after.iowait);
  const double irq = risen(before.irq, after.irq);
  const double softirq = risen(before.softirq, after.softirq);
  const double steal = risen(before.steal, after.steal);
  const double busy = user + system + irq + softirq + steal;
  const double total = busy + idle + iowait;
  if (total <= 0) return std::nullopt;
  return CpuShares{.busy = busy / total,
                   .user = user / total,
                   .system = system / total,
                   .iowait = iowait / total,
                   .steal = steal / total,
                   .softirq = softirq / total};
}

Result<TaskCounts> parse_task_counts(std::string_view text) {
  TaskCounts counts;
  auto rest = text;
  // The cpu lines come first; the long intr line follows and is not walked.
  for (auto line = take_line(rest); line.substr(0, 3) == "cpu"; line = take_line(rest)) {
    if (line.size() > 3 && line[3] >= '0' && line[3] <= '9') ++counts.processors;
  }
  if (counts.processors == 0) return malformed(path, "'cpu0' line", text);
  const auto running = number_after(rest, "procs_running ");
  const auto blocked = number_after(rest, "procs_blocked ");
  if (!running || !blocked) return malformed(path, "'procs_running' and 'procs_blocked'", text);
  counts.running = *running;
  counts.blocked = *blocked;
  return counts;
}

}  // namespace tocsin::checks
