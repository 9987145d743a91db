#include "tocsin/base/text.hpp"

#include <gtest/gtest.h>

#include <array>
#include <limits>

namespace tocsin {
namespace {

TEST(CutCharacters, KeepsWhatFitsAndMarksWhatDoesNot) {
  EXPECT_EQ(cut_characters("short", 5), "short");
  EXPECT_EQ(cut_characters("longer", 5), "long…");
  EXPECT_EQ(cut_characters("äöü€", 3), "äö…");
  EXPECT_EQ(cut_characters("äöü", 3), "äöü");
  EXPECT_EQ(cut_characters("anything", 0), "");
  EXPECT_EQ(cut_characters("ab", 1), "…");
}

TEST(CutCharacters, ReplacesInvalidBytes) {
  EXPECT_EQ(cut_characters("a\xFF"
                           "b",
                           10),
            "a\xEF\xBF\xBD"
            "b");
  EXPECT_EQ(cut_characters("\xC0\xAF", 10), "\xEF\xBF\xBD\xEF\xBF\xBD") << "overlong";
  EXPECT_EQ(cut_characters("\xED\xA0\x80", 10).size(), 9u) << "a lone surrogate is three bad bytes";
  EXPECT_EQ(cut_characters("\xE2\x82", 10), "\xEF\xBF\xBD\xEF\xBF\xBD") << "truncated";
}

TEST(CutBytes, CutsAtCodePoints) {
  EXPECT_EQ(cut_bytes("short", 5), "short");
  EXPECT_EQ(cut_bytes("longer", 5), "lo…");
  EXPECT_EQ(cut_bytes("äöüä", 7), "äö…");
  EXPECT_EQ(cut_bytes("äöüä", 6), "ä…");
  EXPECT_EQ(cut_bytes("abcd", 2), "");
  for (std::size_t bytes = 0; bytes < 12; ++bytes)
    EXPECT_LE(cut_bytes("€€€€€€", bytes).size(), bytes);
}

TEST(CleanUtf8, DropsControlCharacters) {
  EXPECT_EQ(clean_utf8("a\x1b[31mb\r\n\tc\x7f"), "a[31mb\n\tc");
  EXPECT_EQ(clean_utf8("\xC2\x9B"), "") << "C1 controls too";
  EXPECT_EQ(clean_utf8("ok \xFE"), "ok \xEF\xBF\xBD");
}

TEST(Split, KeepsEmptyParts) {
  EXPECT_EQ(split("a,,b", ','), (std::vector<std::string_view>{"a", "", "b"}));
  EXPECT_EQ(split("", ','), (std::vector<std::string_view>{""}));
}

TEST(Trim, TakesBlanksOffBothEnds) {
  EXPECT_EQ(trim(" \t a b\r\n"), "a b");
  EXPECT_EQ(trim("  "), "");
}

TEST(Nearest, FindsTyposAndNothingElse) {
  constexpr std::array<std::string_view, 4> words{"timeout", "every", "warning", "critical"};
  EXPECT_EQ(nearest("timeuot", words), "timeout");
  EXPECT_EQ(nearest("Every", words), "every");
  EXPECT_EQ(nearest("critcal", words), "critical");
  EXPECT_EQ(nearest("banana", words), "");
  EXPECT_EQ(nearest("", words), "");
  constexpr std::array<std::string_view, 1> single{"up"};
  EXPECT_EQ(nearest("x", single), "") << "a word of one letter is near nothing";
  EXPECT_EQ(nearest(std::string(5'000, 'a'), words), "");
}

TEST(DescribeNumber, ReadsLikePeopleWrite) {
  EXPECT_EQ(describe_number(0), "0");
  EXPECT_EQ(describe_number(-0.0), "0");
  EXPECT_EQ(describe_number(4.20), "4.2");
  EXPECT_EQ(describe_number(43.25), "43.2");
  EXPECT_EQ(describe_number(12345.6), "12346");
  EXPECT_EQ(describe_number(100), "100");
  EXPECT_EQ(describe_number(0.001234), "0.00123");
  EXPECT_EQ(describe_number(-1.5), "-1.5");
  EXPECT_EQ(describe_number(0.999999), "1");
  EXPECT_EQ(describe_number(std::numeric_limits<double>::quiet_NaN()), "NaN");
  EXPECT_EQ(describe_number(1e300), "1e+300");
}

}  // namespace
}  // namespace tocsin
