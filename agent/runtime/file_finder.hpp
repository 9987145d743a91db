#pragma once

#include <string>
#include <string_view>

#include "tocsin/check/host.hpp"

namespace tocsin::runtime {

/// What looking for files came to: the files, or why and where it failed.
struct Finding {
  int failed_with{0};  ///< An errno; E2BIG beyond limits::folder_entries.
  std::string failed_at{};
  FoundFiles files{};
};

/// HelperProcess::find_files on the calling thread, where it may hang. Needs little stack.
Finding find_files_here(std::string_view pattern);

/// The most that pack makes. Far below what a Unix socket takes as one packet by default (200 KiB).
inline constexpr std::size_t packed_bytes_max = 96u << 10;
/// As bytes, for the way between two processes of one host; files beyond the bound are left out,
/// the oldest first.
std::string pack(const Finding& finding);
Result<Finding> unpack(std::string_view bytes);

}  // namespace tocsin::runtime
