#include "checks/queue.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/checks/canned_network.hpp"
#include "tests/unit/checks/made_check.hpp"

namespace tocsin {
namespace {

using namespace std::chrono_literals;
using checks_test::CannedNetwork;
using checks_test::complaints_of;
using checks_test::made;
using checks_test::map_of;
using checks_test::names_of;
using checks_test::word;
using fakes::value_of;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using Entries = std::vector<std::pair<std::string, Node>>;

Node from_rabbitmq(Entries more = {}) {
  Entries block{{"url", word("http://mq.example:15672")}, {"queue", word("mailers")}};
  block.insert(block.end(), more.begin(), more.end());
  return map_of({{"from", map_of({{"rabbitmq", map_of(std::move(block))}})}});
}

struct Broker {
  CannedNetwork network{};
  fakes::FakeHost host{&network};
  std::unique_ptr<Check> check = made(queue_check(), from_rabbitmq());

  Result<Samples> look(std::string body, int status = 200, bool gap = false) {
    network.answer(status, std::move(body));
    return host.run(*check, gap);
  }
  std::optional<double> value(const Samples& samples, std::string_view name) const {
    return value_of(*check, samples, name);
  }
};

std::string queue_with(int messages, int consumers, std::string more = "") {
  return R"({"name":"mailers","state":"running","messages":)" + std::to_string(messages) +
         R"(,"messages_ready":)" + std::to_string(messages) +
         R"(,"messages_unacknowledged":0,"consumers":)" + std::to_string(consumers) +
         std::move(more) + "}";
}
std::string with_counters(int messages, int consumers, int published, int acknowledged) {
  return queue_with(messages, consumers,
                    R"(,"message_stats":{"publish":)" + std::to_string(published) + R"(,"ack":)" +
                        std::to_string(acknowledged) + "}");
}

TEST(QueueCheck, AsksForOneQueueByName) {
  CannedNetwork network;
  fakes::FakeHost host{&network};
  network.answer(200, queue_with(0, 1));
  const auto check = made(
      queue_check(), map_of({{"from", map_of({{"rabbitmq", map_of({
                                                               {"url", word("http://mq/rabbit/")},
                                                               {"vhost", word("shop/eu")},
                                                               {"queue", word("out box")},
                                                               {"username", word("sre")},
                                                           })}})}}));
  ASSERT_TRUE(host.run(*check));
  const auto& request = network.asked.at(0);
  EXPECT_EQ(request.method, "GET");
  EXPECT_THAT(request.url.target,
              testing::StartsWith("/rabbit/api/queues/shop%2Feu/out%20box?columns="));
  EXPECT_THAT(request.headers, testing::Contains(testing::Pair("authorization", "Basic c3JlOg==")));
  EXPECT_LT(request.deadline, host.clock.steady() + 5s);
}

TEST(QueueCheck, TheFirstLookKnowsNoRatesUnlessTheBrokerSaysThem) {
  Broker broker;
  const auto bare = broker.look(with_counters(10, 2, 500, 490));
  ASSERT_TRUE(bare);
  EXPECT_THAT(names_of(*broker.check, *bare), ElementsAre("up", "depth", "consumers"));
  EXPECT_EQ(broker.value(*bare, "depth"), 10);
  EXPECT_EQ(broker.value(*bare, "consumers"), 2);

  Broker other;
  const auto said = other.look(
      queue_with(90, 2,
                 R"(,"message_stats":{"publish":9,"publish_details":{"rate":2.0},)"
                 R"("ack":3,"ack_details":{"rate":4.5},"deliver_no_ack_details":{"rate":0.5}})"));
  ASSERT_TRUE(said);
  EXPECT_EQ(other.value(*said, "in_per_second"), 2);
  EXPECT_EQ(other.value(*said, "out_per_second"), 5);
  EXPECT_EQ(other.value(*said, "drain_seconds"), 30);
}

TEST(QueueCheck, RatesComeFromTheCountersAndFillTheEstimate) {
  Broker broker;
  ASSERT_TRUE(broker.look(with_counters(5000, 3, 1000, 900)));
  broker.host.clock.advance(10s);
  const auto samples = broker.look(with_counters(4950, 3, 1020, 970));
  ASSERT_TRUE(samples);
  EXPECT_EQ(broker.value(*samples, "in_per_second"), 2);
  EXPECT_EQ(broker.value(*samples, "out_per_second"), 7);
  EXPECT_EQ(broker.value(*samples, "drain_seconds"), 990);
  const auto evidence = broker.host.evidence(*broker.check);
  EXPECT_EQ(evidence.recovery_estimate, "drains in about 17 min at the present rate");
  EXPECT_THAT(
      evidence.lines,
      ElementsAre("4950 in queue \"mailers\" on mq.example:15672, 3 consumers",
                  "2/s come in, 7/s go out", "it drains in about 17 min at the present rate"));
  EXPECT_EQ(evidence.probable_cause, "");
}

TEST(QueueCheck, AQueueThatNobodyConsumesSaysSo) {
  Broker broker;
  ASSERT_TRUE(broker.look(with_counters(0, 1, 1000, 1000)));
  broker.host.clock.advance(5min);
  ASSERT_TRUE(broker.look(with_counters(0, 0, 1000, 1000)));
  broker.host.clock.advance(10s);
  const auto samples = broker.look(with_counters(120, 0, 1120, 1000));
  ASSERT_TRUE(samples);
  EXPECT_EQ(broker.value(*samples, "drain_seconds"), 30 * 86400);
  const auto evidence = broker.host.evidence(*broker.check);
  EXPECT_EQ(evidence.recovery_estimate,
            "does not drain: it has no consumers; 12/s come in, 0/s go out");
  EXPECT_EQ(evidence.probable_cause, "nobody consumes queue \"mailers\" on mq.example:15672");
  EXPECT_THAT(evidence.lines, testing::Contains("it grew from 0 to 120 in 10s"));
}

TEST(QueueCheck, MoreThanItsConsumersTakeIsNamedAsTheCause) {
  Broker broker;
  ASSERT_TRUE(broker.look(with_counters(100, 2, 1000, 900)));
  broker.host.clock.advance(10s);
  ASSERT_TRUE(broker.look(with_counters(190, 2, 1120, 930)));
  const auto evidence = broker.host.evidence(*broker.check);
  EXPECT_EQ(evidence.recovery_estimate, "does not drain: 12/s come in, 3/s go out");
  EXPECT_THAT(evidence.probable_cause, HasSubstr("more comes in than is taken out"));
}

TEST(QueueCheck, NothingIsComparedAcrossAGapAnOutageOrACounterThatWentBack) {
  enum class Between { gap, outage, error, counters };
  for (const auto between : {Between::gap, Between::outage, Between::error, Between::counters}) {
    Broker broker;
    ASSERT_TRUE(broker.look(with_counters(10, 2, 1000, 900)));
    broker.host.clock.advance(10s);
    if (between == Between::outage) {
      ASSERT_TRUE(broker.look("", 503));
    }
    if (between == Between::error) {
      broker.network.fail(NetPhase::connect, Errc::internal, "Too many open files");
      ASSERT_FALSE(broker.host.run(*broker.check));
    }
    broker.host.clock.advance(10s);
    const bool back = between == Between::counters;
    const auto samples =
        broker.look(with_counters(10, 2, back ? 10 : 2000, 1900), 200, between == Between::gap);
    ASSERT_TRUE(samples);
    EXPECT_THAT(names_of(*broker.check, *samples), ElementsAre("up", "depth", "consumers"))
        << static_cast<int>(between);
  }
}

TEST(QueueCheck, TheOldestMessageHasAnAgeWhenItsSenderWroteATime) {
  Broker broker;
  const std::chrono::duration<double> now = broker.host.clock.wall().time_since_epoch();
  const auto sent = std::to_string(static_cast<long>(now.count()) - 90);
  const auto samples = broker.look(queue_with(3, 1, R"(,"head_message_timestamp":)" + sent));
  ASSERT_TRUE(samples);
  EXPECT_NEAR(broker.value(*samples, "oldest_seconds").value(), 90, 1);
  const auto unsaid = broker.look(queue_with(3, 1, R"(,"head_message_timestamp":"")"));
  ASSERT_TRUE(unsaid);
  EXPECT_FALSE(broker.value(*unsaid, "oldest_seconds"));
  const auto ahead = broker.look(queue_with(3, 1, R"(,"head_message_timestamp":99999999999)"));
  ASSERT_TRUE(ahead);
  EXPECT_EQ(broker.value(*ahead, "oldest_seconds"), 0);
}

TEST(QueueCheck, ABrokerThatRefusesOrLacksTheQueueIsDown) {
  struct Row {
    int status;
    std::string body;
    std::string sentence;
  };
  const Row table[] = {
      {401, R"({"error":"not_authorised","reason":"Login failed"})",
       "mq.example:15672 asks for credentials (status 401): \"Login failed\""},
      {404, R"({"error":"Object Not Found","reason":"Not Found"})",
       "there is no queue \"mailers\" on mq.example:15672 (status 404)"},
      {404, "<html>", "no management interface of RabbitMQ"},
      {503, "", "mq.example:15672 answered with status 503"},
      {302, "", "mq.example:15672 answered with status 302"},
      {200, "<html>", "the answer of mq.example:15672 is not JSON"},
      {200, "[]", "is JSON but not the description of a queue"},
      {200, R"({"status":"ok"})", "is JSON but not the description of a queue"},
      {200, R"({"name":"mailers","state":"down"})",
       "queue \"mailers\" is down on mq.example:15672"},
  };
  for (const auto& row : table) {
    Broker broker;
    const auto samples = broker.look(row.body, row.status);
    ASSERT_TRUE(samples) << row.sentence;
    EXPECT_THAT(names_of(*broker.check, *samples), ElementsAre("up"));
    EXPECT_EQ(broker.value(*samples, "up"), 0);
    const auto evidence = broker.host.evidence(*broker.check);
    EXPECT_THAT(evidence.lines, ElementsAre(HasSubstr(row.sentence)));
    EXPECT_THAT(evidence.probable_cause, HasSubstr(row.sentence));
  }
}

TEST(QueueCheck, ABrokerThatCannotBeReachedIsDown) {
  Broker broker;
  broker.network.fail(NetPhase::connect, Errc::unreachable,
                      "connect to mq.example:15672 failed: Connection refused");
  const auto samples = broker.host.run(*broker.check);
  ASSERT_TRUE(samples);
  EXPECT_EQ(broker.value(*samples, "up"), 0);
  EXPECT_THAT(broker.host.evidence(*broker.check).probable_cause, HasSubstr("Connection refused"));
}

TEST(QueueCheck, NumbersThatAreNotThereYetAreUnknownAndNotZero) {
  Broker broker;
  const auto samples = broker.look(R"({"name":"mailers","consumers":0,"state":"running"})");
  ASSERT_FALSE(samples);
  EXPECT_EQ(samples.error().code, Errc::missing);
  EXPECT_THAT(samples.error().detail, HasSubstr("no statistics of queue \"mailers\" yet"));
  EXPECT_THAT(broker.host.evidence(*broker.check).lines, IsEmpty());
}

TEST(QueueCheck, OurOwnTroubleIsNotTheBrokers) {
  Broker broker;
  broker.network.fail(NetPhase::connect, Errc::internal, "Too many open files");
  EXPECT_FALSE(broker.host.run(*broker.check));
}

TEST(QueueCheck, WhatIsDeliveredAndNotDoneIsTold) {
  Broker broker;
  ASSERT_TRUE(broker.look(R"({"name":"mailers","messages":1500,"messages_ready":500,)"
                          R"("messages_unacknowledged":1000,"consumers":1})"));
  EXPECT_THAT(broker.host.evidence(*broker.check).lines,
              testing::Contains("500 ready, 1000 delivered and not acknowledged"));
}

TEST(QueueCheck, BadParametersAreComplainedOf) {
  const std::pair<Node, std::string> table[] = {
      {map_of({}), "from"},
      {map_of({{"from", map_of({})}}), "from: name one back end: rabbitmq"},
      {map_of({{"from", map_of({{"rabitmq", map_of({})}})}}), "rabitmq"},
      {map_of({{"from",
                map_of({{"rabbitmq", map_of({{"url", word("http://mq")}, {"queue", word("q")}})},
                        {"beanstalkd",
                         map_of({{"address", word("jobs:11300")}, {"tube", word("mailers")}})}})}}),
       "name one back end, not several (rabbitmq, beanstalkd)"},
      {map_of({{"from", map_of({{"rabbitmq", map_of({{"queue", word("q")}})}})}}), "url"},
      {map_of({{"from", map_of({{"rabbitmq", map_of({{"url", word("http://mq")}})}})}}), "queue"},
      {from_rabbitmq({{"vhost", word("")}}), "from.rabbitmq.vhost: a virtual host has a name"},
      {from_rabbitmq({{"username", word("a:b")}}), "no way to say a ':'"},
      {from_rabbitmq({{"headers", map_of({{"A b", word("c")}})}}), "the header \"A b\""},
      {map_of({{"from", map_of({{"rabbitmq", map_of({{"url", word("http://mq/api/")},
                                                     {"queue", word("q")}})}})}}),
       "leave /api out"},
      {map_of({{"from", map_of({{"rabbitmq", map_of({{"url", word("http://mq/?x=1")},
                                                     {"queue", word("q")}})}})}}),
       "no query"},
  };
  for (const auto& [map, sentence] : table) {
    const auto complaints = complaints_of(queue_check(), map);
    ASSERT_FALSE(complaints.empty()) << sentence;
    EXPECT_THAT(complaints.front(), HasSubstr(sentence));
  }
  EXPECT_THAT(complaints_of(queue_check(), from_rabbitmq()), IsEmpty());
}

}  // namespace
}  // namespace tocsin
