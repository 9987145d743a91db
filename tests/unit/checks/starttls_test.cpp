#include "checks/starttls.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "checks/ldap_answer.hpp"
#include "tests/fakes/manual_clock.hpp"
#include "tests/unit/checks/scripted_network.hpp"
#include "tocsin/base/limits.hpp"

namespace tocsin::checks {
namespace {

using namespace std::string_literals;
using checks_test::ScriptedNetwork;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

/// A server that answers each command that begins so with the words beside it, and what asks it.
struct Server {
  explicit Server(StartTls by, std::string greeting,
                  std::vector<std::pair<std::string, std::string>> answers = {})
      : protocol{by}, answers_{std::move(answers)} {
    network.greeting = std::move(greeting);
    network.peer = [this](std::string_view said) {
      for (const auto& [command, answer] : answers_)
        if (said.substr(0, command.size()) == command) return answer;
      return ""s;
    };
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// Answers another way to what begins so.
  Server& instead(const std::string& command, std::string answer) {
    for (auto& [words, told] : answers_)
      if (words == command) told = std::move(answer);
    return *this;
  }
  /// Its last word, which is the agreement, and more.
  void add_to_last(const std::string& text) { answers_.back().second += text; }
  /// Has no answer any more to the last command of the talk that it would have agreed to.
  bool forget_last() {
    if (answers_.empty()) return false;
    answers_.pop_back();
    return true;
  }
  Result<std::string> ask() {
    asio::io_context loop{1};
    auto opened = fakes::run_to_end(loop, network.open({.address = {"mail", 25}}));
    const auto before_tls = ask_for_tls(protocol);
    return fakes::run_to_end(loop, before_tls(*opened.conversation));
  }
  /// Why it was in vain; "" when the server agreed.
  std::string complaint() {
    const auto asked = ask();
    return asked ? "" : asked.error().detail;
  }
  Errc fault() {
    const auto asked = ask();
    return asked ? Errc::internal : asked.error().code;
  }

  StartTls protocol;
  ScriptedNetwork network{};

 private:
  std::vector<std::pair<std::string, std::string>> answers_;
};

const auto tls_request = "\x00\x00\x00\x08\x04\xd2\x16\x2f"s;
const auto ldap_request =
    "\x30\x1d\x02\x01\x01\x77\x18\x80\x16"
    "1.3.6.1.4.1.1466.20037"s;
/// An extendedResp of success, as OpenLDAP sends it.
const auto ldap_success = "\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00"s;

/// A server that agrees, for each protocol.
Server willing(StartTls protocol) {
  switch (protocol) {
    case StartTls::smtp:
      return Server{
          protocol,
          "220-mail.example.com\r\n220 ESMTP\r\n",
          {{"EHLO ", "250-mail.example.com\r\n250-SIZE 9\r\n250-starttls\r\n250 HELP\r\n"},
           {"STARTTLS\r\n", "220 2.0.0 Ready to start TLS\r\n"}}};
    case StartTls::lmtp:
      return Server{protocol,
                    "220 store\r\n",
                    {{"LHLO ", "250-store\r\n250 STARTTLS\r\n"}, {"STARTTLS\r\n", "220 OK\r\n"}}};
    case StartTls::imap:
      return Server{
          protocol,
          "* OK [CAPABILITY IMAP4rev1] ready\r\n",
          {{"t1 CAPABILITY\r\n", "* CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED\r\nt1 OK done\r\n"},
           {"t2 STARTTLS\r\n", "* 3 EXISTS\r\nt2 ok Begin TLS\r\n"}}};
    case StartTls::pop3:
      return Server{protocol, "+OK Dovecot ready.\r\n", {{"STLS\r\n", "+OK Begin TLS\r\n"}}};
    case StartTls::ftp:
      return Server{protocol,
                    "220-Welcome\r\n to this\r\n220x server\r\n220 ready\r\n",
                    {{"AUTH TLS\r\n", "234 Proceed with negotiation.\r\n"}}};
    case StartTls::ldap:
      return Server{protocol, "", {{ldap_request, ldap_success}}};
    case StartTls::postgres:
      return Server{protocol, "", {{tls_request, "S"}}};
  }
  throw std::invalid_argument{"protocol"};
}

const auto protocols = {StartTls::smtp, StartTls::lmtp, StartTls::imap,    StartTls::pop3,
                        StartTls::ftp,  StartTls::ldap, StartTls::postgres};

TEST(StartTls, EveryProtocolIsSpokenUpToTheAgreement) {
  for (const auto protocol : protocols)
    for (const std::size_t piece : {4096, 1}) {
      auto server = willing(protocol);
      server.network.piece = piece;
      const auto asked = server.ask();
      ASSERT_TRUE(asked) << static_cast<int>(protocol) << ": " << asked.error().detail;
      EXPECT_EQ(*asked, "");
    }
  auto smtp = willing(StartTls::smtp);
  EXPECT_TRUE(smtp.ask());
  EXPECT_THAT(smtp.network.said, ElementsAre("EHLO tocsin.invalid\r\n", "STARTTLS\r\n"));
}

TEST(StartTls, WhatComesAfterTheAgreementIsHandedBack) {
  for (const auto protocol : protocols) {
    auto server = willing(protocol);
    server.add_to_last("250 injected\r\n");
    EXPECT_EQ(server.ask().value_or(""), "250 injected\r\n") << static_cast<int>(protocol);
  }
}

TEST(StartTls, ACutAnywhereIsNoAgreement) {
  for (const auto protocol : protocols) {
    std::size_t whole = 1;
    for (std::size_t cut = 0; cut < whole; ++cut) {
      auto server = willing(protocol);
      EXPECT_TRUE(server.ask());
      whole = server.network.heard;
      server.network.cut_after = cut;
      EXPECT_EQ(server.fault(), Errc::disconnected) << static_cast<int>(protocol) << " " << cut;
      EXPECT_THAT(server.complaint(), StartsWith("mail:25 closed the connection (waiting for "));
    }
  }
}

TEST(StartTls, AServerThatHangsIsToldByWhatItWasAsked) {
  for (const auto protocol : protocols) {
    auto server = willing(protocol);
    while (server.forget_last()) {
      EXPECT_EQ(server.fault(), Errc::timed_out);
      EXPECT_THAT(server.complaint(), HasSubstr("no answer from mail:25 after 4.95s (waiting for "))
          << static_cast<int>(protocol);
    }
  }
  EXPECT_THAT((Server{StartTls::smtp, ""}.complaint()),
              HasSubstr("(waiting for its greeting before TLS)"));
  EXPECT_THAT((Server{StartTls::imap, "* OK\r\n"}.complaint()),
              HasSubstr("(waiting for the answer to CAPABILITY before TLS)"));
  EXPECT_THAT((Server{StartTls::postgres, ""}.complaint()),
              HasSubstr("(waiting for the answer to SSLRequest before TLS)"));
}

TEST(StartTls, AServerThatTakesNothingIsNotWaitedFor) {
  auto server = willing(StartTls::postgres);
  server.network.deaf = true;
  EXPECT_EQ(server.complaint(), "sending to mail:25 failed: Broken pipe (PostgreSQL)");
}

TEST(StartTls, AnEndlessServerIsRefused) {
  const auto is_refused = [](StartTls protocol, const std::string& begin,
                             const std::string& again) {
    Server server{protocol, begin, {{"t1 ", "* OK\r\n"}, {"EHLO ", "250-mail\r\n"}}};
    server.network.endless = again;
    EXPECT_EQ(server.fault(), Errc::too_large) << begin << again;
    EXPECT_LE(server.network.heard, 2 * limits::starttls_bytes);
    EXPECT_THAT(server.complaint(), HasSubstr("mail:25 said more than 16 KiB before TLS"));
  };
  const auto line = "220-welcome\r\n"s;
  for (const auto protocol : {StartTls::smtp, StartTls::lmtp, StartTls::ftp}) {
    is_refused(protocol, "", line);
    is_refused(protocol, "", "220-never ends");
  }
  is_refused(StartTls::smtp, "220 hello\r\n", "250-SIZE\r\n");
  is_refused(StartTls::imap, "", "* OK never ends");
  is_refused(StartTls::imap, "* OK\r\n", "* OK\r\n");
  is_refused(StartTls::pop3, "", "+OK never ends");
  is_refused(StartTls::ldap, "\x30\x84\xff\xff\xff\xff", "never ends");
}

TEST(StartTls, AServerThatOffersNoTlsIsNamed) {
  const auto offers_none = [](Server& server, const std::string& words) {
    EXPECT_EQ(server.fault(), Errc::unsupported);
    EXPECT_EQ(server.complaint(), words);
  };
  auto smtp = willing(StartTls::smtp);
  smtp.instead("EHLO ", "250-mail\r\n250-XSTARTTLS\r\n250 STARTTLSX\r\n");
  offers_none(smtp, "mail:25 offers no STARTTLS");
  auto imap = willing(StartTls::imap);
  imap.instead("t1 CAPABILITY\r\n", "* CAPABILITY IMAP4rev1\r\n* OK STARTTLS\r\nt1 OK\r\n");
  offers_none(imap, "mail:25 offers no STARTTLS");
  auto postgres = willing(StartTls::postgres);
  postgres.instead(tls_request, "N");
  offers_none(postgres, "mail:25 offers no TLS (PostgreSQL's ssl is off)");
}

TEST(StartTls, ARefusalIsToldInTheServersWords) {
  struct Row {
    StartTls protocol;
    std::string command, answer, sentence;
  };
  const auto ldap_refusal =
      "\x30\x81\x1b\x02\x01\x01\x78\x81\x15\x0a\x01\x34\x04\x00\x04\x0eunwilling\x00 now"s;
  const Row table[] = {
      {StartTls::smtp, "STARTTLS\r\n", "454 4.7.0 TLS not available\r\n",
       "mail:25 refuses STARTTLS: 454 4.7.0 TLS not available"},
      {StartTls::smtp, "EHLO ", "502-what\r\n502 is that\r\n",
       "mail:25 refuses EHLO tocsin.invalid: 502-what"},
      {StartTls::imap, "t2 STARTTLS\r\n", "t2 NO TLS is broken\r\n",
       "mail:25 refuses STARTTLS: NO TLS is broken"},
      {StartTls::imap, "t1 CAPABILITY\r\n", "* BYE shutting down\r\n",
       "mail:25 refuses CAPABILITY: * BYE shutting down"},
      {StartTls::pop3, "STLS\r\n", "-ERR Unknown command.\r\n",
       "mail:25 refuses STLS: -ERR Unknown command."},
      {StartTls::ftp, "AUTH TLS\r\n", "530 Please login with USER and PASS.\r\n",
       "mail:25 refuses AUTH TLS: 530 Please login with USER and PASS."},
      {StartTls::postgres, tls_request, "Ecould not fork\n\0"s,
       "mail:25 refuses SSLRequest: could not fork"},
      {StartTls::ldap, ldap_request, ldap_refusal,
       "mail:25 refuses StartTLS: result code 52 unwilling now"},
  };
  for (const auto& row : table) {
    auto server = willing(row.protocol);
    server.instead(row.command, row.answer);
    EXPECT_EQ(server.fault(), Errc::refused);
    EXPECT_EQ(server.complaint(), row.sentence);
  }
}

TEST(StartTls, AGreetingMayBeARefusalToo) {
  const auto told = [](StartTls protocol, std::string greeting) {
    Server server{protocol, std::move(greeting)};
    EXPECT_EQ(server.fault(), Errc::refused);
    return server.complaint();
  };
  EXPECT_EQ(told(StartTls::smtp, "554-no\r\n554 SMTP here\r\n"), "mail:25 greets with 554-no");
  EXPECT_EQ(told(StartTls::ftp, "421 Too many users\r\n"),
            "mail:25 greets with 421 Too many users");
  EXPECT_EQ(told(StartTls::pop3, "-ERR busy\r\n"), "mail:25 greets with -ERR busy");
  EXPECT_EQ(told(StartTls::imap, "* BYE busy\r\n"), "mail:25 greets with * BYE busy");
  EXPECT_EQ(told(StartTls::imap, "* PREAUTH welcome\r\n"),
            "mail:25 takes us for logged in already, where STARTTLS is not to be had: * PREAUTH "
            "welcome");
}

TEST(StartTls, AnotherProtocolIsRecognisedAsNotTheOneAsked) {
  const auto ssh = "SSH-2.0-OpenSSH_9.2\r\n"s;
  const std::pair<StartTls, std::string> table[] = {
      {StartTls::smtp, "SMTP"}, {StartTls::lmtp, "LMTP"}, {StartTls::imap, "IMAP"},
      {StartTls::pop3, "POP3"}, {StartTls::ftp, "FTP"},   {StartTls::ldap, "LDAP"},
  };
  for (const auto& [protocol, name] : table) {
    Server server{protocol, ssh};
    EXPECT_EQ(server.fault(), Errc::protocol);
    EXPECT_EQ(server.complaint(),
              "mail:25 does not speak " + name + ": it said \"SSH-2.0-OpenSSH_9.2\"");
  }
  EXPECT_THAT((Server{StartTls::postgres, "!SH"}.complaint()),
              HasSubstr("does not speak PostgreSQL: it said \"!SH\""));
  EXPECT_THAT((Server{StartTls::smtp, "22O hello\r\n"}.complaint()),
              HasSubstr("does not speak SMTP"));
  EXPECT_THAT((Server{StartTls::pop3, "+OKAY\r\n"}.complaint()), HasSubstr("does not speak POP3"));
}

TEST(StartTls, WordsOfAServerAreMadeFitToPrint) {
  Server server{StartTls::smtp, "554 \x1b[31m\xff" + std::string(5000, 'x') + "\r\n"};
  const auto words = server.complaint();
  EXPECT_EQ(words.find('\x1b'), std::string::npos);
  EXPECT_LE(words.size(), 260u);
}

TEST(LdapAnswer, IsReadWholeOrNotAtAll) {
  const auto answer = parse_ldap_answer(ldap_success);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->code, 0u);
  EXPECT_EQ(answer->words, "");
  EXPECT_EQ(ldap_message_size(ldap_success).value_or(std::nullopt), ldap_success.size());
  for (std::size_t size = 0; size < ldap_success.size(); ++size) {
    EXPECT_FALSE(parse_ldap_answer(ldap_success.substr(0, size))) << size;
    EXPECT_TRUE(ldap_message_size(ldap_success.substr(0, size))) << size;
  }
  // Lengths that do not fit, no length at all, and lengths of lengths that nobody sends.
  for (const auto& bad : {"\x30\x80\x02\x01\x01"s, "\x30\x85\x01\x01\x01\x01\x01\x01"s, "HTTP"s})
    EXPECT_FALSE(ldap_message_size(bad));
  EXPECT_FALSE(parse_ldap_answer("\x30\x05\x02\x7f\x01\x78\x00"s));
  EXPECT_FALSE(parse_ldap_answer("\x30\x0c\x02\x01\x01\x61\x07\x0a\x01\x00\x04\x00\x04\x00"s))
      << "the answer to a bind";
}

}  // namespace
}  // namespace tocsin::checks
