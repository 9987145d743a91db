#pragma once

#include <sys/statvfs.h>

#include <cstdint>
#include <functional>

namespace tocsin::runtime {

/// The hidden first argument that makes the program a helper: `tocsin __statfs_helper`. The socket
/// is descriptor 3.
inline constexpr const char* statfs_helper_argument = "__statfs_helper";
inline constexpr int statfs_helper_descriptor = 3;
/// How many calls the helper has in the kernel at once; when all hang, further paths are refused.
inline constexpr std::size_t statfs_calls_at_once = 16;

using StatvfsFunction =
    std::function<int(const char* path, struct statvfs* into)>;  // As statvfs(3), errno included.

/// The life of the helper: answers questions from the socket `fd` (SOCK_SEQPACKET) until its other
/// end closes. Each call is made on a thread with a small stack, so that one that hangs holds up
/// nobody. Returns the exit code. main calls this before anything else, for the helper should stay
/// tiny.
int run_statfs_helper(int fd);
int run_statfs_helper(int fd, StatvfsFunction statvfs_function);

/// What the helper is asked to do.
enum class HelperCall : std::uint64_t {
  statvfs,     ///< The path is a mount; the answer is a StatfsAnswer.
  find_files,  ///< The path is a pattern; the answer is a StatfsAnswer without numbers and what
               ///< pack() makes.
};

/// What travels. One packet each, in the byte order of the host.
struct StatfsQuestion {
  std::uint64_t id{};
  HelperCall call{HelperCall::statvfs};
  char path[4096]{};  ///< PATH_MAX, ended by a zero; only the used part is sent.
};
struct StatfsAnswer {
  std::uint64_t id{};
  std::int32_t failed_with{};  ///< An errno; EBUSY when too many calls hang.
  std::int32_t read_only{};
  std::uint64_t block_bytes{}, blocks{}, blocks_free{}, blocks_available{}, inodes{}, inodes_free{};
};

}  // namespace tocsin::runtime
