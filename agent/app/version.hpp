#pragma once

#include <string>

namespace tocsin::app {

std::string version();       ///< "0.1.0"
std::string revision();      ///< Short commit, or "unknown" outside a checkout.
std::string version_line();  ///< "tocsin 0.1.0 (abc1234), g++ 12.2.0, Boost 1.81"

}  // namespace tocsin::app
