// A real nginx dies: the issue channel, the page, the way back, and the next time.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include <boost/json/serialize.hpp>

#include "tests/integration/agent.hpp"
#include "tests/integration/nginx.hpp"
#include "tocsin/base/time.hpp"
#include "tocsin/model/summary.hpp"

namespace tocsin::integration {
namespace {

using ::testing::HasSubstr;

class EndToEnd : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!Nginx::installed()) GTEST_SKIP() << "nginx is not installed: apt-get install nginx";
    nginx_.start();
    agent_.configure(
        "checks:\n  - name: nginx\n    type: process\n    every: 1s\n    match: {name: nginx, "
        "pidfile: " +
            nginx_.pidfile() +
            "}\n    runbook: https://runbooks.example.com/nginx\n    critical: up < 1\n    clear: "
            "up >= 1\n",
        "  recover_hold: 1s\n");
    agent_.start();
    ASSERT_TRUE(eventually([&] { return agent_.get("/-/ready").status == 200; }));
  }

  /// Kills nginx's master and returns the incident that this opens.
  json::value breach() {
    nginx_.kill_master();
    return agent_.wait_for_incident("nginx", "open");
  }
  json::value recover() {
    nginx_.clear_up();
    nginx_.start();
    return agent_.wait_for_incident("nginx", "resolved");
  }

  static std::string base_name(const json::value& incident) {
    // "2026-11-22T…": the day that it opened, for the test may run over midnight.
    const auto opened = text_at(incident, "opened_at");
    return "issue-nginx-" + opened.substr(8, 2) + opened.substr(5, 2);
  }

  FakeReceivers receivers_;
  Nginx nginx_;
  Agent agent_{&receivers_};
};

/// The pinned message of a channel; null unless there is exactly one.
const json::value& pinned(const json::value& channel) {
  const json::value* found = nullptr;
  int count = 0;
  for (const auto& message : items(at(channel, "messages"))) {
    if (text_at(message, "pinned") != "true") continue;
    found = &message;
    ++count;
  }
  return count == 1 ? *found : member(channel, "none");
}

bool has_member(const json::value& channel, std::string_view user) {
  const auto& members = items(at(channel, "members"));
  return std::any_of(members.begin(), members.end(),
                     [&](const json::value& each) { return text(each) == user; });
}

int events(const json::value& state, std::string_view action) {
  int count = 0;
  for (const auto& event : items(at(state, "pagerduty", "events"))) {
    count += text_at(event, "action") == action ? 1 : 0;
  }
  return count;
}

TEST_F(EndToEnd, AKilledNginxBecomesAChannelWithAllThatPeopleNeed) {
  const auto incident = breach();
  const auto name = base_name(incident);
  ASSERT_TRUE(receivers_.wait_until([&](const json::value& state) {
    const auto& channel = FakeReceivers::channel(state, name);
    return has_member(channel, "U0JANE") && has_member(channel, "U0OMAR") &&
           !pinned(channel).is_null() && items(at(channel, "bookmarks")).size() == 2;
  })) << json::serialize(receivers_.state());
  const auto state = receivers_.state();
  const auto& channel = FakeReceivers::channel(state, name);

  EXPECT_THAT(text_at(channel, "purpose"), HasSubstr("tocsin:" + text_at(incident, "id")));
  EXPECT_THAT(text_at(channel, "topic"), HasSubstr("@sre"));
  EXPECT_THAT(text_at(channel, "topic"), HasSubstr("@platform"));
  EXPECT_THAT(text_at(channel, "topic"), HasSubstr("nginx"));
  EXPECT_EQ(text_at(channel, "archived"), "false");
  const auto summary = json::serialize(pinned(channel));
  for (const auto& field : summary_field_names())
    EXPECT_THAT(summary, HasSubstr(std::string{field.title}));
  EXPECT_THAT(summary, HasSubstr("integration"));
  EXPECT_THAT(summary, HasSubstr("UNKNOWN")) << "what nobody knows yet is said";
  EXPECT_THAT(summary, HasSubstr("0 of at least 1 running")) << "evidence";
  EXPECT_EQ(text_at(channel, "bookmarks", 0, "link"), "https://runbooks.example.com/nginx");
  EXPECT_EQ(text_at(channel, "bookmarks", 1, "link"), "https://app.pagerduty.com/incidents");
}

TEST_F(EndToEnd, ThereIsOnePageWithTheChannelAndTheEvidence) {
  const auto name = base_name(breach());
  ASSERT_TRUE(receivers_.wait_until([&](const json::value& state) {
    return events(state, "trigger") == 1 && !pinned(FakeReceivers::channel(state, name)).is_null();
  }));
  const auto state = receivers_.state();
  EXPECT_EQ(items(at(state, "pagerduty", "alerts")).size(), 1u);
  const auto& body = at(state, "pagerduty", "events", 0, "body");
  const auto page = json::serialize(body);
  EXPECT_THAT(text_at(body, "payload", "summary"), HasSubstr("#" + name));
  EXPECT_THAT(page, HasSubstr("0 of at least 1 running"));
  EXPECT_EQ(text_at(body, "payload", "severity"), "critical");
  EXPECT_THAT(text_at(body, "dedup_key"), ::testing::StartsWith("tocsin/integration/web-1/nginx/"));
}

TEST_F(EndToEnd, TheWayBackResolvesThePageAndClosingNeedsARootCause) {
  const auto incident = breach();
  const auto id = text_at(incident, "id");
  const auto name = base_name(incident);
  ASSERT_TRUE(receivers_.wait_until(
      [&](const json::value& state) { return events(state, "trigger") == 1; }));
  recover();
  ASSERT_TRUE(receivers_.wait_until([&](const json::value& state) {
    return text_at(state, "pagerduty", "alerts", 0, "state") == "resolved";
  }));
  EXPECT_EQ(text_at(FakeReceivers::channel(receivers_.state(), name), "archived"), "false");

  const auto refused = agent_.command({"incident", "close", id});
  EXPECT_EQ(refused.code, 1);
  EXPECT_THAT(refused.errors, HasSubstr("cannot be closed without its root cause and its fix"));
  const auto half = agent_.command({"incident", "close", id, "--root-cause", "killed by a test"});
  EXPECT_EQ(half.code, 1);
  EXPECT_THAT(half.errors, HasSubstr("without its fix"));
  const auto closed = agent_.command({"incident", "close", id, "--root-cause", "killed by a test",
                                      "--fix", "started again", "--archive-after", "1s"});
  EXPECT_EQ(closed.code, 0) << closed.errors;
  EXPECT_TRUE(receivers_.wait_until([&](const json::value& state) {
    return text_at(FakeReceivers::channel(state, name), "archived") == "true";
  }));
  agent_.wait_for_incident("nginx", "archived");
  const auto detail = agent_.incident(id);
  EXPECT_EQ(text_at(detail, "root_cause"), "killed by a test");
  EXPECT_EQ(text_at(detail, "fix"), "started again");
}

TEST_F(EndToEnd, TheNextBreachOfTheDayHasItsOwnChannelAndLinksTheLastOne) {
  const auto first = breach();
  recover();
  ASSERT_EQ(agent_
                .command({"incident", "close", text_at(first, "id"), "--waive", "a test", "--by",
                          "jane", "--archive-after", "1s"})
                .code,
            0);
  agent_.wait_for_incident("nginx", "archived");
  ASSERT_TRUE(receivers_.wait_until([&](const json::value& state) {
    return text_at(FakeReceivers::channel(state, base_name(first)), "archived") == "true";
  }));

  const auto second = breach();
  EXPECT_NE(text_at(second, "id"), text_at(first, "id"));
  const auto name = base_name(second) + (base_name(second) == base_name(first) ? "-2" : "");
  ASSERT_TRUE(receivers_.wait_until([&](const json::value& state) {
    return !pinned(FakeReceivers::channel(state, name)).is_null() && events(state, "trigger") == 2;
  })) << json::serialize(receivers_.state());
  const auto state = receivers_.state();
  EXPECT_EQ(items(at(state, "pagerduty", "alerts")).size(), 2u);
  EXPECT_THAT(json::serialize(pinned(FakeReceivers::channel(state, name))),
              HasSubstr(base_name(first)));
  EXPECT_EQ(text_at(agent_.incident(text_at(second, "id")), "previous", "id"),
            text_at(first, "id"));
}

TEST_F(EndToEnd, ARefireBeforeClosingComesBackToTheSameChannelWithANewGeneration) {
  const auto first = breach();
  ASSERT_TRUE(receivers_.wait_until(
      [&](const json::value& state) { return events(state, "trigger") == 1; }));
  recover();
  const auto again = breach();
  EXPECT_EQ(text_at(again, "id"), text_at(first, "id"));
  EXPECT_EQ(text_at(again, "generation"), "2");
  ASSERT_TRUE(receivers_.wait_until(
      [&](const json::value& state) { return events(state, "trigger") == 2; }));
  const auto state = receivers_.state();
  EXPECT_THAT(text_at(state, "pagerduty", "alerts", 1, "dedup_key"), ::testing::EndsWith("/g2"));
  int channels = 0;
  for (const auto& channel : items(at(state, "slack", "channels")))
    channels += text_at(channel, "name").starts_with("issue-") ? 1 : 0;
  EXPECT_EQ(channels, 1);
}

}  // namespace
}  // namespace tocsin::integration
