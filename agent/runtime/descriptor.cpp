#include "agent/runtime/descriptor.hpp"

#include <cerrno>
#include <system_error>

namespace tocsin::runtime {

std::string errno_words(int number) { return std::generic_category().message(number); }

Error error_from_errno(int number, const std::string& doing) {
  const bool gone = number == ENOENT || number == ENOTDIR || number == ESRCH || number == ENODEV ||
                    number == ENXIO;
  return {gone ? Errc::missing : Errc::unreadable, doing + " failed: " + errno_words(number)};
}

}  // namespace tocsin::runtime
