#pragma once

#include "tocsin/check/check.hpp"

namespace tocsin {

/// Runs a monitoring plugin, or any command that ends like one, without a shell.
CheckType exec_check();

}  // namespace tocsin
