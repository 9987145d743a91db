// When something is due: crontab lines and calendar expressions, on clocks that change.
#include "checks/recurrence.hpp"

#include <algorithm>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "checks/calendar_expression.hpp"
#include "checks/cron_expression.hpp"

namespace tocsin::checks {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr auto london = "Europe/London";
constexpr auto new_york = "America/New_York";

WallTime at(std::string text) {
  if (text.size() == 16) text += ":00";
  const auto parsed = parse_rfc3339(text + "Z");
  EXPECT_TRUE(parsed) << text;
  return parsed.value_or(WallTime{});
}
Recurrence cron(std::string_view text) {
  const auto parsed = parse_cron(text);
  EXPECT_TRUE(parsed) << text << ": " << (parsed ? "" : parsed.error().detail);
  return parsed.value_or(Recurrence{});
}
Recurrence calendar(std::string_view text) {
  const auto parsed = parse_calendar(text);
  EXPECT_TRUE(parsed) << text << ": " << (parsed ? "" : parsed.error().detail);
  return parsed.value_or(CalendarExpression{}).recurrence;
}
/// The next `count` due times, in UTC: "2026-03-29T01:00".
std::vector<std::string> due(const Recurrence& what, const std::string& after, int count,
                             std::string_view zone = "UTC") {
  std::vector<std::string> out;
  auto from = at(after);
  for (int i = 0; i < count; ++i) {
    const auto next = next_due(what, from, zone);
    out.push_back(next ? to_rfc3339(*next).substr(0, 16) : "never");
    if (!next) break;
    from = *next;
  }
  return out;
}

TEST(Cron, SaysWhen) {
  struct Row {
    std::string expression, after;
    std::vector<std::string> due;
  };
  const Row table[] = {
      {"* * * * *", "2026-01-01T00:00:30", {"2026-01-01T00:01", "2026-01-01T00:02"}},
      {"15 3 * * *", "2026-01-01T03:15", {"2026-01-02T03:15", "2026-01-03T03:15"}},
      {"*/20 9-10 * * *",
       "2026-01-01T09:10",
       {"2026-01-01T09:20", "2026-01-01T09:40", "2026-01-01T10:00", "2026-01-01T10:20"}},
      {"5,35 0 1 jan,JUL *", "2026-01-01T00:05", {"2026-01-01T00:35", "2026-07-01T00:05"}},
      {"0 0 31 * *", "2026-01-31T00:00", {"2026-03-31T00:00", "2026-05-31T00:00"}},
      {"0 0 29 2 *", "2026-01-01T00:00", {"2028-02-29T00:00", "2032-02-29T00:00"}},
      {"0 0 29 2 *", "2096-03-01T00:00", {"2104-02-29T00:00"}},
      {"0 8 * * mon-fri", "2026-11-20T08:00", {"2026-11-23T08:00", "2026-11-24T08:00"}},
      {"0 8 * * 5-7",
       "2026-11-23T08:00",
       {"2026-11-27T08:00", "2026-11-28T08:00", "2026-11-29T08:00"}},
      {"0 8 * * sat-sun", "2026-11-23T08:00", {"2026-11-28T08:00", "2026-11-29T08:00"}},
      {"0 8 * * 0", "2026-11-23T08:00", {"2026-11-29T08:00"}},
      // Both days named: either is enough. One begins with a star: both must agree.
      {"0 0 13 * 5",
       "2026-11-01T00:00",
       {"2026-11-06T00:00", "2026-11-13T00:00", "2026-11-20T00:00"}},
      {"0 0 13 * 1", "2026-11-09T00:00", {"2026-11-13T00:00", "2026-11-16T00:00"}},
      {"0 0 */10 * mon", "2026-11-01T00:00", {"2026-12-21T00:00"}},
      {"@hourly", "2026-01-01T00:00", {"2026-01-01T01:00"}},
      {"@daily", "2026-01-01T00:00", {"2026-01-02T00:00"}},
      {" @Weekly ", "2026-11-23T00:00", {"2026-11-29T00:00"}},
      {"@monthly", "2026-01-01T00:00", {"2026-02-01T00:00"}},
      {"@yearly", "2026-01-01T00:00", {"2027-01-01T00:00"}},
      {"0 0 30 2 *", "2026-01-01T00:00", {"never"}},
  };
  for (const auto& row : table)
    EXPECT_EQ(due(cron(row.expression), row.after, static_cast<int>(row.due.size())), row.due)
        << row.expression;
}

TEST(Cron, SaysWhatItDoesNotUnderstand) {
  const std::pair<std::string, std::string> table[] = {
      {"", "is not five fields"},
      {"* * * *", "is not five fields"},
      {"0 * * * * *", "is not five fields"},
      {"@fortnightly", "is not five fields"},
      {"@reboot", "no times at which it is due"},
      {"60 * * * *", "the minute \"60\" is not within 0 to 59"},
      {"* 24 * * *", "the hour \"24\" is not within 0 to 23"},
      {"* * 0 * *", "the day of the month \"0\" is not within 1 to 31"},
      {"* * * 13 *", "the month \"13\""},
      {"* * * jam *", "the month \"jam\""},
      {"* * * * 8", "the weekday \"8\""},
      {"*/0 * * * *", "needs a step from 1 to 59"},
      {"5/10 * * * *", "write 5-59/10"},
      {"10-5 * * * *", "ends before it begins"},
      {"1, * * * *", "the minute \"\""},
      {"-5 * * * *", "the minute \"-5\""},
      {"1-2-3 * * * *", "the minute \"1-2-3\""},
      {"99999999999999999999 * * * *", "the minute"},
  };
  for (const auto& [expression, complaint] : table) {
    const auto parsed = parse_cron(expression);
    ASSERT_FALSE(parsed) << expression;
    EXPECT_THAT(parsed.error().detail, HasSubstr(complaint)) << expression;
  }
}

TEST(Calendar, SaysWhen) {
  struct Row {
    std::string expression, after;
    std::vector<std::string> due;
  };
  const Row table[] = {
      {"hourly", "2026-01-01T00:00", {"2026-01-01T01:00"}},
      {"daily", "2026-01-01T00:00", {"2026-01-02T00:00"}},
      {"Weekly", "2026-11-23T00:00", {"2026-11-30T00:00"}},
      {"monthly", "2026-01-01T00:00", {"2026-02-01T00:00"}},
      {"quarterly", "2026-01-01T00:00", {"2026-04-01T00:00", "2026-07-01T00:00"}},
      {"yearly", "2026-01-01T00:00", {"2027-01-01T00:00"}},
      {"Mon..Fri *-*-* 03:00:00", "2026-11-20T03:00", {"2026-11-23T03:00", "2026-11-24T03:00"}},
      {"*:0/15", "2026-01-01T00:14:59", {"2026-01-01T00:15", "2026-01-01T00:30"}},
      {"Monday", "2026-11-23T00:00", {"2026-11-30T00:00"}},
      {"mon,thu 3:00", "2026-11-23T03:00", {"2026-11-26T03:00", "2026-11-30T03:00"}},
      {"Sat-Sun 12:00", "2026-11-23T00:00", {"2026-11-28T12:00", "2026-11-29T12:00"}},
      {"*-*-01,15 04:00", "2026-11-01T04:00", {"2026-11-15T04:00", "2026-12-01T04:00"}},
      {"*-*-31", "2026-01-31T00:00", {"2026-03-31T00:00"}},
      {"*-02-29", "2026-01-01T00:00", {"2028-02-29T00:00"}},
      {"02-29 12:30", "2026-01-01T00:00", {"2028-02-29T12:30"}},
      {"*-1/3-01 04:00", "2026-01-01T04:00", {"2026-04-01T04:00", "2026-07-01T04:00"}},
      {"08..20/4:00",
       "2026-01-01T08:00",
       {"2026-01-01T12:00", "2026-01-01T16:00", "2026-01-01T20:00", "2026-01-02T08:00"}},
      {"2028-06-01", "2026-01-01T00:00", {"2028-06-01T00:00", "never"}},
      {"Fri *-*-13", "2026-11-14T00:00", {"2027-08-13T00:00"}},
      {"*-*-* 06:30:00", "2026-01-01T00:00", {"2026-01-01T06:30"}},
  };
  for (const auto& row : table)
    EXPECT_EQ(due(calendar(row.expression), row.after, static_cast<int>(row.due.size())), row.due)
        << row.expression;
}

TEST(Calendar, ReadsSecondsAndZones) {
  const auto found = next_due(calendar("*:*:30"), at("2026-01-01T00:00:31"), "UTC");
  ASSERT_TRUE(found);
  EXPECT_EQ(to_rfc3339(*found), "2026-01-01T00:01:30.000Z");
  const auto zoned = parse_calendar("*-*-* 12:00 Europe/London");
  ASSERT_TRUE(zoned);
  EXPECT_EQ(zoned->zone, "Europe/London");
  EXPECT_EQ(parse_calendar("daily UTC").value_or(CalendarExpression{}).zone, "UTC");
}

TEST(Calendar, SaysWhatItDoesNotUnderstand) {
  const std::pair<std::string, std::string> table[] = {
      {"", "is not a calendar expression"},
      {"sometimes", "is not a calendar expression"},
      {"Fri 13", "is not a calendar expression"},
      {"Mon Tue 3:00", "is not a calendar expression"},
      {"03:00 Nowhere/Land", "is not a calendar expression"},
      {"Sat..Mon", "ends before it begins"},
      {"Mon..Foo", "the weekday \"Mon..Foo\""},
      {"24:00", "the hour \"24\""},
      {"12:60", "the minute \"60\""},
      {"12:00:00.5", "the second (a whole number)"},
      {"*-02~1", "counts from the end of the month"},
      {"*-13-01", "the month \"13\""},
      {"1969-01-01", "the year \"1969\""},
      {"*-*-0", "the day \"0\""},
      {"*:0/0", "needs a whole step"},
      {"*:5..1", "ends before it begins"},
      {"1-2-3-4", "the date \"1-2-3-4\""},
      {"1:2:3:4", "the time \"1:2:3:4\""},
  };
  for (const auto& [expression, complaint] : table) {
    const auto parsed = parse_calendar(expression);
    ASSERT_FALSE(parsed) << expression;
    EXPECT_THAT(parsed.error().detail, HasSubstr(complaint)) << expression;
  }
}

TEST(Clocks, ThatSkipAnHourMakeItDueRightAfter) {
  if (!zone_exists(london) || !zone_exists(new_york)) GTEST_SKIP() << "no zone database: tzdata";
  // 29 March 2026: 00:59:59 GMT is followed by 02:00:00 BST, 01:00 UTC.
  EXPECT_THAT(due(cron("30 1 * * *"), "2026-03-28T02:00", 2, london),
              ElementsAre("2026-03-29T01:00", "2026-03-30T00:30"));
  EXPECT_THAT(due(cron("0,30 1 * * *"), "2026-03-28T02:00", 2, london),
              ElementsAre("2026-03-29T01:00", "2026-03-30T00:00"));
  EXPECT_THAT(due(calendar("*-*-* 01:30"), "2026-03-28T02:00", 2, london),
              ElementsAre("2026-03-29T01:00", "2026-03-30T00:30"));
  // 8 March 2026: 02:00 EST does not come, 07:00 UTC.
  EXPECT_THAT(due(cron("30 2 * * *"), "2026-03-07T08:00", 2, new_york),
              ElementsAre("2026-03-08T07:00", "2026-03-09T06:30"));
  // What follows the clock has nothing to catch up with.
  EXPECT_THAT(due(cron("30 * * * *"), "2026-03-29T00:00", 3, london),
              ElementsAre("2026-03-29T00:30", "2026-03-29T01:30", "2026-03-29T02:30"));
}

TEST(Clocks, ThatRepeatAnHourMakeItDueOnce) {
  if (!zone_exists(london) || !zone_exists(new_york)) GTEST_SKIP() << "no zone database: tzdata";
  // 25 October 2026: 01:00 to 02:00 comes as BST (00:00 UTC) and again as GMT (01:00 UTC).
  EXPECT_THAT(due(cron("30 1 * * *"), "2026-10-24T12:00", 2, london),
              ElementsAre("2026-10-25T00:30", "2026-10-26T01:30"));
  EXPECT_THAT(due(calendar("01:30"), "2026-10-24T12:00", 2, london),
              ElementsAre("2026-10-25T00:30", "2026-10-26T01:30"));
  // 1 November 2026 in New York: 01:00 to 02:00 EDT is 05:00 UTC.
  EXPECT_THAT(due(cron("30 1 * * *"), "2026-10-31T12:00", 2, new_york),
              ElementsAre("2026-11-01T05:30", "2026-11-02T06:30"));
  EXPECT_THAT(due(cron("30 * * * *"), "2026-10-25T00:00", 3, london),
              ElementsAre("2026-10-25T00:30", "2026-10-25T01:30", "2026-10-25T02:30"));
  EXPECT_THAT(due(calendar("*:0/30"), "2026-10-25T00:00", 3, london),
              ElementsAre("2026-10-25T00:30", "2026-10-25T01:00", "2026-10-25T01:30"));
}

/// Walks minute by minute, as a cron daemon does, and notes what is due.
std::vector<WallTime> by_walking(const Recurrence& what, WallTime from, WallTime until,
                                 std::string_view zone) {
  const auto shown = [&](WallTime when) { return when + utc_offset(when, zone); };
  // With UTC a moment is due exactly when the clocks that show it are.
  const auto matches = [&](WallTime local) {
    const auto day = std::chrono::floor<std::chrono::days>(local);
    const std::chrono::year_month_day date{day};
    const auto minute = std::chrono::floor<std::chrono::minutes>(local - day).count();
    const bool by_month = what.days[unsigned{date.day()}];
    const bool by_week = what.weekdays[std::chrono::weekday{day}.c_encoding()];
    return what.months[unsigned{date.month()}] &&
           (what.either_day ? by_month || by_week : by_month && by_week) &&
           what.hours[static_cast<std::size_t>(minute / 60)] &&
           what.minutes[static_cast<std::size_t>(minute % 60)];
  };
  std::vector<WallTime> out;
  auto high = shown(from);
  for (auto now = from + 1min; now <= until; now += 1min) {
    const auto local = shown(now);
    bool is_due = what.follows_clock && matches(local);
    if (!what.follows_clock)
      for (auto each = high + 1min; each <= local; each += 1min) is_due = is_due || matches(each);
    high = std::max(high, local);
    if (is_due) out.push_back(now);
  }
  return out;
}

TEST(Clocks, AgreeWithACronThatWalksMinuteByMinute) {
  if (!zone_exists(london) || !zone_exists(new_york)) GTEST_SKIP() << "no zone database: tzdata";
  std::mt19937 random{20261125};
  const auto pick = [&](int least, int most) {
    return std::to_string(std::uniform_int_distribution{least, most}(random));
  };
  const auto field = [&](int least, int most, const std::string& wide) {
    switch (std::uniform_int_distribution{0, 3}(random)) {
      case 0:
        return wide;
      case 1:
        return "*/" + pick(2, 7);
      case 2:
        return pick(least, most) + "," + pick(least, most);
      default:
        return pick(least, most);
    }
  };
  struct Window {
    const char* zone;
    const char* from;
  };
  // Around every kind of change, a leap day and a year's end.
  const Window windows[] = {{london, "2026-03-27T00:00"},
                            {london, "2026-10-23T00:00"},
                            {new_york, "2026-03-06T00:00"},
                            {new_york, "2026-10-30T00:00"},
                            {"UTC", "2028-02-27T00:00"},
                            {new_york, "2026-12-30T00:00"},
                            {"Australia/Lord_Howe", "2026-04-03T00:00"}};
  for (int round = 0; round < 120; ++round) {
    const auto& window = windows[static_cast<std::size_t>(round) % std::size(windows)];
    const auto text = field(0, 59, "*") + " " + field(0, 3, "*") + " " + field(1, 31, "*") + " * " +
                      field(0, 7, "*");
    const auto what = cron(text);
    const auto from = at(window.from);
    const auto until = from + std::chrono::hours{24 * 5};
    std::vector<WallTime> found;
    for (auto next = next_due(what, from, window.zone); next && *next <= until;
         next = next_due(what, *next, window.zone))
      found.push_back(*next);
    EXPECT_EQ(found, by_walking(what, from, until, window.zone)) << text << " in " << window.zone;
  }
}

}  // namespace
}  // namespace tocsin::checks
