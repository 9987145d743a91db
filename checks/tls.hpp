#pragma once

#include "tocsin/check/check.hpp"

namespace tocsin {

/// How long a server's certificates last, or those of a file, and whether they are to be trusted.
CheckType tls_check();

}  // namespace tocsin
