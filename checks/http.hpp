#pragma once

#include "tocsin/check/check.hpp"

namespace tocsin {

/// Whether an HTTP service answers, with what, how fast, and how long its certificate lasts.
CheckType http_check();

}  // namespace tocsin
