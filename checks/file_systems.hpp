#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "checks/disk_trend.hpp"
#include "checks/kept_file.hpp"
#include "checks/mountinfo.hpp"

namespace tocsin::checks {

/// A file system that is watched, and what was last seen of it.
struct FileSystem {
  Mount mount{};
  std::string label{};         ///< The mount point as valid UTF-8, for samples and sentences.
  bool mounted{true};          ///< False for one that was asked for and is not there.
  bool to_be_writable{false};  ///< It was writable when we saw it, or fstab says so.
  bool stuck{false};
  std::optional<FileSystemUsage> usage{};
  DiskTrend trend;

  bool turned_read_only() const { return mount.read_only && to_be_writable; }
};

/// The file systems to watch: those asked for, or all that hold data. What was learnt of one lasts
/// while it stays mounted.
class FileSystems {
 public:
  /// `wanted` empty: every real file system but `unwanted`.
  FileSystems(std::vector<std::string> wanted, std::vector<std::string> unwanted, Duration window)
      : wanted_{std::move(wanted)}, unwanted_{std::move(unwanted)}, window_{window} {}

  /// Reads the mount table; parses it only when it changed. Errc::too_large beyond
  /// limits::file_systems_per_check.
  Result<void> refresh(const HostFiles& files);
  std::vector<FileSystem>& all() { return all_; }

 private:
  Result<std::vector<FileSystem>> chosen(std::string_view table) const;

  std::vector<std::string> wanted_;
  std::vector<std::string> unwanted_;
  Duration window_;
  KeptFile table_{"/proc/self/mountinfo"};
  std::string table_text_;
  std::vector<FileSystem> all_;
};

/// Free as a share of what unprivileged users may have at all, as df counts. Nothing for a file
/// system without blocks.
std::optional<double> free_share(const FileSystemUsage& usage);
std::uint64_t free_bytes(const FileSystemUsage& usage);
/// Nothing where inodes are made on demand (btrfs).
std::optional<double> inodes_used_share(const FileSystemUsage& usage);
/// One line as df might print it, with its speed: "/data (ext4, /dev/vdb1): 97.1% used, …".
std::string describe_file_system(const FileSystem& system);

}  // namespace tocsin::checks
