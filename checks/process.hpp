#pragma once

#include "tocsin/check/check.hpp"

namespace tocsin {

/// Whether processes run that match a description, and how they fare.
CheckType process_check();

}  // namespace tocsin
