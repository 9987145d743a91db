#pragma once

#include "tocsin/check/check.hpp"

namespace tocsin {

/// How long a queue is, whether anybody works on it, and when it will be empty.
CheckType queue_check();

}  // namespace tocsin
