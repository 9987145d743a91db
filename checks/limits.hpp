#pragma once

#include "tocsin/check/check.hpp"

namespace tocsin {

/// How near the kernel's tables are to their limits: file handles, process ids, tracked
/// connections.
CheckType limits_check();

}  // namespace tocsin
