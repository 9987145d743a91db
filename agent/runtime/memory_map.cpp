#include "agent/runtime/memory_map.hpp"

#include <malloc.h>
#include <sys/mman.h>

#include <charconv>
#include <optional>

#include "agent/runtime/host_files.hpp"
#include "tocsin/base/text.hpp"

namespace tocsin::runtime {

namespace {

/// The head of a mapping: "55d0c4a3e000-55d0c4b00000 r-xp 0003e000 fe:00 123 /usr/bin/tocsin".
std::optional<MappedRange> file_backed_head(std::string_view line) {
  std::uintptr_t begin{0};
  std::uintptr_t end{0};
  const auto* const last = line.data() + line.size();
  const auto first = std::from_chars(line.data(), last, begin, 16);
  if (first.ec != std::errc{} || first.ptr == last || *first.ptr != '-') return std::nullopt;
  const auto second = std::from_chars(first.ptr + 1, last, end, 16);
  if (second.ec != std::errc{} || end <= begin) return std::nullopt;
  const std::string_view rest{second.ptr, static_cast<std::size_t>(last - second.ptr)};
  const auto unwritable = rest.starts_with(" r-xp ") || rest.starts_with(" r--p ");
  if (!unwritable || rest.find(" /") == std::string_view::npos) return std::nullopt;
  return MappedRange{begin, end - begin};
}

bool is_head(std::string_view line) {
  return !line.empty() && line.find('-') < line.find(' ') && line.front() != 'V';
}

}  // namespace

std::vector<MappedRange> unchanged_file_pages(std::string_view smaps) {
  std::vector<MappedRange> out;
  std::optional<MappedRange> head;
  for (const auto line : split(smaps, '\n')) {
    if (is_head(line)) {
      head = file_backed_head(line);
    } else if (head && line.starts_with("Anonymous:")) {
      if (trim(line.substr(10)) == "0 kB") out.push_back(*head);
      head.reset();
    }
  }
  return out;
}

std::size_t forget_startup_pages() {
  malloc_trim(0);
  const auto smaps = RootedFiles{}.read("/proc/self/smaps");
  if (!smaps) return 0;
  std::size_t bytes = 0;
  for (const auto& range : unchanged_file_pages(*smaps)) {
    // The range is of this very process and holds no page of its own: dropping it cannot lose
    // anything.
    auto* const address =
        reinterpret_cast<void*>(range.begin);  // NOLINT(performance-no-int-to-ptr)
    if (madvise(address, range.bytes, MADV_DONTNEED) == 0) bytes += range.bytes;
  }
  return bytes;
}

}  // namespace tocsin::runtime
