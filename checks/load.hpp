#pragma once

#include "tocsin/check/check.hpp"

namespace tocsin {

/// Load averages, alone and per processor, and how many tasks run or wait for io.
CheckType load_check();

}  // namespace tocsin
