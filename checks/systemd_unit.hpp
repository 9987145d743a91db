#pragma once

#include "tocsin/check/check.hpp"

namespace tocsin {

/// Whether units of systemd are up.
CheckType systemd_unit_check();

}  // namespace tocsin
