#include "checks/rabbitmq_reply.hpp"

#include <gtest/gtest.h>

namespace tocsin::checks {
namespace {

// As RabbitMQ 3.10 answered.
constexpr const char* used =
    R"({"consumers":0,"head_message_timestamp":1795399185,"message_stats":{"ack":4,)"
    R"("ack_details":{"rate":0.2},"deliver":0,"deliver_details":{"rate":0.0},"deliver_get":5,)"
    R"("deliver_get_details":{"rate":0.0},"deliver_no_ack":0,"deliver_no_ack_details":)"
    R"({"rate":0.0},"get":0,"get_details":{"rate":0.0},"get_no_ack":1,"get_no_ack_details":)"
    R"({"rate":0.1},"publish":7,"publish_details":{"rate":0.4},"redeliver":0},"messages":2,)"
    R"("messages_ready":1,"messages_unacknowledged":1,"name":"mailers","state":"running"})";
constexpr const char* never_consumed =
    R"({"consumers":0,"head_message_timestamp":null,"message_stats":{"publish":3,)"
    R"("publish_details":{"rate":0.0}},"messages":3,"messages_ready":3,"name":"mailers"})";

TEST(RabbitmqReply, HasTheNumbersOfAQueue) {
  const auto reply = parse_rabbitmq_queue(used);
  ASSERT_TRUE(reply) << reply.error().detail;
  EXPECT_EQ(reply->state, "running");
  EXPECT_FALSE(reply->is_down());
  EXPECT_EQ(reply->messages, 2);
  EXPECT_EQ(reply->ready, 1);
  EXPECT_EQ(reply->unacknowledged, 1);
  EXPECT_EQ(reply->consumers, 0);
  EXPECT_EQ(reply->published, 7);
  EXPECT_EQ(reply->done, 5);
  EXPECT_EQ(reply->published_per_second, 0.4);
  EXPECT_NEAR(reply->done_per_second.value(), 0.3, 1e-9);
  EXPECT_EQ(reply->head_timestamp, 1795399185);
}

TEST(RabbitmqReply, WhatIsMissingIsNotZero) {
  const auto young = parse_rabbitmq_queue(R"({"name":"fresh"})");
  ASSERT_TRUE(young);
  EXPECT_FALSE(young->messages || young->consumers || young->published || young->done);
  const auto reply = parse_rabbitmq_queue(never_consumed);
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->published, 3);
  EXPECT_FALSE(reply->done || reply->done_per_second || reply->head_timestamp);
}

TEST(RabbitmqReply, NumbersOfAnotherKindAreNone) {
  const auto reply =
      parse_rabbitmq_queue(R"({"name":1,"messages":"7","consumers":-1,"state":["x"],)"
                           R"("message_stats":{"publish":null,"publish_details":[],"ack":{}}})");
  ASSERT_TRUE(reply) << reply.error().detail;
  EXPECT_FALSE(reply->messages || reply->consumers || reply->done || reply->published ||
               reply->published_per_second);
  EXPECT_EQ(reply->state, "");
  const auto huge = parse_rabbitmq_queue(R"({"name":"q","messages":1e999})");
  EXPECT_FALSE(huge && huge->messages);
}

TEST(RabbitmqReply, AQueueOutOfServiceSaysSo) {
  for (const auto* state : {"down", "crashed", "stopped", "minority"}) {
    const auto reply =
        parse_rabbitmq_queue(R"({"name":"q","state":")" + std::string{state} + "\"}");
    ASSERT_TRUE(reply);
    EXPECT_TRUE(reply->is_down()) << state;
  }
  for (const auto* state : {"running", "idle", "flow", ""}) {
    const auto reply =
        parse_rabbitmq_queue(R"({"name":"q","state":")" + std::string{state} + "\"}");
    ASSERT_TRUE(reply);
    EXPECT_FALSE(reply->is_down()) << state;
  }
}

TEST(RabbitmqReply, AnythingElseIsMalformed) {
  for (const std::string body : {"", "<html>", "7", "[]", "{}", R"({"error":"x"})",
                                 R"({"name":"q")", "\xff\xfe", R"({"name":"q","messages":1}x)"}) {
    const auto reply = parse_rabbitmq_queue(body);
    ASSERT_FALSE(reply) << body;
    EXPECT_EQ(reply.error().code, Errc::malformed);
  }
  EXPECT_FALSE(parse_rabbitmq_queue(std::string(100'000, '[')));
}

TEST(RabbitmqReply, APageHasItsQueuesAndSaysHowManyThereAre) {
  // As RabbitMQ 3.10 answered: a queue without statistics has its name only.
  const auto page = parse_rabbitmq_page(
      R"({"filtered_count":9,"item_count":2,"items":[{"consumers":0,"head_message_timestamp":null,)"
      R"("messages":7,"messages_ready":7,"messages_unacknowledged":0,"name":"mailers-1",)"
      R"("state":"running"},{"name":"mailers-2"}],"page":1,"page_count":5,"page_size":2,)"
      R"("total_count":12})");
  ASSERT_TRUE(page) << page.error().detail;
  EXPECT_EQ(page->pages, 5U);
  EXPECT_EQ(page->listed, 9U);
  ASSERT_EQ(page->queues.size(), 2U);
  EXPECT_EQ(page->queues[0].name, "mailers-1");
  EXPECT_EQ(page->queues[0].queue.messages, 7);
  EXPECT_EQ(page->queues[1].name, "mailers-2");
  EXPECT_FALSE(page->queues[1].queue.messages);
}

TEST(RabbitmqReply, AListWithoutPagesIsOnePage) {
  const auto page = parse_rabbitmq_page(R"([{"name":"a","messages":1},{"name":"b"}])");
  ASSERT_TRUE(page);
  EXPECT_EQ(page->pages, 1U);
  EXPECT_EQ(page->listed, 2U);
  EXPECT_EQ(page->queues.size(), 2U);
}

TEST(RabbitmqReply, WhatIsNoQueueOfAPageIsLeftOut) {
  const auto page = parse_rabbitmq_page(
      R"({"items":[7,null,[],{},{"name":""},{"name":8},{"name":")" + std::string(256, 'x') +
      R"("},{"name":"a\u0007"}],"page_count":-3,"filtered_count":"9"})");
  ASSERT_TRUE(page);
  ASSERT_EQ(page->queues.size(), 1U);
  EXPECT_EQ(page->queues[0].name.find('\a'), std::string::npos);
  EXPECT_EQ(page->pages, 0U);
  EXPECT_EQ(page->listed, 0U);
  for (const std::string body : {"", "<html>", "7", "{}", R"({"items":{}})", R"({"items":[)"})
    EXPECT_FALSE(parse_rabbitmq_page(body)) << body;
  EXPECT_FALSE(parse_rabbitmq_page(std::string(100'000, '[')));
}

TEST(RabbitmqReply, APageThatIsNotThereSaysSo) {
  EXPECT_TRUE(is_beyond_last_page(R"({"error":"page_out_of_range","reason":"Page out of range"})"));
  EXPECT_FALSE(is_beyond_last_page(R"({"error":"bad_request"})"));
  EXPECT_FALSE(is_beyond_last_page("[]"));
}

TEST(RabbitmqReply, AlarmsAreNamed) {
  EXPECT_EQ(rabbitmq_alarms(R"({"alarms":[{"node":"rabbit@a","resource":"memory"},)"
                            R"({"node":"rabbit@b","resource":"disk"}],"status":"failed"})"),
            "memory on rabbit@a, disk on rabbit@b");
  for (const auto* body : {"", "[]", "{}", R"({"alarms":7})", R"({"alarms":[7,{"node":"a"}]})"})
    EXPECT_EQ(rabbitmq_alarms(body), "") << body;
}

TEST(RabbitmqReply, AnErrorHasItsReason) {
  EXPECT_EQ(rabbitmq_reason(R"({"error":"not_authorized","reason":"Login failed"})"),
            "Login failed");
  EXPECT_EQ(rabbitmq_reason(R"({"error":"not_authorized"})"), "not_authorized");
  EXPECT_EQ(rabbitmq_reason(R"({"reason":7})"), "");
  EXPECT_EQ(rabbitmq_reason("<html>"), "");
}

}  // namespace
}  // namespace tocsin::checks
