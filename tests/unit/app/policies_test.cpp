#include "agent/app/policies.hpp"

#include <gtest/gtest.h>

namespace tocsin::app {
namespace {

using namespace std::chrono_literals;

Rule rule(const std::string& text) {
  auto parsed = parse_rule(text);
  return std::get<Rule>(std::move(parsed));
}

TEST(Policies, NotBeingAbleToMeasureIsGivenAsLongAsTheBreach) {
  config::CheckSetting check{.name = "web"};
  check.critical = {rule("up < 1 for 5m"), rule("up < 1 for 2 of 3")};
  EXPECT_EQ(alert_policy(check).unknown_hold, 5min);
  check.critical = {rule("up < 1 for 5s")};
  EXPECT_EQ(alert_policy(check).unknown_hold, 1min) << "never less than the default";
}

TEST(Policies, WordsForUnknownAreTakenOver) {
  config::CheckSetting check{.name = "web"};
  check.unknown = config::Unknown::hold;
  EXPECT_EQ(alert_policy(check).unknown, policy::UnknownPolicy::hold);
  check.unknown = config::Unknown::ok;
  EXPECT_EQ(alert_policy(check).unknown, policy::UnknownPolicy::ok);
}

TEST(Policies, ReceiversThatAreAbsentAreNotExpected) {
  config::Settings settings;
  auto engine = engine_settings(settings, "web-1");
  EXPECT_FALSE(engine.incidents.slack);
  EXPECT_EQ(engine.incidents.page_service, "");
  settings.slack.emplace();
  settings.slack->invite = {"@sre"};
  settings.pagerduty.emplace();
  settings.pagerduty->page = "sre";
  settings.pagerduty->page_wait = 3s;
  settings.incidents.escalation = {{.after = 15min, .page = "managers"}};
  engine = engine_settings(settings, "web-1");
  EXPECT_TRUE(engine.incidents.slack);
  EXPECT_EQ(engine.incidents.invite, std::vector<std::string>{"@sre"});
  EXPECT_EQ(engine.incidents.page_service, "sre");
  EXPECT_EQ(engine.page_wait, 3s);
  ASSERT_EQ(engine.incidents.escalation.size(), 1u);
  EXPECT_EQ(engine.incidents.escalation[0].page, "managers");
}

TEST(Policies, OwnersOfTheCheckComeBeforeTheDefaults) {
  config::Settings settings;
  settings.incidents.owners = {.sre = "@sre", .developer = "@platform"};
  config::CheckSetting check{.name = "web", .type = "http", .topic = "front"};
  check.owner.developer = "@web";
  const auto news = alert_news(check, settings, "web-1", Alert{});
  EXPECT_EQ(news.owners.sre, "@sre");
  EXPECT_EQ(news.owners.developer, "@web");
  EXPECT_EQ(news.topic, "front");
  EXPECT_EQ(news.host, "web-1");
}

}  // namespace
}  // namespace tocsin::app
