#include "agent/runtime/pidfd.hpp"

#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace tocsin::runtime {

Result<Descriptor> open_pidfd(int pid) {
  // EINVAL is also what a number gets that is no process of its own, such as a thread's.
  if (pid <= 0) return Error{Errc::missing, "there is no process " + std::to_string(pid)};
  const auto opened = ::syscall(SYS_pidfd_open, pid, 0);
  if (opened >= 0) return Descriptor{static_cast<int>(opened)};
  if (errno == ESRCH || errno == EINVAL || errno == ENOENT) {
    return Error{Errc::missing, "there is no process " + std::to_string(pid)};
  }
  if (errno == ENOSYS || errno == EPERM) {  // EPERM: a sandbox that does not know the call.
    return Error{Errc::unsupported, "this kernel offers no pidfd (Linux 5.3 does)"};
  }
  return error_from_errno(errno, "watching process " + std::to_string(pid));
}

}  // namespace tocsin::runtime
