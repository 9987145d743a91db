#pragma once

#include "tocsin/check/check.hpp"

namespace tocsin {

/// Whether the wall clock is kept in step with the world, as the kernel knows it.
CheckType clock_check();

}  // namespace tocsin
