#pragma once

#include "tocsin/check/check.hpp"

namespace tocsin {

/// How much work stands still for want of cpu, memory or io (PSI).
CheckType pressure_check();

}  // namespace tocsin
