#pragma once

#include "tocsin/check/check.hpp"

namespace tocsin {

/// Memory that is left, swap, and processes killed for want of memory.
CheckType memory_check();

}  // namespace tocsin
