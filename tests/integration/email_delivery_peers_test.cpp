// The servers that test messages go through: dead, with another password, not to be trusted; and
// back again.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include <boost/json/serialize.hpp>

#include "tests/integration/email_delivery.hpp"
#include "tests/integration/receivers_judge.hpp"

namespace tocsin::integration {
namespace {

using ::testing::HasSubstr;

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

TEST_F(EmailDelivery, ARelayThatIsDownIsNotWellForARestartOfTheAgent) {
  mail_->postfix().kill();
  configure({.send_every = "50s"});
  agent_.start();
  const auto id = text_at(agent_.wait_for_incident("mail", "open"), "id");
  // Whoever is paged is paged by what is on disk.
  ASSERT_TRUE(receivers_.wait_until([](const json::value& state) {
    return page_actions(state) == std::vector<std::string>{"trigger"};
  }));
  agent_.kill();
  agent_.start();
  ASSERT_TRUE(eventually([&] { return !std::isnan(sample("up")); }));
  EXPECT_EQ(sample("up"), 0) << "it is tried again at once";
  EXPECT_EQ(text_at(agent_.wait_for_incident("mail", "open"), "id"), id);
  mail_->start_postfix();
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

TEST_F(EmailDelivery, AMailboxThatWasMadeAnewIsLookedIntoAfresh) {
  mail_->hold();
  configure({.lost_after = "2m"});
  agent_.start();
  const auto& postfix = mail_->postfix();
  const auto first = wait_for_queue(3).front().id;
  // The first one comes, as number 1, and the agent dies before it deletes it.
  auto& dovecot = mail_->dovecot();
  const std::string reader{MailServer::reader};
  dovecot.put(reader, postfix.text_of(first));
  ASSERT_TRUE(eventually([&] { return !std::isnan(sample("slowest_hop_seconds")); }))
      << everything();
  agent_.kill();
  postfix.remove(first);
  dovecot.kill();
  dovecot.lose_mailbox(reader);
  dovecot.start();
  postfix.flush();
  ASSERT_TRUE(eventually([&] { return postfix.queue().empty(); })) << mail_->log();
  // The others have come, from number 1 on.
  agent_.start();
  EXPECT_TRUE(eventually([&] { return sample("up") == 1 && sample("missing") <= 1; }, 30s))
      << everything();
  for (const auto* name : {"lost", "late", "duplicates"}) EXPECT_EQ(sample(name), 0) << name;
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
  auto stranger = relay();
  stranger.authority = mail_->stranger_file();
  configure({.relay = stranger});
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
  auto bare = relay();
  bare.address = mail_->bare();
  configure({.relay = bare});
  agent_.start();
  const auto open = agent_.wait_for_incident("mail", "open");
  EXPECT_EQ(cause(open), mail_->bare() + " offers no STARTTLS");
  EXPECT_EQ(sample("smtp_up"), 0);
  EXPECT_EQ(mail_->log().find("sasl_username"), std::string::npos) << "nobody logged in";
  configure({});
  EXPECT_EQ(agent_.post("/-/reload").status, 200);
  agent_.wait_for_incident("mail", "resolved");
}

TEST_F(EmailDelivery, ACertificateForAnotherNameIsNotTrusted) {
  auto other = mailbox();
  other.name = "imap.example.com";
  configure({.mailbox = other});
  agent_.start();
  const auto open = agent_.wait_for_incident("mail", "open");
  EXPECT_THAT(cause(open), HasSubstr("the TLS handshake with " + other.address + " failed: "));
  EXPECT_THAT(cause(open), HasSubstr("imap.example.com"));
  EXPECT_EQ(sample("smtp_up"), 1);
  EXPECT_EQ(sample("imap_up"), 0);
}

TEST_F(EmailDelivery, AFolderThatIsNotThereIsNamed) {
  configure({.folder = "Nowhere"});
  agent_.start();
  const auto open = agent_.wait_for_incident("mail", "open");
  EXPECT_THAT(cause(open), HasSubstr(mailbox().address));
  EXPECT_THAT(cause(open), HasSubstr("Nowhere"));
  EXPECT_EQ(sample("imap_up"), 0);
}

TEST_F(EmailDelivery, MailGoesByEachKindOfSecurity) {
  auto by_tls = relay();
  by_tls.address = mail_->submissions();
  by_tls.security = "tls";
  auto by_starttls = mailbox();
  by_starttls.address = mail_->dovecot().imap_address();
  by_starttls.security = "starttls";
  watch({.relay = by_tls, .mailbox = by_starttls});
  EXPECT_EQ(sample("up"), 1);
  agent_.stop();
  auto bare = relay();
  bare.address = mail_->bare();
  bare.security = "none";
  by_starttls.security = "none";
  watch({.relay = bare, .mailbox = by_starttls});
  EXPECT_EQ(sample("up"), 1);
}

}  // namespace
}  // namespace tocsin::integration
