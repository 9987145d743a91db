// A real RabbitMQ whose consumers go, that is killed, and whose password changes.
#include <array>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <boost/json/serialize.hpp>

#include "tests/integration/agent.hpp"
#include "tests/integration/rabbitmq.hpp"

namespace tocsin::integration {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class QueueOfRabbitMq : public ::testing::Test {
 protected:
  // Starting it takes seconds: one serves all, and each test finds its queues empty.
  static void SetUpTestSuite() {
    if (!RabbitMq::installed()) return;
    broker_ = std::make_unique<RabbitMq>();
    broker_->start();
    broker_->make_queue(queue);
    broker_->make_queue("sent");
    // A queue has no counters before its first message.
    broker_->publish(queue, 1);
  }
  static void TearDownTestSuite() { broker_.reset(); }

  void SetUp() override {
    if (!broker_)
      GTEST_SKIP() << "RabbitMQ is not installed: apt-get install " << RabbitMq::package;
    broker_->stop_mover();
    broker_->purge(queue);
    broker_->purge("sent");
    const auto is_idle = [](const char* name) {
      return broker_->number(name, "messages") == 0 && broker_->number(name, "consumers") == 0;
    };
    ASSERT_TRUE(eventually([&] { return is_idle(queue) && is_idle("sent"); }));
    agent_.folder().write("mq.password", broker_->password() + "\n");
    agent_.configure(
        "checks:\n  - name: mailers\n    type: queue\n    topic: mail\n"
        "    every: 500ms\n    timeout: 400ms\n    confirm_every: 200ms\n"
        "    from:\n      rabbitmq:\n        url: http://" +
            broker_->address() + "\n        queue: " + queue +
            "\n        username: sre\n        password: {file: mq.password}\n"
            "    critical: [consumers < 1 and depth > 0 for 1s, up < 1 for 2 of 3]\n"
            "    clear: depth < 1\n",
        "  recover_hold: 1s\n");
  }
  void start_agent() {
    agent_.start();
    ASSERT_TRUE(eventually([&] { return sample("depth") == 0; })) << agent_.get("/metrics").body;
  }
  double sample(const std::string& name) const {
    return agent_.metric("tocsin_queue_" + name + "{check=\"mailers\"}");
  }
  std::string detail(const json::value& incident) const {
    return json::serialize(agent_.incident(text_at(incident, "id")));
  }
  /// `queue "mailers out" on 127.0.0.1:PORT`, as JSON writes it.
  std::string named() const { return R"(queue \"mailers out\" on )" + broker_->address(); }

  static constexpr const char* queue = "mailers out";
  static inline std::unique_ptr<RabbitMq> broker_{};
  Agent agent_;
};

TEST_F(QueueOfRabbitMq, ADeadConsumerOpensAnIncidentAndItsReturnEndsIt) {
  broker_->start_mover(queue, "sent");
  ASSERT_TRUE(eventually([&] { return broker_->number(queue, "consumers") == 1; }));
  start_agent();
  broker_->publish(queue, 5);
  ASSERT_TRUE(eventually([&] { return broker_->number("sent", "messages") == 5; }));
  ASSERT_TRUE(eventually([&] { return sample("consumers") == 1 && sample("depth") == 0; }));

  broker_->stop_mover();
  ASSERT_TRUE(eventually([&] { return sample("consumers") == 0; }));
  EXPECT_THAT(json::serialize(agent_.incidents()), Not(HasSubstr("mailers")))
      << "an empty queue needs no consumer";
  broker_->publish(queue, 40);
  const auto open = agent_.wait_for_incident("mail", "open");
  EXPECT_THAT(text_at(open, "title"), HasSubstr("mail on web-1: consumers 0 < 1 and depth "));
  EXPECT_THAT(text_at(open, "alerts", 0, "why"),
              ContainsRegex("consumers 0 < 1 and depth [0-9]+ > 0"));
  EXPECT_EQ(text_at(open, "summary", "probable_cause"),
            "nobody consumes queue \"mailers out\" on " + broker_->address());
  EXPECT_THAT(
      text_at(open, "summary", "recovery_estimate"),
      ContainsRegex("^does not drain: it has no consumers; [0-9.]+/s come in, 0/s go out$"));
  EXPECT_THAT(detail(open), ContainsRegex("[0-9]+ in queue .*, 0 consumers"));
  EXPECT_THAT(detail(open), HasSubstr(named()));
  EXPECT_THAT(detail(open), ContainsRegex("it grew from 0 to [0-9]+ in [0-9]+"));
  ASSERT_TRUE(eventually([&] { return sample("depth") == 40; }));
  EXPECT_EQ(sample("drain_seconds"), 30 * 86400);

  broker_->start_mover(queue, "sent");
  const auto resolved = agent_.wait_for_incident("mail", "resolved");
  EXPECT_EQ(text_at(resolved, "summary", "recovery_estimate"), "recovered");
  EXPECT_EQ(sample("depth"), 0);
}

TEST_F(QueueOfRabbitMq, PurgingItEndsTheIncident) {
  start_agent();
  broker_->publish(queue, 3);
  agent_.wait_for_incident("mail", "open");
  broker_->purge(queue);
  agent_.wait_for_incident("mail", "resolved");
}

TEST_F(QueueOfRabbitMq, AKilledBrokerIsDownAndComesBack) {
  start_agent();
  broker_->kill();
  const auto open = agent_.wait_for_incident("mail", "open");
  EXPECT_THAT(text_at(open, "alerts", 0, "why"), HasSubstr("up 0 < 1"));
  EXPECT_THAT(text_at(open, "summary", "probable_cause"),
              HasSubstr("connect to " + broker_->address() + " failed: Connection refused"));
  EXPECT_EQ(sample("up"), 0);
  EXPECT_TRUE(std::isnan(sample("depth"))) << "what is not known is not shown";
  broker_->start();
  agent_.wait_for_incident("mail", "resolved", 60s);
  EXPECT_EQ(sample("up"), 1);
}

TEST_F(QueueOfRabbitMq, AChangedPasswordIsSaidAndNeverShown) {
  start_agent();
  const auto before = broker_->password();
  broker_->set_password("other-secret");
  const auto open = agent_.wait_for_incident("mail", "open");
  EXPECT_EQ(text_at(open, "summary", "probable_cause"),
            broker_->address() + " refused the credentials (status 401): \"Login failed\"");
  for (const auto& text : {detail(open), agent_.program().text(), agent_.get("/metrics").body}) {
    EXPECT_THAT(text, Not(HasSubstr(before)));
    EXPECT_THAT(text, Not(HasSubstr("c3JlOm"))) << "nor encoded";
  }
  broker_->set_password(before);
  agent_.wait_for_incident("mail", "resolved");
}

TEST_F(QueueOfRabbitMq, AQueueThatIsNotThereIsNamed) {
  agent_.configure(
      "checks:\n  - name: mailers\n    type: queue\n    topic: mail\n"
      "    every: 500ms\n    from: {rabbitmq: {url: \"http://" +
      broker_->address() + "\", queue: nowhere, username: sre, password: {file: mq.password}}}\n");
  agent_.start();
  const auto open = agent_.wait_for_incident("mail", "open");
  EXPECT_EQ(text_at(open, "summary", "probable_cause"),
            "there is no queue \"nowhere\" on " + broker_->address() + " (status 404)");
}

/// A check of all queues named crons-…, of which there are three, empty at first.
class QueuesOfRabbitMq : public QueueOfRabbitMq {
 protected:
  void SetUp() override {
    QueueOfRabbitMq::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    for (const auto* name : names) {
      broker_->make_queue(name);
      broker_->purge(name);
      ASSERT_TRUE(eventually([&] { return broker_->number(name, "messages") == 0; }));
    }
    agent_.configure(
        "checks:\n  - name: crons\n    type: queue\n    topic: jobs\n"
        "    every: 500ms\n    timeout: 400ms\n    confirm_every: 200ms\n"
        "    from:\n      rabbitmq:\n        url: http://" +
            broker_->address() +
            "\n        queue: \"crons-*\"\n        username: sre\n"
            "        password: {file: mq.password}\n"
            "    critical: [consumers < 1 and depth > 0 for 1s, up < 1 for 2 of 3]\n"
            "    clear: depth < 1\n",
        "  recover_hold: 1s\n");
  }
  void start_and_see(double queues) {
    agent_.start();
    ASSERT_TRUE(eventually([&] {
      return agent_.metric("tocsin_queue_queues{check=\"crons\"}") == queues;
    })) << agent_.get("/metrics").body;
  }
  double sample_of(const std::string& name, const std::string& queue_name) const {
    return agent_.metric("tocsin_queue_" + name + "{check=\"crons\",queue=\"" + queue_name + "\"}");
  }
  std::string named_alone(const std::string& queue_name) const {
    return "queue \"" + queue_name + "\" on " + broker_->address();
  }

  static constexpr std::array names{"crons-de", "crons-eu", "crons-us"};
};

TEST_F(QueuesOfRabbitMq, TheOneThatNobodyConsumesIsNamedUntilItIsEmpty) {
  start_and_see(3);
  ASSERT_TRUE(eventually([&] { return sample_of("depth", "crons-eu") == 0; }));
  EXPECT_TRUE(std::isnan(sample_of("depth", "sent"))) << "the glob does not mean it";
  broker_->publish("crons-eu", 30);
  const auto open = agent_.wait_for_incident("jobs", "open");
  EXPECT_THAT(text_at(open, "alerts", 0, "why"),
              ContainsRegex("consumers 0 < 1 .crons-eu. and depth [0-9]+ > 0 .crons-eu."));
  EXPECT_EQ(text_at(open, "summary", "probable_cause"),
            "nobody consumes " + named_alone("crons-eu"));
  EXPECT_THAT(text_at(open, "summary", "recovery_estimate"),
              StartsWith(named_alone("crons-eu") + " does not drain: it has no consumers"));
  EXPECT_THAT(detail(open), ContainsRegex("[0-9]+ in queue ..crons-eu.. on .*, 0 consumers"));
  EXPECT_THAT(detail(open), Not(HasSubstr("crons-us")));
  ASSERT_TRUE(eventually([&] { return sample_of("depth", "crons-eu") == 30; }));
  EXPECT_EQ(sample_of("drain_seconds", "crons-eu"), 30 * 86400);
  EXPECT_EQ(sample_of("depth", "crons-us"), 0);

  broker_->start_mover("crons-eu", "sent");
  const auto resolved = agent_.wait_for_incident("jobs", "resolved");
  EXPECT_EQ(text_at(resolved, "summary", "recovery_estimate"), "recovered");
  EXPECT_EQ(sample_of("depth", "crons-eu"), 0);
}

TEST_F(QueuesOfRabbitMq, OneThatVanishesIsCountedAndTheLastOneOpensAnIncident) {
  start_and_see(3);
  broker_->delete_queue("crons-de");
  ASSERT_TRUE(
      eventually([&] { return agent_.metric("tocsin_queue_vanished{check=\"crons\"}") == 1; }));
  EXPECT_TRUE(std::isnan(sample_of("up", "crons-de")));
  broker_->delete_queue("crons-eu");
  broker_->delete_queue("crons-us");
  const auto open = agent_.wait_for_incident("jobs", "open");
  EXPECT_THAT(text_at(open, "alerts", 0, "why"), HasSubstr("up 0 < 1 (crons-*)"));
  EXPECT_EQ(text_at(open, "summary", "probable_cause"),
            "no queue on " + broker_->address() + " fits \"crons-*\"");
  EXPECT_THAT(detail(open), ContainsRegex("queue ..crons-de.. on .* is gone"));
}

TEST_F(QueuesOfRabbitMq, MoreThanOnePageIsReadAndWhatIsTooManyCounted) {
  for (int i = 0; i < 110; ++i) broker_->make_queue("crons-x" + std::to_string(1000 + i));
  start_and_see(64);
  EXPECT_EQ(agent_.metric("tocsin_queue_unwatched{check=\"crons\"}"), 113 - 64);
  for (int i = 0; i < 110; ++i) broker_->delete_queue("crons-x" + std::to_string(1000 + i));
  ASSERT_TRUE(
      eventually([&] { return agent_.metric("tocsin_queue_queues{check=\"crons\"}") == 3; }));
}

TEST_F(QueuesOfRabbitMq, ABrokerWithTooLittleMemorySaysThatItBlocks) {
  broker_->publish("crons-us", 3);
  ASSERT_TRUE(eventually([&] { return broker_->number("crons-us", "messages") == 3; }));
  broker_->want_memory(true);
  agent_.start();
  const auto open = agent_.wait_for_incident("jobs", "open");
  broker_->want_memory(false);
  EXPECT_THAT(detail(open),
              HasSubstr(broker_->address() + " blocks whoever publishes: alarm for memory on "));
  EXPECT_EQ(text_at(open, "summary", "probable_cause"),
            "nobody consumes " + named_alone("crons-us"));
}

}  // namespace
}  // namespace tocsin::integration
