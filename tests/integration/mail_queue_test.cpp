// A real Postfix that cannot pass its mail on, and then can.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include <boost/json/serialize.hpp>

#include "tests/integration/agent.hpp"
#include "tests/integration/postfix.hpp"

namespace tocsin::integration {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* sink_program = "/usr/sbin/smtp-sink";

class MailQueue : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const auto missing = Postfix::missing(); !missing.empty()) GTEST_SKIP() << missing;
    // Everything goes to a relay that is not there.
    const auto port = std::to_string(free_port());
    relay_ = "127.0.0.1:" + port;
    postfix_ =
        std::make_unique<Postfix>(std::vector<std::string>{"relayhost = [127.0.0.1]:" + port});
    postfix_->start();
    watch("oldest_seconds > 2s", "oldest_seconds <= 2s");
  }
  void watch(const std::string& critical, const std::string& clear) {
    std::string command;
    for (const auto& word : postfix_->list_command())
      command += (command.empty() ? "" : ", ") + word;
    agent_.configure(
        "checks:\n  - name: outgoing-mail\n    type: mail_queue\n    every: 500ms\n"
        "    confirm_every: 200ms\n    command: [" +
            command + "]\n    topic: mail\n    critical: " + critical + "\n    clear: " + clear +
            "\n",
        "  recover_hold: 1s\n");
    agent_.start();
    ASSERT_TRUE(eventually([&] { return sample("depth") == 0; })) << agent_.get("/metrics").body;
  }
  double sample(const std::string& name) const {
    return agent_.metric("tocsin_mail_queue_" + name + "{check=\"outgoing-mail\"}");
  }

  std::string relay_;
  std::unique_ptr<Postfix> postfix_;
  Agent agent_;
};

TEST_F(MailQueue, MailThatCannotLeaveOpensAnIncidentAndItsDeliveryEndsIt) {
  EXPECT_EQ(sample("up"), 1);
  postfix_->send("jane.doe@example.com joe@example.com eve@example.net");
  postfix_->send("jane.doe@example.com");
  const auto open = agent_.wait_for_incident("mail", "open");
  ASSERT_TRUE(eventually([&] { return sample("deferred") == 2; })) << postfix_->log();
  EXPECT_THAT(text_at(open, "title"), HasSubstr("CRITICAL: mail on web-1: oldest_seconds"));
  EXPECT_THAT(text_at(open, "alerts", 0, "why"), HasSubstr("> 2s"));
  EXPECT_THAT(text_at(open, "summary", "probable_cause"),
              HasSubstr("connect to " + relay_ + ": Connection refused"));
  const auto evidence = json::serialize(agent_.incident(text_at(open, "id")));
  EXPECT_THAT(evidence, HasSubstr("2 messages in the queue, 2 deferred; the oldest has waited "));
  EXPECT_THAT(evidence, HasSubstr("4 recipients delayed: connect to " + relay_));
  EXPECT_THAT(evidence, HasSubstr("recipients by domain: example.com 3, example.net 1"));
  EXPECT_THAT(evidence, HasSubstr("oldest messages: "));
  EXPECT_THAT(evidence, Not(HasSubstr("jane.doe"))) << "whom it is for is nobody's business";

  const Program sink{{sink_program, "-u", "postfix", "inet:" + relay_, "100"}};
  ASSERT_TRUE(eventually([&] {
    postfix_->flush();
    return sample("depth") == 0;
  })) << postfix_->log();
  agent_.wait_for_incident("mail", "resolved");
}

TEST_F(MailQueue, HeldMailIsCountedAndHasNoAgeThatPages) {
  postfix_->send("jane@example.com");
  agent_.wait_for_incident("mail", "open");
  postfix_->hold("ALL");
  agent_.wait_for_incident("mail", "resolved");
  EXPECT_EQ(sample("held"), 1);
  EXPECT_EQ(sample("depth"), 1);
  EXPECT_EQ(sample("oldest_seconds"), 0);
}

TEST_F(MailQueue, HeldMailIsToldWhereSomebodyWantsToKnowAndItsReleaseEndsIt) {
  agent_.stop();
  watch("held >= 1 for 1s", "depth < 1");
  postfix_->send("jane.doe@example.com");
  // What has not been picked up yet cannot be held.
  ASSERT_TRUE(eventually([&] {
    postfix_->hold("ALL");
    return sample("held") == 1;
  })) << postfix_->log();
  const auto open = agent_.wait_for_incident("mail", "open");
  EXPECT_THAT(text_at(open, "title"), HasSubstr("CRITICAL: mail on web-1: held 1 >= 1 for 1s"));
  EXPECT_EQ(text_at(open, "summary", "probable_cause"),
            "1 of 1 message on hold, until somebody releases them (postsuper -H ALL)");
  EXPECT_EQ(text_at(open, "summary", "component"), "outgoing-mail");
  const auto told = json::serialize(agent_.incident(text_at(open, "id")));
  EXPECT_THAT(told, HasSubstr("1 message in the queue, 1 on hold"));
  EXPECT_THAT(told, Not(HasSubstr("jane.doe")));

  const Program sink{{sink_program, "-u", "postfix", "inet:" + relay_, "100"}};
  postfix_->release("ALL");
  ASSERT_TRUE(eventually([&] {
    postfix_->flush();
    return sample("depth") == 0;
  })) << postfix_->log();
  const auto over = agent_.wait_for_incident("mail", "resolved");
  EXPECT_EQ(text_at(over, "summary", "recovery_estimate"), "recovered");
}

TEST_F(MailQueue, APostfixThatDiedIsSeenAndItsQueueStillRead) {
  postfix_->send("jane@example.com");
  postfix_->stop();
  const auto open = agent_.wait_for_incident("mail", "open");
  EXPECT_EQ(sample("up"), 0);
  EXPECT_EQ(sample("depth"), 1);
  EXPECT_THAT(text_at(open, "summary", "probable_cause"), HasSubstr("Postfix is not running"));
}

}  // namespace
}  // namespace tocsin::integration
