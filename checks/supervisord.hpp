#pragma once

#include "tocsin/check/check.hpp"

namespace tocsin {

/// Whether a supervisord answers and its programs run.
CheckType supervisord_check();

}  // namespace tocsin
