#pragma once

#include <dirent.h>

#include <cstddef>

namespace tocsin::runtime {

/// How many descriptors this process has open, to prove that none leaked.
inline std::size_t open_descriptors() {
  std::size_t count = 0;
  DIR* const folder = ::opendir("/proc/self/fd");
  while (::readdir(folder) != nullptr) ++count;
  ::closedir(folder);
  return count;
}

}  // namespace tocsin::runtime
