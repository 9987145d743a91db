// How long mail takes through a real Postfix into a real Dovecot: mail that waits, is lost, comes
// twice or out of order, and an agent that dies meanwhile.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include <boost/json/serialize.hpp>

#include "tests/integration/email_delivery.hpp"
#include "tests/integration/receivers_judge.hpp"

namespace tocsin::integration {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;

constexpr std::string_view delay_rules =
    "    critical: delay_seconds > 4s\n    clear: delay_seconds <= 4s\n";

TEST_F(EmailDelivery, MailThatComesIsMeasuredAndCleanedAway) {
  mail_->postfix().send(std::string{MailServer::address});
  watch({.send_every = "3s"});
  EXPECT_EQ(sample("up"), 1);
  EXPECT_EQ(sample("smtp_up"), 1);
  EXPECT_EQ(sample("imap_up"), 1);
  EXPECT_LT(sample("delay_seconds"), 5);
  EXPECT_GT(sample("accept_seconds"), 0);
  EXPECT_LT(sample("accept_seconds"), 5);
  EXPECT_GE(sample("slowest_hop_seconds"), 0);
  EXPECT_TRUE(eventually([&] { return mail_->count() == 1 && mail_->postfix().queue().empty(); }))
      << "what was found is deleted, and other people's mail is not";
  EXPECT_THAT(mail_->log(), HasSubstr("to=<tocsin@mailbox.test>")) << "it did go that way";
  EXPECT_TRUE(becomes("missing", 0));
  for (const auto* name : {"lost", "late", "duplicates", "out_of_order"})
    EXPECT_EQ(sample(name), 0) << name;
  EXPECT_EQ(agent_.incidents(), json::array{});
  const auto looked = agent_.command({"check", "relay"});
  EXPECT_EQ(looked.code, 0) << looked.output << looked.errors;
  EXPECT_THAT(looked.output, HasSubstr("accept_seconds"));
}

TEST_F(EmailDelivery, TwoThatShareAMailboxDoNotTakeEachOthersMail) {
  const Wish wish;
  watch({.more = check("second", wish)});
  ASSERT_TRUE(eventually([&] { return !std::isnan(sample("slowest_hop_seconds", "second")); }))
      << everything();
  // Some rounds of both.
  const auto runs = [&](const std::string& name) {
    return agent_.metric("tocsin_check_runs_total{check=\"" + name + "\",outcome=\"measured\"}");
  };
  EXPECT_TRUE(eventually([&] { return runs("relay") >= 6 && runs("second") >= 6; }));
  for (const auto* check : {"relay", "second"}) {
    EXPECT_EQ(sample("up", check), 1) << check;
    EXPECT_LE(sample("missing", check), 2) << check;
    for (const auto* name : {"lost", "late", "duplicates"})
      EXPECT_EQ(sample(name, check), 0) << check << " " << name;
  }
}

TEST_F(EmailDelivery, MailThatWaitsPagesWhileItWaitsAndItsDeliveryEndsIt) {
  watch({.rules = std::string{delay_rules}});
  mail_->hold();
  const auto open = agent_.wait_for_incident("mail", "open");
  const auto queue = wait_for_queue(1);
  EXPECT_EQ(mail_->count(), 0) << "nothing came: it is the age of what is missing that counts";
  EXPECT_THAT(text_at(open, "title"),
              ContainsRegex("CRITICAL: mail on web-1: delay_seconds [4-7]"));
  EXPECT_THAT(text_at(open, "alerts", 0, "why"), HasSubstr("> 4s"));
  EXPECT_GE(sample("missing"), 1);
  EXPECT_EQ(sample("up"), 1) << "both servers are well";
  const auto first = queue.empty() ? std::string{} : queue.front().id;
  EXPECT_THAT(cause(open), HasSubstr("mail that " + mail_->submission() + " took has not come to " +
                                     std::string{MailServer::address}));
  EXPECT_THAT(cause(open), HasSubstr("queued as " + first)) << "what to look for there";
  const auto evidence = told(open);
  EXPECT_THAT(evidence, ContainsRegex("missing for [4-7][^ ]*: sent 2"));
  EXPECT_THAT(evidence, HasSubstr(mail_->submission() + " took it: "));
  ASSERT_TRUE(receivers_.wait_until([&](const json::value& state) {
    return page_actions(state) == std::vector<std::string>{"trigger"};
  })) << json::serialize(receivers_.state());
  EXPECT_THAT(json::serialize(receivers_.state()), HasSubstr(first));

  const auto waited = sample("delay_seconds");
  EXPECT_TRUE(eventually([&] { return sample("delay_seconds") > waited + 1; })) << "it grows";
  mail_->release();
  EXPECT_TRUE(eventually([&] { return sample("delay_seconds") < 4; })) << everything();
  agent_.wait_for_incident("mail", "resolved");
  EXPECT_TRUE(receivers_.wait_until([&](const json::value& state) {
    return text_at(state, "pagerduty", "alerts", 0, "state") == "resolved";
  }));
  EXPECT_EQ(sample("lost"), 0);
  EXPECT_EQ(sample("duplicates"), 0);
}

TEST_F(EmailDelivery, MailThatCameTellsWhoHadItSoLong) {
  mail_->hold();
  configure({.send_every = "50s", .rules = "    critical: slowest_hop_seconds > 4s\n"});
  agent_.start();
  ASSERT_TRUE(eventually([&] { return sample("delay_seconds") > 7; })) << everything();
  mail_->release();
  const auto open = agent_.wait_for_incident("mail", "open");
  EXPECT_THAT(told(open),
              ContainsRegex("the newest to come, sent 2[^ ]*, took [5-9][^ ]*, of which "
                            "[5-9][^ ]* at mx.tocsin.test"));
  EXPECT_EQ(sample("missing"), 0);
  EXPECT_LE(sample("slowest_hop_seconds"), sample("delay_seconds"));
}

TEST_F(EmailDelivery, ASecondCopyIsCounted) {
  watch({.send_every = "3s", .rules = "    warning: duplicates > 0\n"});
  mail_->hold();
  const auto first = wait_for_queue(1).front().id;
  const auto& postfix = mail_->postfix();
  const auto text = postfix.text_of(first);
  mail_->release();
  ASSERT_TRUE(nothing_waits()) << everything();
  EXPECT_EQ(sample("duplicates"), 0);
  // As a relay does that handed it on and did not hear the answer.
  postfix.send(std::string{MailServer::address}, text);
  EXPECT_TRUE(becomes("duplicates", 1)) << everything();
  const auto open = agent_.wait_for_incident("mail", "open");
  EXPECT_THAT(told(open), HasSubstr("in the last day: 0 late, 1 twice, "));
  EXPECT_TRUE(eventually([&] { return mail_->count() == 0; })) << "it is deleted too";
  EXPECT_EQ(sample("duplicates"), 1) << "and counted once";
}

TEST_F(EmailDelivery, AMessageThatWasOvertakenIsCounted) {
  watch({.rules = "    warning: out_of_order > 0\n"});
  mail_->hold();
  const auto& postfix = mail_->postfix();
  const auto first = wait_for_queue(2).front().id;
  postfix.hold(first);
  mail_->release();
  // Waits until only that one is left.
  ASSERT_TRUE(eventually([&] {
    const auto queue = postfix.queue();
    return queue.size() == 1 && queue.front().id == first && sample("missing") <= 2;
  })) << mail_->log();
  const auto before = sample("out_of_order");
  postfix.release(first);
  postfix.flush();
  EXPECT_TRUE(eventually([&] { return sample("out_of_order") > before; })) << everything();
  const auto open = agent_.wait_for_incident("mail", "open");
  EXPECT_THAT(told(open), ContainsRegex("0 late, 0 twice, [1-9][0-9]* out of order"));
}

TEST_F(EmailDelivery, WhatDoesNotComeInTimeIsLostAndLateWhenItComesAfterAll) {
  watch({.lost_after = "6s", .rules = "    warning: lost > 0\n    clear: lost == 0\n"});
  mail_->hold();
  const auto first = wait_for_queue(1).front().id;
  const auto open = agent_.wait_for_incident("mail", "open");
  EXPECT_THAT(text_at(open, "title"), ContainsRegex("WARNING: mail on web-1: lost [1-9] > 0"));
  EXPECT_THAT(told(open),
              ContainsRegex("lost: sent 2[^(]*.127.0.0.1:[0-9]* took it: [^)]*" + first));
  mail_->release();
  EXPECT_TRUE(becomes("lost", 0)) << everything();
  EXPECT_GE(sample("late"), 1);
  agent_.wait_for_incident("mail", "resolved");
}

TEST_F(EmailDelivery, WhatNeverComesStaysLost) {
  watch({.lost_after = "8s", .rules = "    warning: lost > 0\n"});
  mail_->hold();
  const auto& postfix = mail_->postfix();
  postfix.remove(wait_for_queue(1).front().id);
  mail_->release();
  ASSERT_TRUE(becomes("lost", 1)) << everything();
  EXPECT_EQ(sample("late"), 0);
  // Those that come do not make up for it.
  const auto looked = steady_now();
  EXPECT_TRUE(eventually([&] { return steady_now() - looked > 2s && sample("missing") <= 1; }));
  EXPECT_EQ(sample("lost"), 1);
  EXPECT_EQ(text_at(agent_.wait_for_incident("mail", "open"), "severity"), "warning");
}

TEST_F(EmailDelivery, AnAgentThatIsKilledKnowsOfItsMessagesWhenItIsBack) {
  watch({.rules = std::string{delay_rules}});
  mail_->hold();
  const auto id = text_at(agent_.wait_for_incident("mail", "open"), "id");
  ASSERT_TRUE(eventually([&] { return sample("missing") >= 3; }));
  const auto delay = sample("delay_seconds");
  const auto missing = sample("missing");
  agent_.kill();
  agent_.start();
  ASSERT_TRUE(eventually([&] { return !std::isnan(sample("delay_seconds")); }));
  EXPECT_GE(sample("delay_seconds"), delay) << "from when it was sent, not from the restart";
  const auto now_missing = sample("missing");
  EXPECT_GE(now_missing, missing);
  EXPECT_LE(now_missing, static_cast<double>(mail_->postfix().queue().size()))
      << "none is counted twice";
  const auto open = agent_.wait_for_incident("mail", "open");
  EXPECT_EQ(text_at(open, "id"), id) << "it is still the same incident";

  agent_.kill();
  mail_->release();
  ASSERT_TRUE(eventually([&] { return mail_->postfix().queue().empty(); }));
  agent_.start();
  agent_.wait_for_incident("mail", "resolved");
  EXPECT_TRUE(nothing_waits());
  for (const auto* name : {"lost", "late", "duplicates"}) EXPECT_EQ(sample(name), 0) << name;
}

TEST_F(EmailDelivery, AnAgentThatIsKilledAtAnyInstantMissesAndDoublesNothing) {
  watch({.lost_after = "2m"});
  // Killed when the relay, then the mailbox, has just heard of it.
  for (int round = 0; round < 8; ++round) {
    const bool by_relay = round % 2 == 0;
    const auto log = [&] { return by_relay ? mail_->postfix().log() : mail_->dovecot().log(); };
    const auto size = log().size();
    ASSERT_TRUE(eventually([&] { return log().size() > size; })) << everything();
    agent_.kill();
    agent_.start();
  }
  EXPECT_TRUE(eventually([&] { return sample("up") == 1 && sample("missing") <= 1; }))
      << everything();
  for (const auto* name : {"lost", "late", "duplicates"}) EXPECT_EQ(sample(name), 0) << name;
  EXPECT_TRUE(eventually([&] { return mail_->count() <= 2; })) << "nothing of it is left lying";
}

}  // namespace
}  // namespace tocsin::integration
