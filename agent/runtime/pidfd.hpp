#pragma once

#include "agent/runtime/descriptor.hpp"
#include "tocsin/base/error.hpp"

namespace tocsin::runtime {

/// A descriptor that becomes readable when the process has ended (pidfd_open(2)). Needs no
/// permission and no kinship. Errc::missing when there is no such process, Errc::unsupported when
/// the kernel has no pidfd.
Result<Descriptor> open_pidfd(int pid);

}  // namespace tocsin::runtime
