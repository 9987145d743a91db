#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace tocsin::runtime {

/// A stretch of this process's address space.
struct MappedRange {
  std::uintptr_t begin{0};
  std::size_t bytes{0};
  friend bool operator==(const MappedRange&, const MappedRange&) = default;
};

/// The stretches of /proc/PID/smaps that are nothing but unchanged pages of files: mapped from a
/// file, not writable, and without a single page of our own (a relocated table is read-only too,
/// but its pages exist nowhere else). What does not parse is left out.
std::vector<MappedRange> unchanged_file_pages(std::string_view smaps);

/// Lets go of every page of programs and libraries that start-up touched: parsing the
/// configuration, opening the store and setting up TLS run once, and what they used would be
/// counted as ours for ever. The kernel keeps the files' pages cached and maps those that are
/// needed again, at the cost of a minor fault each. Returns how many bytes were let go; 0 when
/// /proc cannot be read.
std::size_t forget_startup_pages();

}  // namespace tocsin::runtime
