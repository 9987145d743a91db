#pragma once

#include <optional>

#include "checks/kept_file.hpp"
#include "checks/meminfo.hpp"

namespace tocsin::checks {

/// The memory limit of the container that we run in, if we do and it has one. Read at the root of
/// the control groups as we see them: on a host that root has no limit, in a container it is the
/// container's own group. (A limit set on our own service says nothing of the host, and is rightly
/// not seen.)
class GroupMemoryReader {
 public:
  /// Nothing when there is no limit, or none below `host_total`.
  Result<std::optional<GroupMemory>> read(const HostFiles& files, std::uint64_t host_total);
  /// The kills the container's group counted, where the kernel says so. Call after read found a
  /// limit.
  std::optional<std::uint64_t> oom_kills(const HostFiles& files);
  /// How much of its swap the container used, from 0 to 1, where it has a limit of its own.
  std::optional<double> swap_used(const HostFiles& files);

 private:
  enum class Version {
    unknown,  ///< Not looked yet.
    none,     ///< No control groups that we could see.
    one,      ///< Separate hierarchies, /sys/fs/cgroup/memory.
    two,      ///< The unified hierarchy.
  };
  struct Files {
    KeptFile limit;
    KeptFile used;
    KeptFile details;
    KeptFile kills;
  };
  Files& place() { return version_ == Version::one ? one_ : two_; }
  void find_version(const HostFiles& files);

  Version version_{Version::unknown};
  Files two_{KeptFile{"/sys/fs/cgroup/memory.max"}, KeptFile{"/sys/fs/cgroup/memory.current"},
             KeptFile{"/sys/fs/cgroup/memory.stat"}, KeptFile{"/sys/fs/cgroup/memory.events"}};
  Files one_{KeptFile{"/sys/fs/cgroup/memory/memory.limit_in_bytes"},
             KeptFile{"/sys/fs/cgroup/memory/memory.usage_in_bytes"},
             KeptFile{"/sys/fs/cgroup/memory/memory.stat"},
             KeptFile{"/sys/fs/cgroup/memory/memory.oom_control"}};
  KeptFile swap_limit_{"/sys/fs/cgroup/memory.swap.max"};
  KeptFile swap_used_{"/sys/fs/cgroup/memory.swap.current"};
};

}  // namespace tocsin::checks
