#include "tests/fakes/pagerduty.hpp"

#include <gtest/gtest.h>

#include "tests/fakes/manual_clock.hpp"

namespace tocsin::fakes {
namespace {

using Became = PagerDutyEvent::Became;
using namespace std::chrono_literals;

const std::string key_a(32, 'a');
const std::string key_b(32, 'b');

struct FakePagerDutyTest : testing::Test {
  ManualClock clock{};
  FakePagerDuty pagerduty{[this] { return clock.now(); }};

  HttpReply enqueue(const std::string& body, const std::string& target = "/v2/enqueue") {
    return pagerduty.handle({"POST", target, {{"Content-Type", "application/json"}}, body});
  }
  HttpReply trigger(const std::string& dedup, const std::string& key = key_a,
                    const std::string& summary = "nginx is down", const std::string& more = "") {
    return enqueue(R"({"routing_key":")" + key + R"(","event_action":"trigger","dedup_key":")" +
                   dedup + R"(","payload":{"summary":")" + summary +
                   R"(","source":"web-1","severity":"critical"})" + more + "}");
  }
  HttpReply act(const std::string& action, const std::string& dedup,
                const std::string& key = key_a) {
    return enqueue(R"({"routing_key":")" + key + R"(","event_action":")" + action +
                   R"(","dedup_key":")" + dedup + "\"}");
  }
};

TEST_F(FakePagerDutyTest, AcceptsATriggerAndEchoesItsKey) {
  const auto reply = trigger("nginx/1");
  EXPECT_EQ(reply.status, 202);
  EXPECT_EQ(reply.body,
            R"({"status":"success","message":"Event processed","dedup_key":"nginx/1"})");
  ASSERT_EQ(pagerduty.journal().size(), 1U);
  EXPECT_EQ(pagerduty.journal().front().became, Became::opened);
}

TEST_F(FakePagerDutyTest, TriggersOfAnOpenAlertJoinIt) {
  trigger("k");
  trigger("k");
  EXPECT_EQ(pagerduty.opened("k"), 1U);
  EXPECT_EQ(pagerduty.triggers("k"), 2U);
}

TEST_F(FakePagerDutyTest, TheSameDedupKeyUnderAnotherRoutingKeyIsAnotherAlert) {
  trigger("k", key_a);
  trigger("k", key_b);
  EXPECT_EQ(pagerduty.opened("k"), 2U);
}

TEST_F(FakePagerDutyTest, AcknowledgeAndResolveWithoutATriggerAreTakenAndDropped) {
  EXPECT_EQ(act("resolve", "k").status, 202);
  EXPECT_EQ(act("acknowledge", "k").status, 202);
  EXPECT_EQ(pagerduty.journal()[0].became, Became::dropped);
  EXPECT_EQ(pagerduty.journal()[1].became, Became::dropped);
  EXPECT_TRUE(pagerduty.alerts().empty());
}

TEST_F(FakePagerDutyTest, AResolveUnderAnotherRoutingKeyIsDropped) {
  trigger("k", key_a);
  act("resolve", "k", key_b);
  EXPECT_EQ(pagerduty.open_alerts(), 1U);
}

TEST_F(FakePagerDutyTest, AfterAResolveATriggerOpensANewAlert) {
  trigger("k");
  act("acknowledge", "k");
  EXPECT_EQ(pagerduty.open_alert("k")->state, PagerDutyAlert::State::acknowledged);
  act("resolve", "k");
  EXPECT_EQ(pagerduty.open_alerts(), 0U);
  trigger("k");
  EXPECT_EQ(pagerduty.opened("k"), 2U);
  EXPECT_EQ(pagerduty.open_alerts(), 1U);
}

TEST_F(FakePagerDutyTest, ATriggerWithoutAKeyIsNeverRecognisedAgain) {
  const std::string body =
      R"({"routing_key":")" + key_a +
      R"(","event_action":"trigger","payload":{"summary":"s","source":"h","severity":"info"}})";
  enqueue(body);
  enqueue(body);
  EXPECT_EQ(pagerduty.open_alerts(), 2U);
}

TEST_F(FakePagerDutyTest, RefusesWhatIsNotAnEventAndSaysWhy) {
  EXPECT_EQ(enqueue("{").status, 400);
  EXPECT_NE(enqueue("{").body.find("JSON parse error"), std::string::npos);
  EXPECT_NE(trigger("k", "short").body.find("32 characters"), std::string::npos);
  EXPECT_NE(act("close", "k").body.find("'event_action' is invalid"), std::string::npos);
  EXPECT_NE(act("resolve", "").body.find("'dedup_key' is missing"), std::string::npos);
  EXPECT_NE(trigger("k", key_a, std::string(1025, 's')).body.find("1024"), std::string::npos);
  EXPECT_EQ(trigger("k", key_a, std::string(1024, 's')).status, 202);
  EXPECT_NE(trigger(std::string(256, 'k')).body.find("255"), std::string::npos);
  EXPECT_EQ(trigger("k", key_a, "s", R"(,"links":[{"text":"no address"}])").status, 400);
}

TEST_F(FakePagerDutyTest, KnowsItsRoutingKeysWhenToldThem) {
  pagerduty.set_options({.routing_keys = {key_a}});
  EXPECT_EQ(trigger("k", key_a).status, 202);
  EXPECT_EQ(trigger("k", key_b).status, 400);
}

TEST_F(FakePagerDutyTest, RefusesMoreThan512KilobytesOnceAndForAll) {
  const auto padded = [&](std::size_t size) {
    std::string body =
        R"({"routing_key":")" + key_a + R"(","event_action":"resolve","dedup_key":"k","x":")";
    body.append(size - body.size() - 2, 'x');
    return body + "\"}";
  };
  EXPECT_EQ(enqueue(padded(512'000)).status, 202);
  EXPECT_EQ(enqueue(padded(512'001)).status, 413);
}

TEST_F(FakePagerDutyTest, ThrottlesEachKeyByTheLastMinuteAndIngestsNothingThen) {
  pagerduty.set_options({.events_per_minute = 2});
  trigger("k");
  trigger("k");
  EXPECT_EQ(trigger("k").status, 429);
  EXPECT_EQ(trigger("k", key_b).status, 202);
  EXPECT_EQ(pagerduty.journal().size(), 3U);
  clock.advance(59s);
  EXPECT_EQ(trigger("k").status, 429);
  clock.advance(1s);
  EXPECT_EQ(trigger("k").status, 202);
}

TEST_F(FakePagerDutyTest, TakesChangeEventsAndNoOtherPathOrMethod) {
  EXPECT_EQ(enqueue("{}", "/v2/change/enqueue").status, 202);
  EXPECT_EQ(enqueue("{}", "/v1/enqueue").status, 404);
  EXPECT_EQ(pagerduty.handle({"GET", "/v2/enqueue", {}, ""}).status, 405);
}

TEST_F(FakePagerDutyTest, PeopleActInPagerDutyToo) {
  trigger("k");
  EXPECT_TRUE(pagerduty.acknowledge_by_hand("k"));
  EXPECT_TRUE(pagerduty.resolve_by_hand("k"));
  EXPECT_FALSE(pagerduty.resolve_by_hand("k"));
}

}  // namespace
}  // namespace tocsin::fakes
