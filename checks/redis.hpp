#pragma once

#include "tocsin/check/check.hpp"

namespace tocsin {

/// Whether a Redis server answers, and how its memory, replication and saving are.
CheckType redis_check();

}  // namespace tocsin
