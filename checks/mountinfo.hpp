#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tocsin/base/error.hpp"

namespace tocsin::checks {

/// One line of /proc/self/mountinfo (proc(5)), escapes undone.
struct Mount {
  std::string device;     ///< "254:0": the same for every mount of one file system.
  std::string root;       ///< What of the file system is mounted: "/" for all of it.
  std::string point;      ///< Where.
  std::string type;       ///< "ext4"
  std::string source;     ///< "/dev/vda1"
  bool read_only{false};  ///< The file system itself, not just this view of it (which a sandbox may
                          ///< well restrict).
  friend bool operator==(const Mount&, const Mount&) = default;
};
/// In the order mounted. Where several lie on one mount point, the last covers the others and stays
/// alone.
Result<std::vector<Mount>> parse_mounts(std::string_view mountinfo);

/// Those that hold data: no kernel interfaces, memory file systems, images (squashfs, loop
/// devices), container layers other than "/", files that a container runtime binds, and one mount
/// for each file system (the whole of it, else the shortest path).
std::vector<Mount> real_file_systems(const std::vector<Mount>& mounts);

/// The mount points that /etc/fstab wants writable.
std::vector<std::string> writable_in_fstab(std::string_view fstab);

}  // namespace tocsin::checks
