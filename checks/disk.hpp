#pragma once

#include "tocsin/check/check.hpp"

namespace tocsin {

/// Space, inodes, time to full, read-only and stuck file systems, per mount.
CheckType disk_check();

}  // namespace tocsin
