#pragma once

#include "tocsin/check/check.hpp"

namespace tocsin {

/// How the processors spend their time, with the waiting for io and what the hypervisor takes.
CheckType cpu_check();

}  // namespace tocsin
