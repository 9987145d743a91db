#include "checks/watched_processes.hpp"

#include <sys/wait.h>

#include <algorithm>
#include <iterator>

#include "tocsin/base/limits.hpp"

namespace tocsin::checks {
namespace {

std::string path_of(int pid, const char* file) {
  return "/proc/" + std::to_string(pid) + "/" + file;
}

std::string how_it_ended(int pid, int wait_status) {
  std::string words = "pid " + std::to_string(pid);
  if (WIFSIGNALED(wait_status)) {
    words += " was killed by signal " + std::to_string(WTERMSIG(wait_status));
    if (WCOREDUMP(wait_status)) words += " and dumped core";
    return words;
  }
  if (wait_status != 0)
    return words + " exited with code " + std::to_string(WEXITSTATUS(wait_status));
  return words + " ended";
}

}  // namespace

bool WatchedProcesses::update(Watched& watched, ProcessStat& stat) {
  const auto text = watched.file->read();
  if (!text) return false;
  const auto parsed = parse_process_stat(*text);
  if (!parsed) return false;
  stat = *parsed;
  if (!stat.alive()) return false;
  watched.start_ticks = stat.start_ticks;
  watched.cpu_ticks = stat.cpu_ticks;
  watched.rss_pages = stat.rss_pages;
  watched.threads = stat.threads;
  return true;
}

void WatchedProcesses::look() {
  const auto* const oldest = first();
  const int oldest_pid = oldest != nullptr ? oldest->pid : 0;
  std::erase_if(watched_, [&](Watched& watched) {
    ProcessStat stat;
    const auto start_ticks = watched.start_ticks;
    // A fixture's files outlive their process: the start time tells two of one id apart there.
    if (update(watched, stat) && watched.start_ticks == start_ticks) return false;
    last_end_ = how_it_ended(watched.pid, stat.wait_status);
    if (watched.pid == oldest_pid) first_ended_ = true;
    return true;
  });
}

std::optional<WatchedProcesses::Watched> WatchedProcesses::watch(int pid, const HostFiles& files,
                                                                 Processes& processes) const {
  auto file = files.open(path_of(pid, "stat"));
  if (!file) return std::nullopt;
  Watched watched{.pid = pid, .file = *std::move(file)};
  auto watch = processes.watch_exit(pid, on_exit_);
  if (watch)
    watched.watch = *std::move(watch);
  else if (watch.error().code == Errc::missing)
    return std::nullopt;
  // Read after the watch began: if the file's process is alive now, it is the one that is watched.
  ProcessStat stat;
  if (!update(watched, stat)) return std::nullopt;
  watched.cpu_ticks_taken = watched.cpu_ticks;
  return watched;
}

int WatchedProcesses::replace(const std::vector<int>& pids, const HostFiles& files,
                              Processes& processes) {
  std::vector<Watched> kept;
  kept.reserve(std::min(pids.size(), limits::processes_watched));
  unwatched_ = 0;
  int fresh = 0;
  for (const int pid : pids) {
    const auto known = std::find_if(watched_.begin(), watched_.end(),
                                    [&](const Watched& watched) { return watched.pid == pid; });
    if (known != watched_.end()) {
      kept.push_back(std::move(*known));
    } else if (kept.size() < limits::processes_watched) {
      auto watched = watch(pid, files, processes);
      if (!watched) continue;
      kept.push_back(*std::move(watched));
      ++fresh;
    } else {
      const auto text = files.read(path_of(pid, "stat"));
      if (!text) continue;
      const auto stat = parse_process_stat(*text);
      if (stat && stat->alive()) ++unwatched_;
    }
  }
  watched_ = std::move(kept);
  return fresh;
}

std::uint64_t WatchedProcesses::rss_pages() const {
  std::uint64_t sum = 0;
  for (const auto& watched : watched_) sum += watched.rss_pages;
  return sum;
}

std::uint64_t WatchedProcesses::threads() const {
  std::uint64_t sum = 0;
  for (const auto& watched : watched_) sum += watched.threads;
  return sum;
}

std::uint64_t WatchedProcesses::take_cpu_ticks() {
  std::uint64_t sum = 0;
  for (auto& watched : watched_) {
    if (watched.cpu_ticks > watched.cpu_ticks_taken)
      sum += watched.cpu_ticks - watched.cpu_ticks_taken;
    watched.cpu_ticks_taken = watched.cpu_ticks;
  }
  return sum;
}

const WatchedProcesses::Watched* WatchedProcesses::first() const {
  const auto found = std::min_element(
      watched_.begin(), watched_.end(),
      [](const Watched& a, const Watched& b) { return a.start_ticks < b.start_ticks; });
  return found == watched_.end() ? nullptr : &*found;
}

std::optional<std::uint64_t> WatchedProcesses::first_start_ticks() const {
  const auto* const oldest = first();
  if (oldest == nullptr) return std::nullopt;
  return oldest->start_ticks;
}

std::optional<int> WatchedProcesses::first_pid() const {
  const auto* const oldest = first();
  if (oldest == nullptr) return std::nullopt;
  return oldest->pid;
}

std::optional<double> WatchedProcesses::open_files_share(const HostFiles& files) const {
  std::optional<double> largest;
  for (const auto& watched : watched_) {
    const auto limits_text = files.read(path_of(watched.pid, "limits"));
    if (!limits_text) continue;
    const auto most = parse_open_files_limit(*limits_text);
    if (!most || *most == 0) continue;
    const auto open = files.list(path_of(watched.pid, "fd"));
    if (!open) continue;
    const double share = static_cast<double>(open->size()) / static_cast<double>(*most);
    if (!largest || share > *largest) largest = share;
  }
  return largest;
}

}  // namespace tocsin::checks
