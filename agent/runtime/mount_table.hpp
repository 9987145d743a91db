#pragma once

#include <set>
#include <string>
#include <string_view>

#include "agent/runtime/descriptor.hpp"

namespace tocsin::runtime {

/// The mount points whose statvfs(2) cannot hang, from the text of /proc/PID/mountinfo: those of
/// types that answer from memory (ext2/3/4, xfs, btrfs, tmpfs, overlay and the like) and that are
/// reached through such mounts only. Of several mounts on one point the last one counts.
std::set<std::string> mounts_that_answer(std::string_view mountinfo);

/// Knows those of this process, and reads them again when the kernel says that mounts have changed
/// (proc(5): poll gives POLLPRI).
class MountTable {
 public:
  explicit MountTable(std::string mountinfo_path = "/proc/self/mountinfo");
  bool answers(const std::string& mount);

 private:
  void refresh();

  std::string path_;
  Descriptor mountinfo_;
  std::set<std::string> answering_;
  bool known_{false};
};

}  // namespace tocsin::runtime
