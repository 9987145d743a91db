#pragma once

#include <cstdint>
#include <string_view>

#include "tocsin/base/error.hpp"

namespace tocsin::checks {

/// What /proc/PID/stat says (proc(5)); `comm` points into the text that was parsed.
struct ProcessStat {
  int pid{};
  std::string_view comm{};  ///< At most 15 bytes; may hold blanks and parentheses.
  char state{};             ///< R running, S sleeping, D waiting for io, Z zombie, X dead, …
  int parent{};
  std::uint64_t cpu_ticks{};  ///< User and system time of all its threads.
  std::uint64_t threads{};
  std::uint64_t start_ticks{};  ///< Since boot: with the pid, this names one process for good.
  std::uint64_t rss_pages{};
  int wait_status{};  ///< As waitpid(2) gives it, once it is a zombie and if we may see it; else 0.

  /// A zombie has ended and only waits to be reaped, unless just its first thread has ended and
  /// others go on.
  bool alive() const { return state == 'Z' ? threads > 1 : state != 'X' && state != 'x'; }
};
Result<ProcessStat> parse_process_stat(std::string_view text);

/// The effective user id in /proc/PID/status.
Result<std::uint64_t> parse_effective_user(std::string_view status);
/// A number from the "Max open files" line of /proc/PID/limits: the soft limit, or 0 for
/// "unlimited".
Result<std::uint64_t> parse_open_files_limit(std::string_view limits);
/// The bytes a process had read from and written to storage, of /proc/PID/io.
Result<std::uint64_t> parse_storage_bytes(std::string_view io);
/// A user's number in the text of /etc/passwd. Errc::missing when it is not there.
Result<std::uint64_t> parse_user_id(std::string_view passwd, std::string_view user);

}  // namespace tocsin::checks
