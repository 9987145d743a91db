#include "agent/runtime/host_identity.hpp"

#include <unistd.h>

#include <climits>

#include "tocsin/base/text.hpp"

namespace tocsin::runtime {

std::string host_name() {
  char name[HOST_NAME_MAX + 1]{};
  if (::gethostname(name, sizeof name - 1) != 0 || name[0] == '\0') return "localhost";
  return name;
}

Result<std::string> boot_id(const HostFiles& files) {
  const auto text = files.read("/proc/sys/kernel/random/boot_id");
  if (!text) return text.error();
  std::string id{trim(*text)};
  if (id.empty()) return Error{Errc::malformed, "/proc/sys/kernel/random/boot_id is empty"};
  return id;
}

}  // namespace tocsin::runtime
