#pragma once

#include "tocsin/check/check.hpp"

namespace tocsin {

/// Whether something accepts connections, speaks TLS, and answers as it should.
CheckType tcp_check();

}  // namespace tocsin
