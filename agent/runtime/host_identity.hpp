#pragma once

#include <string>

#include "tocsin/check/host.hpp"

namespace tocsin::runtime {

/// The name of this host as uname(2) has it; "localhost" when it has none.
std::string host_name();
/// Tells one boot from the next: /proc/sys/kernel/random/boot_id below the root.
Result<std::string> boot_id(const HostFiles& files);

}  // namespace tocsin::runtime
