#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tocsin/check/check.hpp"

namespace tocsin::checks {

/// One process as evidence shows it.
struct ProcessRow {
  int pid{};
  std::string name{};
  char state{};
  std::uint64_t start_ticks{};
  std::uint64_t cpu_ticks{};
  std::uint64_t rss_bytes{};
  std::uint64_t threads{};
  std::uint64_t storage_bytes{};  ///< Read and written since it started, when we may know.
  double cores{};                 ///< Processors kept busy between the two looks.
  double storage_per_second{};    ///< Bytes read and written between the two looks.
};

/// What to find out about processes, each costing something.
struct ProcessQuestions {
  bool rates{false};    ///< Look twice, 200 ms apart, so that `cores` is known.
  bool storage{false};  ///< Read /proc/PID/io too; with rates.
};

/// Looks at every process (at most limits::processes_scanned), giving way to other work now and
/// then, until shortly before the context's deadline. What cannot be read is left out.
asio::awaitable<std::vector<ProcessRow>> look_at_processes(CheckContext& context,
                                                           ProcessQuestions questions);

/// Adds a line within the bounds of evidence; once they are reached, nothing.
void add_line(Evidence& evidence, std::string line);
/// "Most memory: mysqld (812) 5.2 GiB, …": the five that hold or use most. No line when nobody
/// does.
void add_top_memory(Evidence& evidence, const std::vector<ProcessRow>& rows);
void add_top_threads(Evidence& evidence, const std::vector<ProcessRow>& rows);
void add_top_cpu(Evidence& evidence, const std::vector<ProcessRow>& rows);
void add_top_storage(Evidence& evidence, const std::vector<ProcessRow>& rows);
/// "Waiting for io (state D): rsync (77) in nfs_wait_bit_killable, …", where the kernel tells.
void add_blocked(Evidence& evidence, const std::vector<ProcessRow>& rows, const HostFiles& files);

}  // namespace tocsin::checks
