#pragma once

#include "tocsin/check/check.hpp"

namespace tocsin {

/// How busy block devices are and how long they take, from /proc/diskstats.
CheckType disk_io_check();

}  // namespace tocsin
