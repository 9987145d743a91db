#include "checks/unit_name.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tocsin::checks {
namespace {

using ::testing::HasSubstr;

TEST(UnitName, IsCompletedAsSystemctlDoes) {
  const std::pair<const char*, const char*> table[] = {
      {"nginx", "nginx.service"},
      {"nginx.service", "nginx.service"},
      {"php8.2-fpm", "php8.2-fpm.service"},
      {"worker@1", "worker@1.service"},
      {"backup.timer", "backup.timer"},
      {"var-lib-data.mount", "var-lib-data.mount"},
      {"app-*", "app-*.service"},
      {"app-*.service", "app-*.service"},
      {"nginx.*", "nginx.*"},
      {"worker@[12]", "worker@[12].service"},
  };
  for (const auto& [text, name] : table) {
    EXPECT_EQ(whole_unit_name(text), name);
    EXPECT_EQ(fault_of_unit_name(text), std::nullopt) << text;
  }
}

TEST(UnitName, ThatIsNoneIsSaidToBe) {
  const std::pair<std::string, const char*> table[] = {
      {"", "expected a unit's name or a glob"},
      {".service", "expected a unit's name or a glob"},
      {"two words", "expected a unit's name or a glob"},
      {"a\nb", "expected a unit's name or a glob"},
      {"b]c", "expected a unit's name or a glob"},
      {std::string(250, 'x'), "expected a unit's name or a glob"},
      {"/var/lib/data", "systemd-escape --path --suffix=mount"},
      {"worker@", "a template is no unit"},
      {"worker@.service", "a template is no unit"},
      {"@1.service", "a template is no unit"},
  };
  for (const auto& [text, words] : table)
    EXPECT_THAT(fault_of_unit_name(text).value_or("none"), HasSubstr(words)) << text;
}

TEST(UnitName, FitsAGlobAsSystemdReadsIt) {
  EXPECT_TRUE(fits_unit_glob("app-*.service", "app-shop.service"));
  EXPECT_TRUE(fits_unit_glob("app-?.service", "app-1.service"));
  EXPECT_TRUE(fits_unit_glob("worker@[12].service", "worker@2.service"));
  EXPECT_FALSE(fits_unit_glob("worker@[!12].service", "worker@2.service"));
  EXPECT_FALSE(fits_unit_glob("app-*.service", "app-shop.socket"));
  EXPECT_TRUE(fits_unit_glob("nginx.service", "nginx.service"));
  EXPECT_TRUE(fits_unit_glob("a\\x2db*", "a\\x2db.mount")) << "a backslash stands for itself";
}

}  // namespace
}  // namespace tocsin::checks
