#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/policy/drama.hpp"

namespace tocsin::policy {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(IncidentIdentity, GroupKeys) {
  auto news = Drama::news();
  EXPECT_EQ(group_key("production", news), "production/web-1/nginx");
  news.fleet = true;
  EXPECT_EQ(group_key("production", news), "production/fleet/nginx");
}

TEST(IncidentIdentity, IdsSortByTimeAndDifferByHostAndChance) {
  const WallTime early{std::chrono::seconds{1795383460}};
  const auto id = make_incident_id(early, "web-1", 7);
  EXPECT_EQ(id.value.size(), 14u);
  EXPECT_EQ(id.value[8], '-');
  EXPECT_EQ(id.value.find_first_not_of("0123456789abcdefghjkmnpqrstvwxyz-"), std::string::npos);
  EXPECT_LT(id, make_incident_id(early + 2s, "web-1", 0));
  EXPECT_LT(make_incident_id(early + 24h, "a", ~0ull), make_incident_id(early + 25h, "b", 0));
  EXPECT_NE(id, make_incident_id(early, "web-2", 7));
  EXPECT_NE(id, make_incident_id(early, "web-1", 8));
  EXPECT_EQ(id, make_incident_id(early, "web-1", 7));
}

TEST(IncidentIdentity, DedupKeysKeepIdAndGeneration) {
  Drama drama;
  drama.open();
  EXPECT_EQ(dedup_key(drama.incident), "tocsin/production/web-1/nginx/01jd3k7m-x7q2p/g1");
  EXPECT_EQ(dedup_key(drama.incident, "/r2"), "tocsin/production/web-1/nginx/01jd3k7m-x7q2p/g1/r2");
  std::string long_topic;
  for (int i = 0; i < 200; ++i) long_topic += "\xF0\x9F\x94\xA5";
  drama.incident.topic = long_topic;
  const auto key = dedup_key(drama.incident, "/e1");
  EXPECT_LE(key.size(), 255u);
  EXPECT_GT(key.size(), 250u);
  EXPECT_TRUE(key.ends_with("/01jd3k7m-x7q2p/g1/e1"));
}

TEST(IncidentOpen, ConvenesInSlackAndPages) {
  Drama drama;
  drama.history = {{}, "01jd0000-aaaaa", "issue-cron-0903", 2};
  auto news = Drama::news();
  news.dashboard = "https://grafana.example.com/d/1";
  drama.rules.pages_link = "https://app.pagerduty.com/incidents";
  drama.open(news);
  EXPECT_EQ(drama.incident.state, IncidentState::open);
  EXPECT_EQ(drama.effects(),
            "create_channel set_purpose set_topic put_summary pin_summary add_bookmark "
            "add_bookmark add_bookmark invite trigger_page");
  EXPECT_THAT(drama.all<AddBookmark>(),
              ElementsAre(AddBookmark{"Runbook", "https://runbooks.example.com/nginx"},
                          AddBookmark{"Dashboard", "https://grafana.example.com/d/1"},
                          AddBookmark{"PagerDuty", "https://app.pagerduty.com/incidents"}));
  EXPECT_EQ(drama.kinds(), "opened");
  EXPECT_THAT(drama.lines(), HasSubstr("third time in 7 days; last: #issue-cron-0903"));
  EXPECT_THAT(drama.all<Invite>().at(0).who, ElementsAre("@sre", "jane@example.com", "@platform"));
  EXPECT_EQ(drama.all<TriggerPage>().at(0),
            (TriggerPage{"sre", "tocsin/production/web-1/nginx/01jd3k7m-x7q2p/g1", false}));
  EXPECT_THAT(drama.incident.pages,
              ElementsAre(Page{"sre", dedup_key(drama.incident), PageState::queued}));
  EXPECT_EQ(drama.incident.channel.receiver, "slack");
  EXPECT_EQ(drama.incident.channel.name, "issue-nginx-2211");
  EXPECT_FALSE(drama.incident.channel.ready);
  EXPECT_EQ(drama.incident.recent_count, 3);
  EXPECT_EQ(drama.incident.severity_paged, Severity::critical);
  EXPECT_EQ(drama.incident.title, "CRITICAL: nginx on web-1: nginx is bad");
  EXPECT_EQ(drama.incident.escalation, drama.rules.escalation);
  EXPECT_EQ(next_due(drama.incident), drama.now.steady + 10min);
}

TEST(IncidentOpen, WithoutSlackTheLocalRoomIsTheChannel) {
  Drama drama;
  drama.rules.slack = false;
  drama.history.channel_names_taken = {"issue-nginx-2211"};
  drama.open();
  EXPECT_EQ(drama.effects(), "trigger_page");
  EXPECT_EQ(drama.kinds(), "opened channel");
  EXPECT_EQ(drama.incident.channel, (Channel{.receiver = "local",
                                             .name = "issue-nginx-2211-2",
                                             .id = "01jd3k7m-x7q2p",
                                             .ready = true}));
}

TEST(IncidentOpen, WithoutPagerDutyItSaysThatNobodyIsPaged) {
  Drama drama;
  drama.rules.page_service.clear();
  drama.rules.slack = false;
  drama.open();
  EXPECT_EQ(drama.effects(), "");
  EXPECT_EQ(drama.kinds(), "opened channel paged");
  EXPECT_THAT(drama.lines(), HasSubstr("Nobody is paged"));
  EXPECT_TRUE(drama.incident.pages.empty());
  drama.rules.slack = true;
  drama.open();
  EXPECT_THAT(drama.posts(), HasSubstr("Nobody is paged"));
}

TEST(IncidentOpen, GroupWaitTellsNobodyYet) {
  Drama drama;
  drama.rules.group_wait = 30s;
  drama.open();
  EXPECT_EQ(drama.incident.state, IncidentState::pending);
  EXPECT_EQ(drama.effects(), "");
  EXPECT_EQ(next_due(drama.incident), drama.now.steady + 30s);
  drama.pass(10s);
  drama.give(AlertFired{Drama::news("php")});
  EXPECT_EQ(drama.effects(), "");
  drama.give(AlertSeverityChanged{Drama::news("php", Severity::warning)});
  EXPECT_EQ(drama.effects(), "");
  drama.give(FlappingChanged{"php", true});
  EXPECT_EQ(drama.effects(), "");
  drama.tick_after(19s);
  EXPECT_EQ(drama.incident.state, IncidentState::pending);
  drama.tick_after(1s);
  EXPECT_EQ(drama.incident.state, IncidentState::open);
  EXPECT_THAT(drama.effects(), HasSubstr("create_channel"));
  EXPECT_THAT(drama.effects(), HasSubstr("trigger_page"));
  EXPECT_EQ(drama.incident.members.size(), 2u);
}

TEST(IncidentOpen, ClearingBeforeGroupWaitCancels) {
  Drama drama;
  drama.rules.group_wait = 30s;
  drama.open();
  drama.give(AlertRecovered{"nginx"});
  EXPECT_EQ(drama.incident.state, IncidentState::cancelled);
  EXPECT_EQ(drama.effects(), "");
  EXPECT_FALSE(next_due(drama.incident));
  EXPECT_TRUE(drama.give(AlertFired{Drama::news()}).refusal);
  drama.open();
  drama.give(CheckRemoved{"nginx"});
  EXPECT_EQ(drama.incident.state, IncidentState::cancelled);
  EXPECT_THAT(drama.lines(), HasSubstr("removed from the configuration"));
}

TEST(IncidentOpen, ADrillSaysSoFirstInEveryText) {
  Drama drama;
  auto news = Drama::news();
  news.drill = true;
  drama.open(news);
  EXPECT_TRUE(drama.incident.title.starts_with("DRILL: CRITICAL"));
  drama.give(Acknowledge{"jane", "cli"});
  drama.tick_after(30min);
  drama.recover_and_resolve();
  drama.give(Close{"jane", "a drill", "none needed", "", {}});
  for (const auto& line : drama.timeline) {
    EXPECT_TRUE(!line.by.empty() || line.text.starts_with("DRILL: ")) << line.text;
  }
  EXPECT_TRUE(drama.posts().starts_with("DRILL: "));
}

TEST(IncidentOpen, ADrillOfAFlappingCheckDoesNotFlap) {
  Drama drama;
  auto news = Drama::news();
  news.drill = true;
  news.flapping = true;
  drama.open(news);
  EXPECT_EQ(drama.kinds(), "opened");
  drama.recover_and_resolve();
  EXPECT_EQ(drama.incident.state, IncidentState::resolved);
}

TEST(IncidentOpen, EscalationStepsAreCopiedInOrderOfTime) {
  Drama drama;
  std::reverse(drama.rules.escalation.begin(), drama.rules.escalation.end());
  drama.open();
  EXPECT_EQ(drama.incident.escalation.at(0).page, "managers");
  drama.rules.escalation.clear();
  drama.tick_after(15min);
  EXPECT_EQ(drama.all<TriggerPage>().size(), 1u) << "the incident keeps the chain it began with";
}

}  // namespace
}  // namespace tocsin::policy
