// One receiver is away: the other is told all the same, and the one that was away is told later, in
// order and once.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include <boost/json/serialize.hpp>

#include "tests/integration/agent.hpp"
#include "tests/integration/target.hpp"

namespace tocsin::integration {
namespace {

using ::testing::AnyOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Backoff after a short outage: a few doublings from one second.
constexpr Duration return_patience = 60s;

std::vector<std::string> actions(const json::value& state) {
  std::vector<std::string> out;
  for (const auto& event : items(at(state, "pagerduty", "events")))
    out.push_back(text_at(event, "action"));
  return out;
}

/// The one live channel whose name begins so; null when there is none or more than one.
const json::value& issue_channel(const json::value& state, std::string_view prefix) {
  const json::value* found = nullptr;
  for (const auto& channel : items(at(state, "slack", "channels"))) {
    if (!text_at(channel, "name").starts_with(prefix)) continue;
    if (found != nullptr) return member(channel, "none");
    found = &channel;
  }
  return found == nullptr ? member(state, "none") : *found;
}

class Outage : public ::testing::Test {
 protected:
  void SetUp() override {
    agent_.configure("checks:\n" + target_.check(), "  recover_hold: 1s\n");
    agent_.start();
    ASSERT_TRUE(eventually([&] { return agent_.get("/-/ready").status == 200; }));
  }

  /// Waits until nothing is left to deliver.
  void settle() {
    ASSERT_TRUE(eventually([&] { return agent_.get("/api/v1/outbox").json() == json::array{}; },
                           return_patience))
        << agent_.get("/api/v1/outbox").body;
  }
  /// Waits until a receiver was tried in vain at least once.
  void wait_for_failure(const std::string& receiver) {
    ASSERT_TRUE(eventually([&] {
      return agent_.metric("tocsin_deliveries_total{outcome=\"retry\",receiver=\"" + receiver +
                           "\"}") >= 1;
    })) << agent_.get("/metrics").body;
  }
  /// `triggers`: how many events told of the one page; more than one when the channel's link
  /// followed.
  static void expect_nothing_twice(const json::value& state, const std::string& triggers = "1") {
    std::map<std::string, int> messages;
    for (const auto& channel : items(at(state, "slack", "channels")))
      for (const auto& message : items(at(channel, "messages"))) {
        const auto& mark = at(message, "metadata");
        if (!mark.is_null()) ++messages[json::serialize(mark)];
      }
    for (const auto& [mark, count] : messages) EXPECT_EQ(count, 1) << mark;
    for (const auto& alert : items(at(state, "pagerduty", "alerts")))
      EXPECT_EQ(text_at(alert, "triggers"), triggers);
  }

  Target target_{"shop"};
  FakeReceivers receivers_;
  Agent agent_{&receivers_};
};

TEST_F(Outage, OfSlackDelaysNoPage) {
  receivers_.down("slack");
  const auto begun = steady_now();
  target_.breach();
  ASSERT_TRUE(
      receivers_.wait_until([](const json::value& state) { return actions(state).size() == 1; }));
  EXPECT_LT(steady_now() - begun, 6s) << "a look, and page_wait";
  const auto page = at(receivers_.state(), "pagerduty", "events", 0);
  EXPECT_THAT(text_at(page, "body", "payload", "summary"), HasSubstr("#issue-shop-"))
      << "the name at least";
  wait_for_failure("slack");

  receivers_.clear();
  ASSERT_TRUE(receivers_.wait_until(
      [](const json::value& state) { return !issue_channel(state, "issue-shop-").is_null(); },
      return_patience));
  settle();
  const auto state = receivers_.state();
  const auto& channel = issue_channel(state, "issue-shop-");
  EXPECT_THAT(text_at(channel, "topic"), HasSubstr("shop"));
  EXPECT_EQ(items(at(channel, "pins")).size(), 1u);
  // The link follows to the same page.
  EXPECT_THAT(actions(state), ElementsAre("trigger", "trigger"));
  EXPECT_EQ(items(at(state, "pagerduty", "alerts")).size(), 1u);
  const auto& update = at(state, "pagerduty", "events", 1, "body");
  EXPECT_EQ(text_at(update, "dedup_key"), text_at(page, "body", "dedup_key"));
  EXPECT_THAT(text_at(update, "links", 0, "href"), HasSubstr(text_at(channel, "id")));
  expect_nothing_twice(state, "2");
}

TEST_F(Outage, OfSlackIsMadeUpForInOrderWhenAllIsOver) {
  receivers_.down("slack");
  target_.breach();
  ASSERT_TRUE(
      receivers_.wait_until([](const json::value& state) { return actions(state).size() == 1; }));
  target_.mend();
  ASSERT_TRUE(
      receivers_.wait_until([](const json::value& state) { return actions(state).size() == 2; }));
  EXPECT_THAT(actions(receivers_.state()), ElementsAre("trigger", "resolve"));
  EXPECT_TRUE(issue_channel(receivers_.state(), "issue-shop-").is_null());

  receivers_.clear();
  ASSERT_TRUE(receivers_.wait_until(
      [](const json::value& state) { return !issue_channel(state, "issue-shop-").is_null(); },
      return_patience));
  settle();
  const auto state = receivers_.state();
  const auto& channel = issue_channel(state, "issue-shop-");
  EXPECT_EQ(text_at(channel, "archived"), "false") << "open until its root cause is known";
  EXPECT_THAT(text_at(channel, "topic"), HasSubstr("RESOLVED"));
  EXPECT_EQ(items(at(channel, "pins")).size(), 1u);
  expect_nothing_twice(state);
}

TEST_F(Outage, OfPagerDutyDelaysNoChannel) {
  receivers_.down("pagerduty");
  const auto begun = steady_now();
  target_.breach();
  ASSERT_TRUE(receivers_.wait_until([](const json::value& state) {
    return items(at(issue_channel(state, "issue-shop-"), "pins")).size() == 1;
  }));
  EXPECT_LT(steady_now() - begun, 6s);
  wait_for_failure("pagerduty/sre");
  EXPECT_THAT(actions(receivers_.state()), ElementsAre());

  receivers_.clear();
  ASSERT_TRUE(receivers_.wait_until(
      [](const json::value& state) { return !actions(state).empty(); }, return_patience));
  settle();
  const auto state = receivers_.state();
  EXPECT_THAT(actions(state), ElementsAre("trigger"));
  expect_nothing_twice(state);
}

TEST_F(Outage, OfPagerDutySendsNoResolveBeforeItsTrigger) {
  receivers_.down("pagerduty");
  target_.breach();
  wait_for_failure("pagerduty/sre");
  target_.mend();
  agent_.wait_for_incident("shop", "resolved");
  receivers_.clear();
  settle();
  const auto state = receivers_.state();
  EXPECT_THAT(actions(state), ElementsAre("trigger", "resolve"))
      << "it may have arrived: it is ended";
  EXPECT_EQ(text_at(state, "pagerduty", "alerts", 0, "state"), "resolved");
  expect_nothing_twice(state);
}

TEST_F(Outage, OfBothLosesNothing) {
  receivers_.down("slack");
  receivers_.down("pagerduty");
  target_.breach();
  wait_for_failure("slack");
  wait_for_failure("pagerduty/sre");
  agent_.stop();  // Even a restart meanwhile.
  agent_.start();
  receivers_.clear();
  ASSERT_TRUE(receivers_.wait_until(
      [](const json::value& state) {
        return !actions(state).empty() &&
               items(at(issue_channel(state, "issue-shop-"), "pins")).size() == 1;
      },
      return_patience));
  settle();
  const auto state = receivers_.state();
  // Whichever is back first: a page that went before the channel was there gets its link after.
  EXPECT_THAT(actions(state), AnyOf(ElementsAre("trigger"), ElementsAre("trigger", "trigger")));
  EXPECT_EQ(items(at(state, "pagerduty", "alerts")).size(), 1u);
  expect_nothing_twice(state, std::to_string(actions(state).size()));
}

TEST_F(Outage, OfAnswersAloneRepeatsNothing) {
  // Each call is carried out once with its answer lost, so that the agent cannot know.
  for (const auto* method :
       {"conversations.create", "chat.postMessage", "pins.add", "conversations.invite"})
    receivers_.control(
        "fault", json::object{{"receiver", "slack"}, {"kind", "cut_after"}, {"operation", method}});
  receivers_.control("fault", json::object{{"receiver", "pagerduty"}, {"kind", "cut_after"}});
  target_.breach();
  ASSERT_TRUE(receivers_.wait_until(
      [](const json::value& state) {
        return actions(state).size() == 2 &&
               items(at(issue_channel(state, "issue-shop-"), "pins")).size() == 1;
      },
      return_patience));
  settle();
  const auto state = receivers_.state();
  EXPECT_EQ(items(at(state, "pagerduty", "alerts")).size(), 1u) << "the same key again";
  std::map<std::string, int> messages;
  for (const auto& message : items(at(issue_channel(state, "issue-shop-"), "messages")))
    if (!at(message, "metadata").is_null()) ++messages[json::serialize(at(message, "metadata"))];
  for (const auto& [mark, count] : messages) EXPECT_EQ(count, 1) << mark;
}

}  // namespace
}  // namespace tocsin::integration
