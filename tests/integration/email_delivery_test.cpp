// How long mail takes through a real Postfix into a real Dovecot: mail that waits, is lost, comes
// twice or out of order; servers that died, refuse or are not trusted; and the way back.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <memory>
#include <optional>

#include <boost/beast/core/detail/base64.hpp>
#include <boost/json/serialize.hpp>

#include "tests/integration/agent.hpp"
#include "tests/integration/mail_server.hpp"
#include "tests/integration/receivers_judge.hpp"

namespace tocsin::integration {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// What of the configuration a test may want otherwise.
struct Wish {
  std::string send_every{"1s"};
  std::string lost_after{"1m"};
  std::string rules{"    critical: up < 1 for 2 of 3\n    clear: up == 1\n"};
  std::optional<std::string> relay{};  ///< An address; else the one with STARTTLS.
  std::optional<std::string>
      authority{};  ///< A file for the relay's certificate; else the right one.
};

constexpr std::string_view delay_rules =
    "    critical: delay_seconds > 4s\n    clear: delay_seconds <= 4s\n";

std::string base64(std::string_view bytes) {
  namespace codec = boost::beast::detail::base64;
  std::string out(codec::encoded_size(bytes.size()), '\0');
  out.resize(codec::encode(out.data(), bytes.data(), bytes.size()));
  return out;
}

class EmailDelivery : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const auto missing = MailServer::missing(); !missing.empty()) GTEST_SKIP() << missing;
    mail_ = std::make_unique<MailServer>();
  }

  void configure(const Wish& wish) {
    agent_.folder().write("sender.secret", mail_->sender_password() + "\n");
    agent_.folder().write("reader.secret", mail_->reader_password() + "\n");
    agent_.configure(
        "checks:\n  - name: relay\n    type: email_delivery\n    every: 1500ms\n"
        "    timeout: 1400ms\n    topic: mail\n    to: " +
            std::string{MailServer::address} + "\n    send_every: " + wish.send_every +
            "\n    lost_after: " + wish.lost_after +
            "\n    smtp:\n      address: " + wish.relay.value_or(mail_->submission()) +
            "\n      username: app\n      password: {file: sender.secret}" +
            "\n      tls: {server_name: " + std::string{MailServer::name} +
            ", ca_file: " + wish.authority.value_or(mail_->authority_file()) +
            "}\n    imap:\n      address: " + mail_->dovecot().imaps_address() +
            "\n      username: tocsin\n      password: {file: reader.secret}" +
            "\n      tls: {ca_file: " + mail_->authority_file() + "}\n" + wish.rules,
        "  recover_hold: 1s\n");
  }
  /// Starts the agent, and waits until a test message came. With each look one is sent, unless a
  /// test wishes otherwise, so that one is missing ever after.
  void watch(const Wish& wish) {
    configure(wish);
    agent_.start();
    ASSERT_TRUE(eventually([&] { return !std::isnan(sample("slowest_hop_seconds")); }))
        << everything();
  }
  double sample(const std::string& name) const {
    return agent_.metric("tocsin_email_delivery_" + name + "{check=\"relay\"}");
  }
  bool becomes(const std::string& name, double value) const {
    return eventually([&] { return sample(name) == value; });
  }
  static std::string cause(const json::value& incident) {
    return text_at(incident, "summary", "probable_cause");
  }
  std::string told(const json::value& incident) const {
    return json::serialize(agent_.incident(text_at(incident, "id")));
  }
  std::string everything() {
    return agent_.get("/metrics").body + mail_->log() + agent_.program().text();
  }
  /// Waits for so many messages in the queue of Postfix, all of them given up for now.
  std::vector<Postfix::Queued> wait_for_queue(std::size_t count) const {
    std::vector<Postfix::Queued> queue;
    const auto there = eventually([&] {
      queue = mail_->postfix().queue();
      std::erase_if(queue, [](const auto& each) { return each.queue != "deferred"; });
      return queue.size() >= count;
    });
    EXPECT_TRUE(there) << mail_->log();
    return queue;
  }

  /// Whatever happened, the passwords are where they came from and nowhere else.
  void TearDown() override {
    if (!mail_) return;
    std::string said = agent_.program().text();
    for (const auto* path : {"/", "/metrics", "/api/v1/status", "/api/v1/checks",
                             "/api/v1/incidents?all=true", "/api/v1/outbox"})
      said += agent_.get(path).body;
    for (const auto& incident : items(agent_.incidents())) said += told(incident);
    for (const auto& words : std::vector<std::vector<std::string>>{
             {"status"}, {"check", "relay"}, {"config", "show"}}) {
      const auto answer = agent_.command(words);
      said += answer.output + answer.errors;
    }
    said += json::serialize(receivers_.state());
    agent_.stop();
    std::error_code none;
    for (const auto& file : std::filesystem::recursive_directory_iterator{agent_.state_dir(), none})
      if (file.is_regular_file()) said += read_file(file.path());
    for (const auto& [user, secret] : {std::pair{"app", mail_->sender_password()},
                                       std::pair{"tocsin", mail_->reader_password()}}) {
      const std::string zero(1, '\0');
      EXPECT_EQ(said.find(secret), std::string::npos) << user;
      EXPECT_EQ(said.find(base64(secret)), std::string::npos) << user;
      EXPECT_EQ(said.find(base64(zero + user + zero + secret)), std::string::npos) << user;
    }
    EXPECT_THAT(broken_promises(receivers_.state()), IsEmpty());
  }

  std::unique_ptr<MailServer> mail_;
  FakeReceivers receivers_;
  Agent agent_{&receivers_};
};

TEST_F(EmailDelivery, MailThatComesIsMeasuredAndCleanedAway) {
  watch({.send_every = "3s"});
  EXPECT_EQ(sample("up"), 1);
  EXPECT_EQ(sample("smtp_up"), 1);
  EXPECT_EQ(sample("imap_up"), 1);
  EXPECT_LT(sample("delay_seconds"), 5);
  EXPECT_GT(sample("accept_seconds"), 0);
  EXPECT_LT(sample("accept_seconds"), 5);
  EXPECT_GE(sample("slowest_hop_seconds"), 0);
  EXPECT_TRUE(eventually([&] { return mail_->count() == 0 && mail_->postfix().queue().empty(); }))
      << "what was found is deleted";
  EXPECT_THAT(mail_->log(), HasSubstr("to=<tocsin@mailbox.test>")) << "it did go that way";
  EXPECT_TRUE(becomes("missing", 0));
  for (const auto* name : {"lost", "late", "duplicates", "out_of_order"})
    EXPECT_EQ(sample(name), 0) << name;
  EXPECT_EQ(agent_.incidents(), json::array{});
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

TEST_F(EmailDelivery, ARelayThatDiedIsNamedAndMailGoesOnWhenItIsBack) {
  watch({});
  mail_->postfix().kill();
  const auto open = agent_.wait_for_incident("mail", "open");
  EXPECT_EQ(cause(open), "connect to " + mail_->submission() + " failed: Connection refused");
  EXPECT_THAT(text_at(open, "title"), HasSubstr("CRITICAL: mail on web-1: up 0 < 1"));
  EXPECT_EQ(sample("smtp_up"), 0);
  EXPECT_EQ(sample("imap_up"), 1);
  mail_->start_postfix();
  EXPECT_TRUE(becomes("smtp_up", 1));
  agent_.wait_for_incident("mail", "resolved");
}

TEST_F(EmailDelivery, AMailboxThatDiedIsNamedAndNothingIsCalledMissingForIt) {
  watch({});
  mail_->dovecot().kill();
  const auto open = agent_.wait_for_incident("mail", "open");
  EXPECT_THAT(told(open), HasSubstr("connect to " + mail_->dovecot().imaps_address() +
                                    " failed: Connection refused"));
  EXPECT_EQ(sample("imap_up"), 0);
  EXPECT_TRUE(std::isnan(sample("delay_seconds"))) << "who cannot look cannot say";
  mail_->dovecot().start();
  mail_->postfix().flush();
  EXPECT_TRUE(becomes("imap_up", 1));
  agent_.wait_for_incident("mail", "resolved");
  EXPECT_EQ(sample("lost"), 0);
}

TEST_F(EmailDelivery, ARelayThatNoLongerKnowsThePasswordSaysSo) {
  watch({});
  mail_->dovecot().set_password("app", "changed-by-somebody");
  const auto open = agent_.wait_for_incident("mail", "open");
  EXPECT_THAT(cause(open), HasSubstr(mail_->submission() + " does not let app in: 535 5.7.8 "));
  EXPECT_EQ(sample("smtp_up"), 0);
  EXPECT_EQ(sample("imap_up"), 1);
  mail_->dovecot().set_password("app", mail_->sender_password());
  agent_.wait_for_incident("mail", "resolved");
}

TEST_F(EmailDelivery, AMailboxThatNoLongerKnowsThePasswordSaysSo) {
  watch({});
  mail_->dovecot().set_password("tocsin", "changed-by-somebody");
  const auto open = agent_.wait_for_incident("mail", "open");
  EXPECT_THAT(cause(open),
              HasSubstr(mail_->dovecot().imaps_address() + " does not let tocsin in: "));
  EXPECT_THAT(cause(open), HasSubstr("[AUTHENTICATIONFAILED]"));
  EXPECT_EQ(sample("smtp_up"), 1);
  EXPECT_EQ(sample("imap_up"), 0);
  mail_->dovecot().set_password("tocsin", mail_->reader_password());
  agent_.wait_for_incident("mail", "resolved");
}

TEST_F(EmailDelivery, ACertificateOfAStrangerIsNotTrustedUntilItsAuthorityIsKnown) {
  configure({.authority = mail_->stranger_file()});
  agent_.start();
  const auto open = agent_.wait_for_incident("mail", "open");
  EXPECT_THAT(cause(open),
              HasSubstr("the TLS handshake with " + mail_->submission() + " failed: "));
  EXPECT_THAT(cause(open), HasSubstr("certificate"));
  EXPECT_TRUE(mail_->postfix().queue().empty());
  EXPECT_EQ(mail_->count(), 0) << "nothing was handed to who knows whom";
  configure({});
  EXPECT_EQ(agent_.post("/-/reload").status, 200);
  agent_.wait_for_incident("mail", "resolved");
}

TEST_F(EmailDelivery, ARelayWithoutStarttlsIsNotGivenThePassword) {
  configure({.relay = mail_->bare()});
  agent_.start();
  const auto open = agent_.wait_for_incident("mail", "open");
  EXPECT_EQ(cause(open), mail_->bare() + " offers no STARTTLS");
  EXPECT_EQ(sample("smtp_up"), 0);
  EXPECT_EQ(mail_->log().find("sasl_username"), std::string::npos) << "nobody logged in";
  configure({});
  EXPECT_EQ(agent_.post("/-/reload").status, 200);
  agent_.wait_for_incident("mail", "resolved");
}

TEST_F(EmailDelivery, ASecondCopyIsCounted) {
  watch({.send_every = "3s", .rules = "    warning: duplicates > 0\n"});
  mail_->hold();
  const auto first = wait_for_queue(1).front().id;
  const auto& postfix = mail_->postfix();
  const auto text = postfix.text_of(first);
  mail_->release();
  ASSERT_TRUE(eventually([&] { return sample("missing") <= 1; })) << everything();
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
  EXPECT_THAT(text_at(open, "title"), HasSubstr("WARNING: mail on web-1: lost 1 > 0"));
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
  EXPECT_TRUE(eventually([&] { return sample("missing") <= 1; }));
  for (const auto* name : {"lost", "late", "duplicates"}) EXPECT_EQ(sample(name), 0) << name;
}

}  // namespace
}  // namespace tocsin::integration
