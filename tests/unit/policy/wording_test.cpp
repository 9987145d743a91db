#include "agent/policy/wording.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/policy/drama.hpp"
#include "tocsin/base/limits.hpp"
#include "tocsin/base/text.hpp"

namespace tocsin::policy {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;

std::size_t characters_in(const std::string& text) {
  std::size_t count = 0;
  for (const char c : text) count += (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  return count;
}

/// An incident whose every text is as bad as a check or a person can make it.
Incident hostile() {
  Drama drama;
  const std::string fire = "\xF0\x9F\x94\xA5";
  std::string flames;
  for (int i = 0; i < 2500; ++i) flames += fire;
  auto news = Drama::news(flames);
  news.topic = flames + "<!channel>";
  news.why = "<!channel> \xff\xfe" + flames + std::string(10'000, 'x') + "\n\x1b[31m";
  news.host = flames;
  news.component = flames;
  news.owners = {flames, std::string(10'000, '@')};
  for (int i = 0; i < 40; ++i) news.evidence.lines.push_back(flames + "\n" + flames);
  news.evidence.probable_cause = flames;
  drama.open(news);
  drama.give(SetField{SummaryField::current_step, flames + flames, flames});
  drama.give(SetField{SummaryField::impact, std::string(10'000, '\xff'), "x"});
  for (int i = 0; i < 30; ++i) {
    auto more = news;
    more.check += std::to_string(i);
    drama.give(AlertFired{more});
  }
  return drama.incident;
}

TEST(ChannelName, SlugsTheTopicAndAddsTheDay) {
  const WallTime at{std::chrono::seconds{1795383460}};
  EXPECT_EQ(channel_name("nginx", at, "UTC", {}), "issue-nginx-2211");
  EXPECT_EQ(channel_name("App DB / replica_1", at, "UTC", {}), "issue-app-db-replica-1-2211");
  EXPECT_EQ(channel_name("Žluť", at, "UTC", {}), "issue-lu-2211");
  EXPECT_EQ(channel_name("///", at, "UTC", {}), "issue-incident-2211");
  EXPECT_EQ(channel_name("", at, "UTC", {}), "issue-incident-2211");
  EXPECT_EQ(channel_name("nginx", at, "Asia/Tokyo", {}), "issue-nginx-2311");
  const auto longest = channel_name(std::string(500, 'a'), at, "UTC", {});
  EXPECT_LE(longest.size() + 3, limits::slack_channel_name_characters) << "a suffix still fits";
  EXPECT_TRUE(longest.ends_with("-2211"));
}

TEST(ChannelName, TakesTheNextFreeSuffix) {
  const WallTime at{std::chrono::seconds{1795383460}};
  EXPECT_EQ(channel_name("nginx", at, "UTC", {"issue-nginx-2211"}), "issue-nginx-2211-2");
  EXPECT_EQ(channel_name("nginx", at, "UTC", {"issue-nginx-2211", "issue-nginx-2211-2"}),
            "issue-nginx-2211-3");
}

TEST(ChannelName, SlugsAreCutWithoutATrailingDash) {
  EXPECT_EQ(slug("abc def", 4), "abc");
  EXPECT_EQ(slug("ABC", 80), "abc");
}

TEST(Wording, Title) {
  Drama drama;
  auto news = Drama::news();
  news.why = "up 0 < 1";
  drama.open(news);
  EXPECT_EQ(drama.incident.title, "CRITICAL: nginx on web-1: up 0 < 1");
  drama.give(AlertFired{Drama::news("php", Severity::warning)});
  EXPECT_EQ(drama.incident.title, "CRITICAL: nginx on web-1: up 0 < 1 (and 1 more)");
}

TEST(Wording, PurposeCarriesTheMarker) {
  Drama drama;
  drama.open();
  EXPECT_EQ(channel_purpose(drama.incident),
            "Issue channel: nginx on web-1 (production). Open until root cause and fix are "
            "recorded. tocsin:01jd3k7m-x7q2p");
}

TEST(Wording, TopicInEachState) {
  Drama drama;
  auto news = Drama::news();
  news.why = "up 0 < 1";
  drama.open(news);
  const auto topic = [&] { return channel_topic(drama.incident); };
  EXPECT_EQ(topic(), "CRITICAL: nginx on web-1: up 0 < 1 · SRE: @sre · Dev: @platform");
  drama.give(Acknowledge{"jane", "cli"});
  EXPECT_EQ(topic(),
            "CRITICAL: nginx on web-1: up 0 < 1 (jane is on it) · SRE: @sre · Dev: @platform");
  drama.recover_and_resolve();
  EXPECT_EQ(topic(),
            "RESOLVED: nginx on web-1 (root cause and fix are owed) · SRE: @sre · Dev: @platform");
  drama.give(Close{"jane", "a", "b", "", {}});
  drama.incident.owners = {};
  EXPECT_EQ(topic(), "CLOSED: nginx on web-1 · SRE: UNKNOWN · Dev: UNKNOWN");
}

TEST(Wording, Reminder) {
  Drama drama;
  drama.open();
  drama.give(SetField{SummaryField::current_step, "restarting", "jane"});
  EXPECT_EQ(
      reminder_text(drama.incident, drama.now.wall + 20min),
      "20m since nginx on web-1 began. SRE: @sre · Dev: @platform. Working on it: UNKNOWN. "
      "Current step: restarting. Next step: UNKNOWN. Still UNKNOWN: Probable cause, Type, "
      "Estimated time to recovery, Who is working on it and Next action step. Set one: tocsin "
      "incident set 01jd3k7m-x7q2p probable_cause=\"…\"");
  EXPECT_THAT(reminder_text(drama.incident, drama.now.wall - 24h), HasSubstr("0s since"));
}

TEST(Wording, Summary) {
  Drama drama;
  drama.history = {{}, "01jd0000-aaaaa", "issue-cron-0903", 2};
  auto news = Drama::news();
  news.why = "up 0 < 1";
  news.evidence = {{"exit status 137", "oom-kill: nginx"}, "killed for memory", "about 14m"};
  drama.open(news);
  const auto text = summary_text(drama.incident, drama.now.wall + 12min);
  EXPECT_EQ(text.headline, "CRITICAL · nginx on web-1 · open");
  const std::vector<std::pair<std::string, std::string>> expected{
      {"Environment", "production"},
      {"Component responsible", "nginx"},
      {"Probable cause", "killed for memory"},
      {"Frequency or duration", "12m so far; third time in 7 days; last: #issue-cron-0903"},
      {"Type", "UNKNOWN"},
      {"Estimated time to recovery", "about 14m"},
      {"Who is working on it", "UNKNOWN"},
      {"Current action step", "UNKNOWN"},
      {"Next action step", "UNKNOWN"},
      {"Which component is the source", "nginx (process) on web-1: up 0 < 1"},
      {"How often or how long", "since " + to_local(drama.now.wall, "UTC") +
                                    ", 12m so far; third time in 7 days; last: #issue-cron-0903"},
      {"What else is affected", "UNKNOWN"},
      {"How severe", "critical; whether a customer is down: UNKNOWN"}};
  EXPECT_EQ(text.fields, expected);
  EXPECT_EQ(text.evidence, (std::vector<std::string>{"exit status 137", "oom-kill: nginx"}));
  EXPECT_THAT(text.footer, HasSubstr("Incident 01jd3k7m-x7q2p"));
  EXPECT_THAT(text.footer, HasSubstr("tocsin incident ack 01jd3k7m-x7q2p"));
}

TEST(Wording, WhatElseIsAffectedNamesTheOtherAlerts) {
  Drama drama;
  drama.open();
  drama.give(AlertFired{Drama::news("php", Severity::warning)});
  drama.give(AlertFired{Drama::news("queue")});
  EXPECT_EQ(drama.incident.summary[SummaryField::also_affected].value,
            "queue (critical) and php (warning)");
  EXPECT_EQ(drama.incident.summary[SummaryField::component].value, "nginx, php, queue");
}

TEST(Wording, Page) {
  Drama drama;
  auto news = Drama::news();
  news.why = "up 0 < 1";
  news.dashboard = "javascript:alert(1)";
  news.evidence.lines = {"exit status 137"};
  drama.open(news);
  drama.incident.channel.url = "https://example.slack.com/archives/C1";
  const auto page = page_text(drama.incident, drama.incident.pages.at(0).key, drama.now.wall);
  EXPECT_EQ(page.summary, "CRITICAL: nginx on web-1: up 0 < 1 #issue-nginx-2211");
  EXPECT_EQ(page.source, "web-1");
  EXPECT_EQ(page.severity, "critical");
  EXPECT_EQ(page.component, "nginx");
  EXPECT_EQ(page.group, "nginx");
  EXPECT_EQ(page.event_class, "process");
  ASSERT_GE(page.details.size(), 10u);
  EXPECT_EQ(page.details[0], (std::pair<std::string, std::string>{"Environment", "production"}));
  EXPECT_EQ(page.details[8], (std::pair<std::string, std::string>{"Next action step", "UNKNOWN"}));
  EXPECT_EQ(page.details[9],
            (std::pair<std::string, std::string>{"Issue channel", "#issue-nginx-2211"}));
  EXPECT_EQ(page.evidence, std::vector<std::string>{"exit status 137"});
  ASSERT_EQ(page.members.size(), 1u);
  EXPECT_THAT(page.members[0], HasSubstr("CRITICAL nginx on web-1: up 0 < 1 (since "));
  ASSERT_EQ(page.links.size(), 2u) << "only web links";
  EXPECT_EQ(page.links[0].second, "https://example.slack.com/archives/C1");
  EXPECT_EQ(page.links[1].first, "Runbook");
}

TEST(Wording, PageSaysWhatKindOfPageItIs) {
  Drama drama;
  auto news = Drama::news("nginx", Severity::unknown);
  news.drill = true;
  drama.open(news);
  const auto summary = [&](const char* suffix) {
    return page_text(drama.incident, dedup_key(drama.incident, suffix), drama.now.wall).summary;
  };
  EXPECT_TRUE(summary("").starts_with("DRILL: UNKNOWN: nginx on web-1"));
  EXPECT_TRUE(summary("/r1").starts_with("DRILL: WORSE: UNKNOWN: nginx"));
  EXPECT_TRUE(summary("/e1").starts_with("DRILL: ESCALATION: UNKNOWN: nginx"));
  EXPECT_EQ(page_text(drama.incident, "k", drama.now.wall).severity, "error");
}

TEST(WordingLimits, HoldForHostileInput) {
  const auto incident = hostile();
  const auto now = incident.opened_at + 5min;
  EXPECT_LE(incident.channel.name.size(), limits::slack_channel_name_characters);
  EXPECT_LE(characters_in(channel_purpose(incident)), limits::slack_topic_characters);
  EXPECT_TRUE(channel_purpose(incident).ends_with("tocsin:01jd3k7m-x7q2p"));
  EXPECT_LE(characters_in(channel_topic(incident)), limits::slack_topic_characters);
  EXPECT_THAT(channel_topic(incident), HasSubstr(" · SRE: "));
  EXPECT_THAT(channel_topic(incident), HasSubstr(" · Dev: @@@"));
  EXPECT_LE(characters_in(reminder_text(incident, now)), limits::slack_section_characters);
  EXPECT_LE(dedup_key(incident).size(), limits::pagerduty_dedup_key_characters);
  const auto summary = summary_text(incident, now);
  EXPECT_LE(characters_in(summary.headline), limits::slack_header_characters);
  std::size_t total = characters_in(summary.headline) + characters_in(summary.footer);
  for (const auto& [title, value] : summary.fields) {
    EXPECT_LE(characters_in(value), limits::slack_section_characters);
    total += characters_in(title) + characters_in(value);
  }
  EXPECT_LE(summary.evidence.size(), limits::evidence_lines);
  for (const auto& line : summary.evidence) total += characters_in(line);
  EXPECT_LE(total, limits::slack_blocks_characters);
  const auto page = page_text(incident, dedup_key(incident), now);
  EXPECT_LE(characters_in(page.summary), limits::pagerduty_summary_characters);
  EXPECT_TRUE(page.summary.ends_with("#issue-channel-2211"));
  EXPECT_LE(page.evidence.size(), limits::evidence_lines);
}

TEST(WordingLimits, TextsAreValidAndOnOneLine) {
  auto incident = hostile();
  const auto now = incident.opened_at + 5min;
  const auto page = page_text(incident, dedup_key(incident), now);
  for (const auto& text : {channel_purpose(incident), channel_topic(incident), incident.title,
                           page.summary, reminder_text(incident, now)}) {
    EXPECT_EQ(clean_utf8(text), text);
    EXPECT_EQ(text.find('\n'), std::string::npos);
    EXPECT_EQ(text.find('\x1b'), std::string::npos);
  }
}

TEST(WordingLimits, WhoIsOnItGivesWayToTheOwners) {
  Drama drama;
  drama.open();
  drama.incident.owners = {std::string(80, 's'), std::string(80, 'd')};
  drama.give(Acknowledge{std::string(80, 'j'), "cli"});
  const auto topic = channel_topic(drama.incident);
  EXPECT_LE(characters_in(topic), limits::slack_topic_characters);
  EXPECT_THAT(topic, HasSubstr("SRE: " + std::string(80, 's')));
  EXPECT_THAT(topic, HasSubstr("Dev: " + std::string(80, 'd')));
  EXPECT_TRUE(topic.starts_with("CRITICAL: nginx on web-1"));
}

TEST(FillSummary, NeverOverwritesAPerson) {
  Drama drama;
  drama.open();
  for (const auto& name : summary_field_names()) {
    drama.incident.summary[name.field] = {"mine", "jane"};
  }
  const auto before = drama.incident.summary;
  fill_summary(drama.incident, drama.now.wall + 1h);
  EXPECT_EQ(drama.incident.summary, before);
}

}  // namespace
}  // namespace tocsin::policy
