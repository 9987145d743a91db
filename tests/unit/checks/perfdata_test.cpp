#include "checks/perfdata.hpp"

#include <gtest/gtest.h>

namespace tocsin::checks {
namespace {

TEST(Perfdata, HasNoNumberThatItsUnitMakesInfinite) {
  const auto output = parse_plugin_output("OK | a=1e308TB b=1e308 c=-1e308KB");
  ASSERT_EQ(output.values.size(), 1u);
  EXPECT_EQ(output.values[0].label, "b");
  EXPECT_EQ(output.unreadable, 2u);
}

TEST(Perfdata, ScalesByTheUnitThatItShows) {
  using namespace std::string_view_literals;
  const auto output = parse_plugin_output(
      "OK | a=3\0M\x01"
      "B"sv);
  ASSERT_EQ(output.values.size(), 1u);
  EXPECT_EQ(output.values[0].unit, "MB");
  EXPECT_EQ(output.values[0].value, 3.0 * 1024 * 1024);
}

}  // namespace
}  // namespace tocsin::checks
