// What is said to a relay and to a mailbox once they have let us in.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "checks/imap_dialog.hpp"
#include "checks/mail_fault.hpp"
#include "checks/smtp_dialog.hpp"
#include "tests/fakes/manual_clock.hpp"
#include "tests/unit/checks/scripted_network.hpp"

namespace tocsin::checks {
namespace {

using checks_test::ScriptedNetwork;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string last_word(std::string_view said) {
  const auto text = said.substr(0, said.find("\r\n"));
  return std::string{text.substr(0, text.find(' '))};
}

// ---- SMTP.

struct Relay {
  ScriptedNetwork network{};
  std::map<std::string, std::string> answers{{"MAIL", "250 2.1.0 Ok\r\n"},
                                             {"RCPT", "250-2.1.5 Ok\r\n250 2.1.5 Ok\r\n"},
                                             {"DATA", "354 End data with <CR><LF>.<CR><LF>\r\n"},
                                             {"Subject:", "250 2.0.0 Ok: queued as 4XyZ\r\n"}};
  std::string content{"Subject: x\r\n\r\n.hidden\r\nlast"};

  Relay() {
    network.peer = [this](std::string_view said) {
      const auto answer = answers.find(last_word(said));
      return answer == answers.end() ? std::string{} : answer->second;
    };
  }
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;
  Result<std::string> take() {
    asio::io_context loop{1};
    auto opened = fakes::run_to_end(loop, network.open({.address = {"relay", 25}}));
    const OutgoingMail mail{"from@example.com", "to@example.com", content};
    return fakes::run_to_end(loop, hand_over(*opened.conversation, mail));
  }
  std::string complaint() {
    const auto taken = take();
    return taken ? "" : taken.error().detail;
  }
};

TEST(SmtpDialog, HandsAMessageOver) {
  Relay relay;
  relay.network.piece = 3;
  const auto receipt = relay.take();
  ASSERT_TRUE(receipt) << receipt.error().detail;
  EXPECT_EQ(*receipt, "2.0.0 Ok: queued as 4XyZ");
  EXPECT_THAT(relay.network.said,
              ElementsAre("MAIL FROM:<from@example.com>\r\n", "RCPT TO:<to@example.com>\r\n",
                          "DATA\r\n", "Subject: x\r\n\r\n..hidden\r\nlast\r\n.\r\n", "QUIT\r\n"));
}

TEST(SmtpDialog, SaysWhatWasRefusedAndWhy) {
  Relay relay;
  relay.answers["RCPT"] = "550 5.1.1 <to@example.com>: user unknown\r\n";
  EXPECT_EQ(relay.complaint(),
            "relay:25 refused the recipient <to@example.com>: 550 5.1.1 <to@example.com>: user "
            "unknown");
  relay.answers["MAIL"] = "451 4.7.1 Greylisted\r\n";
  EXPECT_EQ(relay.complaint(),
            "relay:25 refused the sender <from@example.com>: 451 4.7.1 Greylisted");
  EXPECT_EQ(relay.take().error().code, Errc::refused);
}

TEST(SmtpDialog, SaysWhereItHangsOrEnds) {
  Relay relay;
  relay.answers["Subject:"] = "";
  EXPECT_EQ(relay.complaint(), "relay:25 did not answer in time to the message");
  EXPECT_EQ(relay.take().error().code, Errc::timed_out);
  relay.network.closes = true;
  EXPECT_EQ(relay.complaint(), "relay:25 closed the connection at the message");
}

TEST(SmtpDialog, BoundsWhatItHears) {
  Relay relay;
  relay.answers["MAIL"] = "250-and\r\n";
  relay.network.endless = "250-so on\r\n";
  EXPECT_THAT(relay.complaint(), HasSubstr("does not end"));
  relay.network.endless = std::string(1000, 'x');
  EXPECT_EQ(relay.take().error().code, Errc::too_large);
  EXPECT_LE(relay.network.heard, 2 * smtp_bytes_max + 4096);
  relay.answers["MAIL"] = "HTTP/1.1 400 Bad Request\r\n";
  EXPECT_THAT(relay.complaint(), StartsWith("relay:25 does not speak SMTP"));
}

// ---- IMAP.

struct Mailbox {
  ScriptedNetwork network{};
  std::string untagged{};
  std::string ending{"OK done\r\n"};

  Mailbox() {
    network.peer = [this](std::string_view said) {
      return untagged + last_word(said) + " " + ending;
    };
  }
  Mailbox(const Mailbox&) = delete;
  Mailbox& operator=(const Mailbox&) = delete;
  template <class Use>
  auto use(const Use& with) {
    asio::io_context loop{1};
    auto opened = fakes::run_to_end(loop, network.open({.address = {"imap", 993}}));
    ImapDialog dialog{*opened.conversation};
    return fakes::run_to_end(loop, with(dialog));
  }
};

TEST(ImapDialog, AsksForAMessagesHeader) {
  Mailbox mailbox;
  mailbox.network.piece = 5;
  mailbox.untagged =
      "* 3 FETCH (UID 7 BODY[HEADER]<0> {23}\r\nSubject: t1 OK no\r\n\r\n\r\n)\r\n* 4 EXISTS\r\n";
  const auto header = mailbox.use([](ImapDialog& dialog) { return dialog.fetch_header(7); });
  ASSERT_TRUE(header) << header.error().detail;
  EXPECT_EQ(*header, "Subject: t1 OK no\r\n\r\n\r\n");
  EXPECT_THAT(mailbox.network.said, ElementsAre("t1 UID FETCH 7 (BODY.PEEK[HEADER]<0.65536>)\r\n"));
  mailbox.untagged = "";
  EXPECT_EQ(*mailbox.use([](ImapDialog& dialog) { return dialog.fetch_header(7); }), "");
}

TEST(ImapDialog, SearchesAndQuotes) {
  Mailbox mailbox;
  mailbox.untagged = "* SEARCH 2 4\r\n";
  const auto found = mailbox.use([](ImapDialog& dialog) { return dialog.search_subject("abc"); });
  ASSERT_TRUE(found);
  EXPECT_EQ(*found, "* SEARCH 2 4\r\n");
  ASSERT_TRUE(mailbox.use([](ImapDialog& dialog) { return dialog.select("a \"b\\"); }));
  EXPECT_THAT(mailbox.network.said, ElementsAre("t1 UID SEARCH UNDELETED SUBJECT \"abc\"\r\n",
                                                "t1 SELECT \"a \\\"b\\\\\"\r\n"));
}

TEST(ImapDialog, SaysWhatWasRefused) {
  Mailbox mailbox;
  mailbox.ending = "NO [NONEXISTENT] Mailbox doesn't exist: Ops\r\n";
  const auto selected = mailbox.use([](ImapDialog& dialog) { return dialog.select("Ops"); });
  ASSERT_FALSE(selected);
  EXPECT_EQ(selected.error().code, Errc::refused);
  EXPECT_EQ(selected.error().detail,
            "imap:993 refused opening the folder Ops: NO [NONEXISTENT] Mailbox doesn't exist: Ops");
}

TEST(ImapDialog, AServerWithoutUidplusIsAskedToMarkOnly) {
  Mailbox mailbox;
  mailbox.network.peer = [](std::string_view said) {
    return said.find("EXPUNGE") == std::string_view::npos ? std::string{"t1 OK\r\n"}
                                                          : std::string{"t2 BAD no\r\n"};
  };
  const std::vector<std::uint32_t> uids{4, 5, 9};
  EXPECT_TRUE(mailbox.use([&](ImapDialog& dialog) { return dialog.remove(uids); }));
  EXPECT_THAT(mailbox.network.said, ElementsAre("t1 UID STORE 4:5,9 +FLAGS.SILENT (\\Deleted)\r\n",
                                                "t2 UID EXPUNGE 4:5,9\r\n"));
}

TEST(ImapDialog, SaysWhereItHangsOrEnds) {
  Mailbox mailbox;
  const auto search = [](ImapDialog& dialog) { return dialog.search_subject("abc"); };
  mailbox.network.peer = [](std::string_view) { return "* SEARCH 1"; };
  EXPECT_EQ(mailbox.use(search).error().detail, "imap:993 did not answer in time to the search");
  mailbox.network.closes = true;
  EXPECT_EQ(mailbox.use(search).error().detail, "imap:993 closed the connection at the search");
  mailbox.network.peer = [](std::string_view) { return "* BYE Server shutting down.\r\n"; };
  EXPECT_EQ(mailbox.use(search).error().detail,
            "imap:993 ended the session at the search: BYE Server shutting down.");
}

TEST(ImapDialog, BoundsWhatItHears) {
  Mailbox mailbox;
  const auto header = [](ImapDialog& dialog) { return dialog.fetch_header(7); };
  mailbox.network.peer = [](std::string_view) {
    return "* 3 FETCH (UID 7 BODY[HEADER] {1073741824}\r\n";
  };
  EXPECT_EQ(mailbox.use(header).error().code, Errc::too_large);
  mailbox.network.peer = [](std::string_view) { return "* 1 EXISTS\r\n"; };
  mailbox.network.endless = "* 1 EXISTS\r\n";
  EXPECT_EQ(mailbox.use(header).error().code, Errc::too_large);
  EXPECT_LE(mailbox.network.heard, 2 * imap_bytes_max);
}

// ---- The way in.

TEST(MailTrace, KeepsCommandsAndNoCredentials) {
  MailTrace smtp{MailProtocol::smtp};
  smtp.said("EHLO web-1\r\n");
  smtp.heard("250 AUTH PLAIN\r\n");
  smtp.said("AUTH PLAIN AGFwcABodW50ZXIy\r\n");
  smtp.said("AGFwcABodW50ZXIy\r\n");
  EXPECT_EQ(smtp.command(), "AUTH");
  EXPECT_EQ(smtp.reply(), "");
  EXPECT_TRUE(smtp.is_authenticating());
  MailTrace imap{MailProtocol::imap};
  imap.said("A002 LOGIN tocsin hunter2\r\n");
  EXPECT_EQ(imap.command(), "LOGIN");
}

struct Story {
  MailEnd::Kind kind;
  bool connected, secured;
  std::string command, reply, words, sentence;
};

TEST(MailFault, NamesTheStepThatFailed) {
  using Kind = MailEnd::Kind;
  MailServer server;
  server.address = HostPort{"relay", 587};
  server.username = "app";
  const std::vector<Story> stories{
      {Kind::unreachable, false, false, "", "", "Connection refused",
       "connect to relay:587 failed: Connection refused"},
      {Kind::timed_out, false, false, "", "", "", "connect to relay:587 timed out"},
      {Kind::timed_out, true, false, "", "", "",
       "relay:587 did not answer in time during the greeting"},
      {Kind::timed_out, true, false, "EHLO", "", "",
       "relay:587 did not answer in time during EHLO"},
      {Kind::timed_out, true, false, "STARTTLS", "220 go", "",
       "relay:587 did not answer in time during the TLS handshake"},
      {Kind::timed_out, true, true, "AUTH", "", "",
       "relay:587 did not answer in time during logging in"},
      {Kind::tls, true, false, "STARTTLS", "220 go", "self-signed certificate",
       "the TLS handshake with relay:587 failed: self-signed certificate"},
      {Kind::no_starttls, true, false, "EHLO", "250 HELP", "", "relay:587 offers no STARTTLS"},
      {Kind::no_starttls, true, false, "STARTTLS", "454 4.7.0 TLS not available", "",
       "relay:587 offers no STARTTLS: 454 4.7.0 TLS not available"},
      {Kind::refused, true, true, "AUTH", "535 5.7.8 authentication failed", "",
       "relay:587 does not let app in: 535 5.7.8 authentication failed"},
      {Kind::refused, true, true, "EHLO", "250 HELP", "",
       "relay:587 offers no way to log in that is known here (PLAIN, LOGIN, CRAM-MD5)"},
      {Kind::disconnected, true, true, "EHLO", "", "",
       "relay:587 closed the connection during EHLO"},
      {Kind::protocol, true, false, "", "421 4.3.2 busy", "",
       "relay:587 answered the greeting with what does not let us go on: 421 4.3.2 busy"},
  };
  for (const auto& story : stories) {
    MailTrace trace{MailProtocol::smtp};
    if (!story.command.empty()) trace.said(story.command + " x\r\n");
    if (!story.reply.empty()) trace.heard(story.reply + "\r\n");
    const auto error =
        mail_fault(server, trace, {story.kind, story.connected, story.secured, story.words});
    EXPECT_EQ(error.detail, story.sentence);
  }
}

}  // namespace
}  // namespace tocsin::checks
