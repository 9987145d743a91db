#include "agent/app/version.hpp"

#include <boost/version.hpp>

#ifndef TOCSIN_VERSION
#error "TOCSIN_VERSION comes from the build"
#endif

namespace tocsin::app {

std::string version() { return TOCSIN_VERSION; }

std::string revision() { return TOCSIN_REVISION; }

std::string version_line() {
  return "tocsin " + version() + " (" + revision() + "), g++ " __VERSION__ ", Boost " +
         std::to_string(BOOST_VERSION / 100000) + "." + std::to_string(BOOST_VERSION / 100 % 1000);
}

}  // namespace tocsin::app
