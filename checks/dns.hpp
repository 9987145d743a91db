#pragma once

#include "tocsin/check/check.hpp"

namespace tocsin {

/// Whether a name is answered for, by whom, how fast, and with what it should be.
CheckType dns_check();

}  // namespace tocsin
