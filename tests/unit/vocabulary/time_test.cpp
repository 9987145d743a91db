#include "tocsin/base/time.hpp"

#include <gtest/gtest.h>

#include "vocabulary/base/zone.hpp"

namespace tocsin {
namespace {

using namespace std::chrono_literals;

WallTime at(const char* text) {
  const auto time = parse_rfc3339(text);
  EXPECT_TRUE(time) << text;
  return time.value_or(WallTime{});
}

TEST(ParseDuration, ReadsUnits) {
  EXPECT_EQ(*parse_duration("10s"), 10s);
  EXPECT_EQ(*parse_duration("1m30s"), 90s);
  EXPECT_EQ(*parse_duration("500ms"), 500ms);
  EXPECT_EQ(*parse_duration("7d"), 168h);
  EXPECT_EQ(*parse_duration("1.5h"), 90min);
  EXPECT_EQ(*parse_duration("0.25s"), 250ms);
  EXPECT_EQ(*parse_duration("0.000000001d"), 86us + 400ns);
  EXPECT_EQ(*parse_duration("1d2h3m4s5ms6us7ns"), 26h + 3min + 4s + 5ms + 6us + 7ns);
  EXPECT_EQ(*parse_duration("5µs"), 5us);
  EXPECT_EQ(*parse_duration("0s"), 0s);
}

TEST(ParseDuration, RefusesTheRest) {
  for (const auto* text :
       {"", "5", "0", "s", "-5s", "1s1m", "1s1s", "5 s", "1e3s", ".5s", "5.s", "5x", "1m30",
        "99999999999999999999s", "300000d", "inf", "nan", "0x5s"}) {
    EXPECT_FALSE(parse_duration(text)) << text;
  }
  EXPECT_EQ(
      parse_duration("5").error().detail,
      "expected a duration such as \"10s\", found \"5\" (a unit is missing: ns us ms s m h d)");
}

TEST(ToConfig, IsReadBackExactly) {
  for (const Duration duration :
       {Duration{0}, Duration{1}, Duration{90s}, Duration{36h}, Duration{1500ms},
        Duration{26h + 3min + 4s + 5ms + 6us + 7ns}, Duration{100'000h}}) {
    EXPECT_EQ(*parse_duration(to_config(duration)), duration) << to_config(duration);
  }
  EXPECT_EQ(to_config(90s), "1m30s");
  EXPECT_EQ(to_config(0s), "0s");
}

TEST(Describe, GivesTheTwoLargestUnits) {
  EXPECT_EQ(describe(65min), "1h 5m");
  EXPECT_EQ(describe(10min), "10m");
  EXPECT_EQ(describe(2500ms), "2.5s");
  EXPECT_EQ(describe(80ms), "80ms");
  EXPECT_EQ(describe(725s), "12m 5s");
  EXPECT_EQ(describe(24h * 3 + 59min), "3d 1h");
  EXPECT_EQ(describe(59'960ms), "1m");
  EXPECT_EQ(describe(23h + 59min + 50s), "1d");
  EXPECT_EQ(describe(0s), "0s");
  EXPECT_EQ(describe(-90s), "-1m 30s");
  EXPECT_EQ(describe(999'600us), "1s");
}

TEST(Rfc3339, GoesBothWays) {
  EXPECT_EQ(to_rfc3339(at("2026-11-22T21:37:40.123Z")), "2026-11-22T21:37:40.123Z");
  EXPECT_EQ(to_rfc3339(at("2026-11-22T21:37:40Z")), "2026-11-22T21:37:40.000Z");
  EXPECT_EQ(at("2026-11-22T21:37:40+02:00"), at("2026-11-22T19:37:40Z"));
  EXPECT_EQ(to_rfc3339(WallTime{-1ms}), "1969-12-31T23:59:59.999Z");
  EXPECT_EQ(at("2024-02-29T00:00:00.000001Z").time_since_epoch() % 1s, 1us);
  for (const auto* text :
       {"", "2026-11-22", "2026-13-01T00:00:00Z", "2025-02-29T00:00:00Z", "2026-11-22T24:00:00Z",
        "2026-11-22T21:37:40", "2026-11-22T21:37:40Zx", "2026-11-22 21:37:40Z"}) {
    EXPECT_FALSE(parse_rfc3339(text)) << text;
  }
}

TEST(LocalTime, FollowsTheZone) {
  EXPECT_EQ(to_local(at("2026-11-22T21:37:40Z"), "UTC"), "22 Nov 21:37:40 UTC");
  EXPECT_EQ(to_local(at("2026-11-22T21:37:40Z"), "Europe/London"), "22 Nov 21:37:40 GMT");
  EXPECT_EQ(to_local(at("2026-07-01T23:30:00Z"), "Europe/London"), "2 Jul 00:30:00 BST");
  EXPECT_EQ(to_local(at("2026-07-01T23:30:00Z"), "America/New_York"), "1 Jul 19:30:00 EDT");
  EXPECT_EQ(to_local(at("2026-01-01T00:00:00Z"), "Asia/Kathmandu"), "1 Jan 05:45:00 +0545");
  EXPECT_EQ(to_local(at("2026-11-22T21:37:40Z"), "Not/AZone"), "22 Nov 21:37:40 UTC");
}

TEST(LocalTime, HoldsBeyondTheListedTransitions) {
  EXPECT_EQ(to_local(at("2190-07-01T12:00:00Z"), "Europe/Berlin"), "1 Jul 14:00:00 CEST");
  EXPECT_EQ(to_local(at("2190-01-01T12:00:00Z"), "Europe/Berlin"), "1 Jan 13:00:00 CET");
  EXPECT_EQ(to_local(at("2190-01-01T12:00:00Z"), "Australia/Sydney"), "1 Jan 23:00:00 AEDT");
  EXPECT_EQ(to_local(at("2190-07-01T12:00:00Z"), "Australia/Sydney"), "1 Jul 22:00:00 AEST");
}

TEST(LocalTime, ChangesAtTheInstant) {
  EXPECT_EQ(to_local(at("2026-03-29T00:59:59Z"), "Europe/Berlin"), "29 Mar 01:59:59 CET");
  EXPECT_EQ(to_local(at("2026-03-29T01:00:00Z"), "Europe/Berlin"), "29 Mar 03:00:00 CEST");
  EXPECT_EQ(to_local(at("2026-10-25T00:59:59Z"), "Europe/Berlin"), "25 Oct 02:59:59 CEST");
  EXPECT_EQ(to_local(at("2026-10-25T01:00:00Z"), "Europe/Berlin"), "25 Oct 02:00:00 CET");
}

TEST(LocalTime, KnowsHowFarAZoneIsAheadOfUtc) {
  EXPECT_EQ(utc_offset(at("2026-07-01T00:00:00Z"), "UTC"), 0s);
  EXPECT_EQ(utc_offset(at("2026-07-01T00:00:00Z"), "Nowhere/Land"), 0s);
  if (!zone_exists("America/New_York")) GTEST_SKIP() << "no zone database: tzdata";
  EXPECT_EQ(utc_offset(at("2026-03-08T06:59:59Z"), "America/New_York"), -5h);
  EXPECT_EQ(utc_offset(at("2026-03-08T07:00:00Z"), "America/New_York"), -4h);
}

TEST(LocalTime, NamesTheDayOfTheZone) {
  EXPECT_EQ(to_ddmm(at("2026-03-12T10:00:00Z"), "UTC"), "1203");
  EXPECT_EQ(to_ddmm(at("2026-03-12T23:30:00Z"), "Asia/Tokyo"), "1303");
}

TEST(ZoneExists, KnowsNamesAndRefusesPaths) {
  EXPECT_TRUE(zone_exists("UTC"));
  EXPECT_TRUE(zone_exists("Europe/London"));
  for (const auto* name : {"", "Europe/Lundon", "/etc/localtime", "../../../etc/passwd", "Europe",
                           "tzdata.zi", "right/Europe/London", "zone.tab"}) {
    EXPECT_FALSE(zone_exists(name)) << name;
  }
}

TEST(PosixZone, ReadsEveryForm) {
  const auto plain = parse_posix_zone("<+0545>-5:45");
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->standard.seconds, 5 * 3'600 + 45 * 60);
  const auto julian = parse_posix_zone("AAA3BBB2:30,J60/-1,300/26");
  ASSERT_TRUE(julian);
  EXPECT_EQ(julian->begin.form, ZoneSwitch::Form::day_without_leap);
  EXPECT_EQ(julian->begin.at_seconds, -3'600);
  EXPECT_EQ(julian->end.form, ZoneSwitch::Form::day_with_leap);
  EXPECT_EQ(julian->summer->seconds, -(2 * 3'600 + 30 * 60));
  for (const auto* text : {"", "A1", "CET", "CET-1CEST", "CET-1CEST,M13.1.0,M1.1.0",
                           "CET-1CEST,M3.5.0", "CET-1CEST,M3.5.0,M10.5.0x", "<ab-1", "CET-200"}) {
    EXPECT_FALSE(parse_posix_zone(text)) << text;
  }
}

TEST(Zone, RefusesBrokenFiles) {
  EXPECT_EQ(Zone::parse(""), nullptr);
  EXPECT_EQ(Zone::parse("TZif"), nullptr);
  EXPECT_EQ(Zone::parse(std::string("TZif2") + std::string(400, '\0')), nullptr);
  EXPECT_EQ(Zone::parse(std::string("TZif2") + std::string(400, '\xff')), nullptr);
}

}  // namespace
}  // namespace tocsin
