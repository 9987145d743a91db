// The mail server that other tests break, itself: what it takes arrives, and each way of breaking
// it does what its name says. curl(1) is the witness.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include <unistd.h>

#include "tests/integration/mail_server.hpp"

namespace tocsin::integration {
namespace {

using ::testing::HasSubstr;

constexpr const char* curl_program = "/usr/bin/curl";
// As curl(1) lists its exit codes.
constexpr int connect_refused = 7, tls_not_offered = 64, authority_unknown = 60,
              authentication_refused = 67;

class TheMailServer : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const auto missing = MailServer::missing(); !missing.empty()) GTEST_SKIP() << missing;
    if (access(curl_program, X_OK) != 0)
      GTEST_SKIP() << curl_program << " is not installed: apt-get install curl";
    server_ = std::make_unique<MailServer>();
  }
  Answer curl(std::vector<std::string> words, const std::string& authority) const {
    words.insert(words.begin(), {curl_program, "--silent", "--show-error", "--max-time", "20",
                                 "--cacert", authority});
    return run(std::move(words));
  }
  Answer submit(const std::string& url, const std::string& authority,
                std::vector<std::string> more = {}) const {
    const auto letter = folder_.write("letter", "Subject: hello\r\n\r\nthere\r\n");
    std::vector<std::string> words{url,
                                   "--mail-from",
                                   "shop@tocsin.test",
                                   "--mail-rcpt",
                                   std::string{MailServer::address},
                                   "--upload-file",
                                   letter,
                                   "--user",
                                   "app:" + server_->sender_password()};
    words.insert(words.end(), more.begin(), more.end());
    return curl(std::move(words), authority);
  }
  Answer submit() const {
    return submit("smtp://" + server_->submission(), server_->authority_file(), {"--ssl-reqd"});
  }
  Answer look(const std::string& url, const std::string& password,
              std::vector<std::string> more = {}) const {
    std::vector<std::string> words{url, "--user", "tocsin:" + password};
    words.insert(words.end(), more.begin(), more.end());
    return curl(std::move(words), server_->authority_file());
  }
  bool arrives(int count) const {
    return eventually([&] { return server_->count() == count; });
  }

  Folder folder_;
  std::unique_ptr<MailServer> server_;
};

TEST_F(TheMailServer, DeliversWhatComesInByEachOfItsDoors) {
  const auto& authority = server_->authority_file();
  EXPECT_EQ(server_->count(), 0);
  const auto sent = submit();
  ASSERT_EQ(sent.code, 0) << sent.errors << server_->log();
  ASSERT_EQ(submit("smtps://" + server_->submissions(), authority).code, 0);
  ASSERT_EQ(submit("smtp://" + server_->bare(), authority).code, 0);
  ASSERT_TRUE(arrives(3)) << server_->log();
  const auto by_tls = look("imaps://" + server_->dovecot().imaps_address() + "/INBOX;MAILINDEX=1",
                           server_->reader_password());
  EXPECT_THAT(by_tls.output, HasSubstr("Subject: hello")) << by_tls.errors;
  EXPECT_THAT(by_tls.output, HasSubstr("by mx.tocsin.test (Postfix) with ESMTPSA id "));
  EXPECT_THAT(by_tls.output, HasSubstr("with LMTP")) << "a hop more";
  const auto by_starttls =
      look("imap://" + server_->dovecot().imap_address() + "/INBOX", server_->reader_password(),
           {"--ssl-reqd", "--request", "SEARCH ALL"});
  EXPECT_THAT(by_starttls.output, HasSubstr("* SEARCH 1 2 3")) << by_starttls.errors;
}

TEST_F(TheMailServer, TellsNobodyButThoseItKnows) {
  const auto& authority = server_->authority_file();
  EXPECT_EQ(
      submit("smtp://" + server_->submission(), server_->stranger_file(), {"--ssl-reqd"}).code,
      authority_unknown);
  EXPECT_EQ(submit("smtp://" + server_->bare(), authority, {"--ssl-reqd"}).code, tls_not_offered);
  server_->dovecot().set_password("app", "another");
  EXPECT_EQ(submit().code, authentication_refused) << server_->log();
  server_->dovecot().set_password("tocsin", "another");
  const auto url = "imaps://" + server_->dovecot().imaps_address();
  EXPECT_EQ(look(url, server_->reader_password()).code, authentication_refused) << server_->log();
  EXPECT_EQ(look(url, "another").code, 0);
}

TEST_F(TheMailServer, HoldsMailAndLetsItGoInAnyOrder) {
  server_->hold();
  ASSERT_EQ(submit().code, 0);
  ASSERT_EQ(submit().code, 0);
  const auto& postfix = server_->postfix();
  ASSERT_TRUE(eventually([&] {
    const auto queue = postfix.queue();
    return queue.size() == 2 && queue[0].queue == "deferred" && queue[1].queue == "deferred";
  })) << server_->log();
  const auto queue = postfix.queue();
  EXPECT_THAT(server_->log(), HasSubstr(queue[0].id));
  EXPECT_THAT(postfix.text_of(queue[0].id), HasSubstr("Subject: hello"));
  EXPECT_EQ(server_->count(), 0);

  postfix.hold(queue[0].id);
  server_->release();
  ASSERT_TRUE(arrives(1)) << server_->log();
  ASSERT_TRUE(eventually([&] { return postfix.queue().size() == 1; }));
  EXPECT_EQ(postfix.queue()[0].id, queue[0].id) << "the first is the last";
  const auto text = postfix.text_of(queue[0].id);
  postfix.release(queue[0].id);
  postfix.flush();
  ASSERT_TRUE(arrives(2)) << server_->log();
  postfix.send(std::string{MailServer::address}, text);
  EXPECT_TRUE(arrives(3)) << "the same once more\n" << server_->log();
  EXPECT_TRUE(eventually([&] { return postfix.queue().empty(); }));
}

TEST_F(TheMailServer, ComesBackAfterEitherPartDied) {
  server_->postfix().kill();
  EXPECT_EQ(submit().code, connect_refused);
  server_->start_postfix();
  const auto again = submit();
  ASSERT_EQ(again.code, 0) << again.errors;
  ASSERT_TRUE(arrives(1));
  auto& dovecot = server_->dovecot();
  dovecot.kill();
  const auto url = "imaps://" + dovecot.imaps_address();
  EXPECT_EQ(look(url, server_->reader_password()).code, connect_refused);
  dovecot.start();
  const auto seen = look(url, server_->reader_password());
  EXPECT_EQ(seen.code, 0) << seen.errors;
  EXPECT_EQ(server_->count(), 1);
}

}  // namespace
}  // namespace tocsin::integration
