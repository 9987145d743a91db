#include "agent/notify/rate_limit.hpp"

#include <gtest/gtest.h>

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include "tests/unit/notify/stage.hpp"

namespace tocsin::notify {
namespace {

using namespace std::chrono_literals;
const SteadyTime start{1000h};

TEST(Bucket, LetsABurstGoAndThenOneAnInterval) {
  Bucket bucket{{3s, 2}};
  auto now = start;
  EXPECT_LE(bucket.ready_at(), now);
  bucket.spend(now);
  EXPECT_LE(bucket.ready_at(), now);
  bucket.spend(now);
  EXPECT_EQ(bucket.ready_at(), now + 3s);
  now += 3s;
  bucket.spend(now);
  EXPECT_EQ(bucket.ready_at(), now + 3s);
  EXPECT_FALSE(bucket.idle(now));
  EXPECT_TRUE(bucket.idle(now + 6s));
}

TEST(Bucket, APauseHoldsAndALaterOneWins) {
  Bucket bucket{{1s, 5}};
  bucket.pause(start + 30s);
  bucket.pause(start + 10s);
  EXPECT_EQ(bucket.ready_at(), start + 30s);
}

TEST(SlackRateLimit, NoMethodExceedsItsTierOverAnyMinuteButForTheBurst) {
  for (const auto& facts : slack_method_facts()) {
    if (facts.tier == Tier::special) continue;
    SlackRateLimit limit;
    int sent = 0;
    for (auto now = start; now < start + 60s; now += 10ms) {
      while (limit.ready_at(facts.method, "") <= now) {
        limit.spend(facts.method, "", now);
        ++sent;
      }
    }
    const auto pace = pace_of(facts.tier);
    EXPECT_LE(sent, pace.burst + static_cast<int>(60s / pace.interval) + 1) << facts.name;
    EXPECT_GE(sent, static_cast<int>(60s / pace.interval)) << facts.name;
  }
}

TEST(SlackRateLimit, APauseOfOneMethodLeavesTheOthersAlone) {
  SlackRateLimit limit;
  limit.pause(SlackMethod::conversations_create, "", start, 60s);
  EXPECT_EQ(limit.ready_at(SlackMethod::conversations_create, ""), start + 60s);
  EXPECT_LE(limit.ready_at(SlackMethod::conversations_invite, ""), start);
}

TEST(SlackRateLimit, APauseOfOneChannelLeavesTheOthersAlone) {
  SlackRateLimit limit;
  limit.pause(SlackMethod::chat_post_message, "C1", start, 60s);
  EXPECT_EQ(limit.ready_at(SlackMethod::chat_post_message, "C1"), start + 60s);
  EXPECT_EQ(limit.ready_at(SlackMethod::chat_update, "C1"), start + 60s);
  EXPECT_LE(limit.ready_at(SlackMethod::chat_post_message, "C2"), start);
}

TEST(SlackRateLimit, AChannelGetsAboutAMessageASecond) {
  SlackRateLimit limit;
  int sent = 0;
  for (auto now = start; now < start + 60s; now += 10ms) {
    if (limit.ready_at(SlackMethod::chat_post_message, "C1") > now) continue;
    limit.spend(SlackMethod::chat_post_message, "C1", now);
    ++sent;
  }
  EXPECT_GE(sent, 60);
  EXPECT_LE(sent, 65);
}

TEST(SlackRateLimit, ForgetsChannelsRatherThanGrow) {
  SlackRateLimit limit;
  for (int i = 0; i < 5000; ++i) {
    // Half of them busy for long, so that there is not always an idle one to forget.
    const auto channel = "C" + std::to_string(i);
    if (i % 2 == 0) limit.pause(SlackMethod::chat_post_message, channel, start, 1h);
    limit.spend(SlackMethod::chat_post_message, channel, start + i * 200ms);
    ASSERT_LE(limit.channels(), SlackRateLimit::channels_max);
  }
}

TEST(SlackMethods, HaveTheTiersThatSlackDocuments) {
  const auto all = boost::json::parse(testing::fixture("slack/error_codes.json"));
  std::map<std::string, int> tiers;
  for (const auto& entry : all.at("methods").as_array()) {
    tiers[std::string{entry.at("method").as_string()}] =
        static_cast<int>(entry.at("tier").as_int64());
  }
  ASSERT_EQ(tiers.size(), slack_methods);
  for (const auto& facts : slack_method_facts()) {
    EXPECT_EQ(tiers[std::string{facts.name}], static_cast<int>(facts.tier) + 1) << facts.name;
  }
}

}  // namespace
}  // namespace tocsin::notify
