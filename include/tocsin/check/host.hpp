#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tocsin/async/task.hpp"
#include "tocsin/base/error.hpp"
#include "tocsin/base/time.hpp"

namespace tocsin {

/// A file that is kept open and read from its start again and again with pread, as /proc and /sys
/// want it.
class HostFile {
 public:
  virtual ~HostFile() = default;
  /// The whole content now, valid until the next read. Bounded by limits::host_file_bytes. No
  /// allocation once the buffer has grown to the file's size. ESRCH and ENODEV (the process or
  /// device is gone) read as Errc::missing.
  virtual Result<std::string_view> read() = 0;
};

/// Which file it is, whatever its name, and how long.
struct FileIdentity {
  std::uint64_t device{};
  std::uint64_t inode{};
  std::uint64_t bytes{};
  bool same_file(const FileIdentity& other) const {
    return device == other.device && inode == other.inode;
  }
};

/// A file that grows at its end, as a log does. It stays the same file when it is renamed or
/// removed.
class GrowingFile {
 public:
  virtual ~GrowingFile() = default;
  virtual Result<FileIdentity> identity() const = 0;
  /// At most limits::growing_file_piece_bytes from there on; empty at its end. Valid until the next
  /// read.
  virtual Result<std::string_view> read_at(std::uint64_t offset) = 0;
};

/// The host's files below a root: "/" on a server, a fixture's folder in tests. Paths are absolute
/// ("/proc/stat").
class HostFiles {
 public:
  virtual ~HostFiles() = default;
  /// Opens for repeated reading. Errc::missing when there is no such file (an old kernel, a process
  /// that ended).
  virtual Result<std::unique_ptr<HostFile>> open(const std::string& path) const = 0;
  /// Reads once.
  virtual Result<std::string> read(const std::string& path) const = 0;
  /// Opens a regular file to be followed as it grows.
  virtual Result<std::unique_ptr<GrowingFile>> follow(const std::string& path) const = 0;
  /// Names in a folder, without "." and "..", unsorted.
  virtual Result<std::vector<std::string>> list(const std::string& path) const = 0;
  /// Where a symbolic link points.
  virtual Result<std::string> read_link(const std::string& path) const = 0;
  virtual int cpu_count() const = 0;  ///< Online processors ("/proc/stat" cpuN lines of this root).
  virtual std::uint64_t page_bytes() const = 0;
  virtual std::uint64_t clock_ticks()
      const = 0;  ///< Per second, for /proc/PID/stat (100 on Linux).
};

/// What statvfs says of a mounted file system.
struct FileSystemUsage {
  std::uint64_t block_bytes{};
  std::uint64_t blocks{};
  std::uint64_t blocks_free{};
  std::uint64_t blocks_available{};  ///< To unprivileged users: what "free" means.
  std::uint64_t inodes{};
  std::uint64_t inodes_free{};
  bool read_only{};
};

/// A file as its folder and stat(2) tell of it.
struct FoundFile {
  std::string path{};
  std::uint64_t bytes{};
  WallTime modified{};  ///< Its content; programs may set this to any time.
  WallTime changed{};   ///< Its inode: no program sets this, but renaming and the like touch it.
  friend bool operator==(const FoundFile&, const FoundFile&) = default;
};
/// The regular files that match a glob.
struct FoundFiles {
  std::vector<FoundFile> newest{};  ///< At most limits::files_found, newest content first.
  std::uint64_t matched{};          ///< How many there are in all.
  std::string missing{};  ///< A folder named in the pattern that does not exist, if that is why
                          ///< nothing matched.
  friend bool operator==(const FoundFiles&, const FoundFiles&) = default;
};

/// Calls that can hang in the kernel, made in a helper process so that a dead mount costs its own
/// check only. A path whose call has not returned answers Errc::stuck at once and is not called
/// again until it has.
class HelperProcess {
 public:
  virtual ~HelperProcess() = default;
  virtual Task<FileSystemUsage> file_system_usage(std::string mount, SteadyTime deadline) = 0;
  /// The regular files, or links to such, that match an absolute path whose parts may hold
  /// wildcards (glob(7); a leading dot is matched only by a dot). A file that several names lead to
  /// counts once. Errc::unreadable when a folder may not be read, Errc::too_large beyond
  /// limits::folder_entries.
  virtual Task<FoundFiles> find_files(std::string pattern, SteadyTime deadline) = 0;
};

/// What the kernel knows of how well the wall clock is kept in step (adjtimex(2)).
struct ClockDiscipline {
  bool synchronised{};       ///< A time daemon keeps it in step, and did so lately.
  Duration offset{};         ///< What the kernel still has to correct; may be negative.
  Duration maximum_error{};  ///< How far it may be off; grows until the daemon says otherwise.
  Duration estimated_error{};
  friend bool operator==(const ClockDiscipline&, const ClockDiscipline&) = default;
};
class KernelClock {
 public:
  virtual ~KernelClock() = default;
  virtual Result<ClockDiscipline> discipline() const = 0;
};

/// What became of a command.
struct CommandOutcome {
  int exit_code{-1};           ///< Meaningful when signal is 0.
  int signal{0};               ///< The signal that ended it, else 0.
  bool timed_out{false};       ///< It was ended by us, group and all, at the deadline.
  bool truncated{false};       ///< Output was cut at the bound; the rest was read and dropped.
  std::string output{};        ///< Standard output.
  std::string error_output{};  ///< Standard error.
  Duration took{};
};
struct CommandRequest {
  std::vector<std::string>
      command;  ///< Program (absolute, or looked up in PATH) and arguments. No shell.
  std::vector<std::string>
      environment{};  ///< "NAME=value", added to a small fixed environment with LC_ALL=C.
  std::string working_directory{"/"};
  std::size_t output_bytes_max{64u << 10};
  SteadyTime deadline{};
  /// When set, takes standard output piece by piece as it comes, however much it is, and the
  /// outcome's `output` stays empty. Called on the loop until the run is over, never after; it must
  /// not throw.
  std::function<void(std::string_view)> on_output{};
};

/// Starting and watching processes.
class Processes {
 public:
  virtual ~Processes() = default;
  /// Runs a command in its own session and process group, standard input empty, no inherited
  /// descriptors. At the deadline the group gets SIGTERM and, one second later, SIGKILL; every
  /// child is reaped. Errc::missing when the program does not exist, Errc::refused when it may not
  /// be run.
  virtual Task<CommandOutcome> run(CommandRequest request) = 0;
  /// Calls `on_exit` once, on the loop, when the process ends (pidfd). Dropping the watch forgets
  /// it. Errc::missing when there is no such process, Errc::unsupported when the kernel has no
  /// pidfd.
  struct Watch {
    virtual ~Watch() = default;
  };
  virtual Result<std::unique_ptr<Watch>> watch_exit(int pid, std::function<void()> on_exit) = 0;
};

/// Asks the kernel to tell when pressure passes a threshold (PSI triggers).
class PressureTriggers {
 public:
  virtual ~PressureTriggers() = default;
  struct Trigger {
    virtual ~Trigger() = default;
  };
  /// Writes `spec` ("some 150000 2000000": stall µs within window µs) to `path`
  /// ("/proc/pressure/memory") and calls `on_pressure` on the loop each time it fires.
  /// Errc::unsupported or Errc::refused where triggers are not offered: the averages remain.
  virtual Result<std::unique_ptr<Trigger>> arm(const std::string& path, const std::string& spec,
                                               std::function<void()> on_pressure) = 0;
};

}  // namespace tocsin
