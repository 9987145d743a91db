#include "checks/late_library.hpp"

#include <dlfcn.h>

namespace tocsin::checks {

Result<void> LateLibrary::load() {
  std::call_once(once_, [this] {
    handle_ = ::dlopen(file_, RTLD_NOW | RTLD_LOCAL);
    if (handle_ != nullptr) return;
    const char* said = ::dlerror();
    fault_ = std::string{"needs "} + file_ + ", which cannot be loaded (" +
             (said == nullptr ? "no reason was given" : said) + "): apt-get install " + package_;
  });
  if (handle_ == nullptr) return Error{Errc::missing, fault_};
  return {};
}

void* LateLibrary::find(const char* function) {
  const bool is_there = static_cast<bool>(load());
  check_that(is_there, "a library is called that was not loaded");
  void* const address = ::dlsym(handle_, function);
  check_that(address != nullptr, function);
  return address;
}

}  // namespace tocsin::checks
