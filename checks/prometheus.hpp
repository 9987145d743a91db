#pragma once

#include "tocsin/check/check.hpp"

namespace tocsin {

/// What a Prometheus answers to an instant query.
CheckType prometheus_check();

}  // namespace tocsin
