#include "agent/runtime/memory_map.hpp"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

namespace tocsin::runtime {
namespace {

constexpr auto smaps =
    "1000-3000 r-xp 00001000 fe:00 11 /usr/bin/tocsin\n"
    "Size:                  8 kB\n"
    "Rss:                   8 kB\n"
    "Anonymous:             0 kB\n"
    "VmFlags: rd ex mr mw me\n"
    "4000-5000 r--p 00004000 fe:00 11 /usr/bin/tocsin\n"
    "Rss:                   4 kB\n"
    "Anonymous:             4 kB\n"
    "VmFlags: rd mr mw me\n"
    "5000-6000 rw-p 00005000 fe:00 11 /usr/bin/tocsin\n"
    "Anonymous:             0 kB\n"
    "7000-9000 rw-p 00000000 00:00 0 [heap]\n"
    "Anonymous:             0 kB\n"
    "a000-b000 r-xp 00000000 00:00 0 [vdso]\n"
    "Anonymous:             0 kB\n"
    "c000-d000 r--p 00000000 fe:00 12 /usr/lib/libc.so.6\n"
    "Anonymous:             0 kB\n";

TEST(MemoryMap, FindsWhatIsOnlyTheFilesOwn) {
  const std::vector<MappedRange> wanted{{0x1000, 0x2000}, {0xc000, 0x1000}};
  EXPECT_EQ(unchanged_file_pages(smaps), wanted);
}

TEST(MemoryMap, LeavesOutWhatItCannotRead) {
  EXPECT_TRUE(unchanged_file_pages("").empty());
  EXPECT_TRUE(unchanged_file_pages("zz-3000 r-xp 0 fe:00 1 /x\nAnonymous: 0 kB\n").empty());
  EXPECT_TRUE(unchanged_file_pages("3000-1000 r-xp 0 fe:00 1 /x\nAnonymous: 0 kB\n").empty());
  EXPECT_TRUE(unchanged_file_pages("1000-3000 r-xp 0 fe:00 1 /x\n").empty());
}

TEST(MemoryMap, ForgettingLosesNothing) {
  EXPECT_GT(forget_startup_pages(), 0U);
  // Code, constants and relocated tables still are what they were: this runs all three.
  EXPECT_EQ(std::to_string(1.5).substr(0, 3), "1.5");
  EXPECT_THROW(throw std::runtime_error{"unwound through a forgotten library"}, std::runtime_error);
}

}  // namespace
}  // namespace tocsin::runtime
