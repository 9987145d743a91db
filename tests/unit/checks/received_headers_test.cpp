#include "checks/received_headers.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "checks/mail_date.hpp"
#include "tocsin/base/text.hpp"

namespace tocsin::checks {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

WallTime at(const std::string& text) {
  const auto time = parse_rfc3339(text);
  EXPECT_TRUE(time) << text;
  return time.value_or(WallTime{});
}

struct DateCase {
  const char* text;
  const char* meant;
};

TEST(MailDate, ReadsWhatMailServersWrite) {
  const DateCase cases[] = {
      {"Mon, 23 Nov 2026 04:36:18 +0000 (UTC)", "2026-11-23T04:36:18Z"},  // Postfix
      {"Mon, 23 Nov 2026 04:36:18 +0000", "2026-11-23T04:36:18Z"},        // Exim, Exchange
      {"Sun, 22 Nov 2026 20:36:18 -0800 (PST)", "2026-11-23T04:36:18Z"},  // Gmail
      {" Mon,  2 Nov 2026 10:06:18 +0530", "2026-11-02T04:36:18Z"},
      {"\r\n\tMon, 23 Nov 2026\r\n\t 04:36:18 +0000", "2026-11-23T04:36:18Z"},
      {"23 Nov 2026 04:36:18 -0000", "2026-11-23T04:36:18Z"},  // qmail
      {"mon, 23 NOV 2026 04:36 +0100", "2026-11-23T03:36:00Z"},
      {"Mon,23 Nov 2026 4:36:18 GMT", "2026-11-23T04:36:18Z"},
      {"Mon 23 Nov 2026 04:36:18 +0000", "2026-11-23T04:36:18Z"},
      {"Thu, 31 Dec 2026 23:59:60 +0000", "2027-01-01T00:00:00Z"},
      {"29 Feb 2028 00:00:00 +2359", "2028-02-28T00:01:00Z"},
      {"Mon, 23 Nov 2026 04:36:18 +0000 CET and more", "2026-11-23T04:36:18Z"},
  };
  for (const auto& [text, meant] : cases) EXPECT_EQ(parse_mail_date(text), at(meant)) << text;
}

TEST(MailDate, ReadsTheOldForms) {
  const DateCase cases[] = {
      {"23 Nov 26 04:36:18 UT", "2026-11-23T04:36:18Z"},
      {"23 Nov 99 04:36:18 GMT", "1999-11-23T04:36:18Z"},
      {"23 Nov 126 04:36:18 GMT", "2026-11-23T04:36:18Z"},  // Counted from 1900, once common.
      {"23 Nov 2026 04:36:18 EST", "2026-11-23T09:36:18Z"},
      {"23 Nov 2026 04:36:18 edt", "2026-11-23T08:36:18Z"},
      {"23 Nov 2026 04:36:18 CST", "2026-11-23T10:36:18Z"},
      {"23 Nov 2026 04:36:18 CDT", "2026-11-23T09:36:18Z"},
      {"23 Nov 2026 04:36:18 MST", "2026-11-23T11:36:18Z"},
      {"23 Nov 2026 04:36:18 MDT", "2026-11-23T10:36:18Z"},
      {"23 Nov 2026 04:36:18 PST", "2026-11-23T12:36:18Z"},
      {"23 Nov 2026 04:36:18 PDT", "2026-11-23T11:36:18Z"},
      {"23 Nov 2026 04:36:18 A", "2026-11-23T04:36:18Z"},
      {"23 Nov 2026 04:36:18 CEST", "2026-11-23T04:36:18Z"},
      {"23 Nov 2026 04:36:18", "2026-11-23T04:36:18Z"},
      {"Mon (Monday (the first \\) day)), 23 (x) Nov(y)2026 04 (h): 36 : 18(z)+0000",
       "2026-11-23T04:36:18Z"},
  };
  for (const auto& [text, meant] : cases) EXPECT_EQ(parse_mail_date(text), at(meant)) << text;
}

TEST(MailDate, TakesNothingElse) {
  for (const auto* text : {"",
                           " ",
                           "Mon",
                           "Mon,",
                           "Mon, 23",
                           "23 Nov",
                           "23 Nov 2026",
                           "23 Nov 2026 04",
                           "23 Nov 2026 04:",
                           "23 Nov 2026 04:36:",
                           "30 Feb 2026 04:36:18 +0000",
                           "29 Feb 2026 04:36:18 +0000",
                           "0 Nov 2026 04:36:18 +0000",
                           "23 Foo 2026 04:36:18 +0000",
                           "23 November 2026 04:36:18 +0000",
                           "23 Nov 6 04:36:18 +0000",
                           "23 Nov 20266 04:36:18 +0000",
                           "23 Nov 1969 04:36:18 +0000",
                           "23 Nov 2200 04:36:18 +0000",
                           "23 Nov 50 04:36:18 +0000",
                           "23 Nov 2026 24:00:00 +0000",
                           "23 Nov 2026 04:60:18 +0000",
                           "23 Nov 2026 04:36:61 +0000",
                           "23 Nov 2026 04:36:18 +00",
                           "23 Nov 2026 04:36:18 +2400",
                           "23 Nov 2026 04:36:18 +0060",
                           "23 Nov 2026 04:36:18 +00000",
                           "23 Nov 2026 04:36:18 /",
                           "231 Nov 2026 04:36:18 +0000",
                           "-3 Nov 2026 04:36:18 +0000",
                           "(23 Nov 2026 04:36:18 +0000",
                           "2026-11-23T04:36:18Z",
                           "99999999999999999999 Nov 2026 04:36:18 +0000"}) {
    EXPECT_EQ(parse_mail_date(text), std::nullopt) << text;
  }
}

constexpr std::string_view through_postfix =
    "Return-Path: <app@example.com>\r\n"
    "Delivered-To: tocsin@example.net\r\n"
    "Received: from mx.example.net ([10.0.0.2])\r\n"
    "\tby imap.example.net with LMTP\r\n"
    "\tid oJ2zLxMdY2cXAAAA0J78UA\r\n"
    "\t(envelope-from <app@example.com>)\r\n"
    "\tfor <tocsin@example.net>; Mon, 23 Nov 2026 04:41:20 +0000\r\n"
    "Received: from relay.example.com (relay.example.com [192.0.2.10])\r\n"
    "\t(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits))\r\n"
    "\t(No client certificate requested)\r\n"
    "\tby mx.example.net (Postfix) with ESMTPS id 4XyZ1234ABz9s\r\n"
    "\tfor <tocsin@example.net>; Mon, 23 Nov 2026 04:41:19 +0000 (UTC)\r\n"
    "Received: from app01.example.com (app01.example.com [10.1.0.7]) by relay.example.com\r\n"
    " (Postfix) with ESMTPSA id 4XyZ11; Mon, 23 Nov 2026 04:36:18 +0000 (UTC)\r\n"
    "X-Tocsin-Message: 01JD8Z7Q\r\n"
    "Subject: test message\r\n"
    "\tfrom\r\n"
    "  app01\r\n"
    "\r\n"
    "Received: by body.example.com; Mon, 23 Nov 2026 04:00:00 +0000\r\n"
    "Subject: of the body\r\n";

TEST(MailHeader, IsFoundWhateverItsCaseAndUnfolded) {
  EXPECT_EQ(mail_header(through_postfix, "x-tocsin-message"), "01JD8Z7Q");
  EXPECT_EQ(mail_header(through_postfix, "SUBJECT"), "test message from  app01");
  EXPECT_EQ(mail_header(through_postfix, "X-Tocsin"), std::nullopt);
  EXPECT_EQ(mail_header("", "Subject"), std::nullopt);
  EXPECT_THAT(mail_headers("A: 1\nb : 2\nB:\n B: 3\nb:4", "b", 9), ElementsAre("2", "B: 3", "4"));
  EXPECT_THAT(mail_headers("B: 1\nB: 2\nB: 3\n", "B", 2), ElementsAre("1", "2"));
  EXPECT_THAT(mail_headers("B: 1\n", "B", 0), IsEmpty());
}

TEST(MailHeader, EndsWithTheBlockAndPassesOverTheRest) {
  EXPECT_THAT(mail_headers(through_postfix, "Subject", 9), ElementsAre("test message from  app01"));
  EXPECT_EQ(mail_header("A: 1\n\n B: 2\nB: 3\n", "B"), std::nullopt);
  EXPECT_EQ(mail_header("\r\n B: 2\r\n", "B"), std::nullopt);
  EXPECT_EQ(mail_header(" B: folded of nothing\nB: 1", "B"), "1");
  EXPECT_EQ(mail_header("From app@example.com Mon Nov 23 04:36:18 2026\nno header\nB: 1", "B"),
            "1");
  EXPECT_EQ(mail_header("A: x\n B: 2\nB: 3", "B"), "3");
  const std::string late = "A: " + std::string(mail_header_bytes, 'x') + "\r\nB: 1\r\n";
  EXPECT_EQ(mail_header(late, "B"), std::nullopt);
}

TEST(MailHeader, GivesCleanText) {
  using namespace std::string_view_literals;
  EXPECT_EQ(mail_header("B: a\0b\x1b[1m\xff\tc\r\r\n"sv, "B"), "ab[1m\xEF\xBF\xBD c");
}

TEST(MailHops, AreInTheOrderOfTravel) {
  EXPECT_THAT(
      mail_hops(through_postfix),
      ElementsAre(MailHop{"relay.example.com", "app01.example.com", at("2026-11-23T04:36:18Z")},
                  MailHop{"mx.example.net", "relay.example.com", at("2026-11-23T04:41:19Z")},
                  MailHop{"imap.example.net", "mx.example.net", at("2026-11-23T04:41:20Z")}));
}

struct StampCase {
  const char* stamp;
  MailHop hop;
};

TEST(MailHops, AreReadFromAllKindsOfServers) {
  const auto time = at("2026-11-23T04:36:18Z");
  const StampCase cases[] = {
      // Exim, from a client that said another name.
      {"from [198.51.100.7] (port=51234 helo=app01)\n\tby mail.example.org with esmtpsa  (TLS1.3)"
       " tls TLS_AES_256_GCM_SHA384\n\t(Exim 4.96)\n\t(envelope-from <app@example.org>)\n\tid "
       "1tEabc-0001Xy-2Z\n\tfor tocsin@example.net;\n\tMon, 23 Nov 2026 04:36:18 +0000",
       {"mail.example.org", "[198.51.100.7]", time}},
      {"from root by web.example.org with local (Exim 4.94.2)\n\t(envelope-from "
       "<root@web.example.org>)\n\tid 1tEabc-000123-AB; Mon, 23 Nov 2026 05:36:18 +0100",
       {"web.example.org", "root", time}},
      // Sendmail, which names nobody for what is handed in on its own host.
      {"(from www@localhost)\n\tby web3.example.com (8.15.2/8.15.2/Submit) id 4AN4aIxy012345;\n"
       "\tMon, 23 Nov 2026 04:36:18 GMT",
       {"web3.example.com", "", time}},
      {"from web3.example.com (localhost [127.0.0.1])\n\tby web3.example.com (8.15.2/8.15.2/Debian"
       "-22) with ESMTPS id 4AN4aI01\n\t(version=TLSv1.3 cipher=X bits=256 verify=NOT)\n\tfor "
       "<a@example.net>; Sun, 22 Nov 2026 23:36:18 -0500",
       {"web3.example.com", "web3.example.com", time}},
      // Exchange, whose names of protocols are sentences.
      {"from AM0PR01MB1234.eurprd01.prod.outlook.example (2603:10a6:208:aa::12)\n by "
       "AM9PR01MB5678.eurprd01.prod.outlook.example (2603:10a6:20b:bb::34) with\n Microsoft SMTP "
       "Server (version=TLS1_2,\n cipher=TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384) id 15.20.8182.18;"
       " Mon, 23 Nov\n 2026 04:36:18 +0000",
       {"AM9PR01MB5678.eurprd01.prod.outlook.example",
        "AM0PR01MB1234.eurprd01.prod.outlook.example", time}},
      {"from EX01.corp.example (10.0.0.1) by EX02.corp.example (10.0.0.2) with Microsoft SMTP "
       "Server id 15.1.2507.39 via Frontend Transport; Mon, 23 Nov 2026 04:36:18 +0000",
       {"EX02.corp.example", "EX01.corp.example", time}},
      // Gmail.
      {"by 2002:a05:6a10:1234:b0:4f2:aaaa:bbbb with SMTP id x12csp1234567pxy;\n        Sun, 22 Nov"
       " 2026 20:36:18 -0800 (PST)",
       {"2002:a05:6a10:1234:b0:4f2:aaaa:bbbb", "", time}},
      {"from mail-sor-f41.example.com (mail-sor-f41.example.com. [192.0.2.41])\n        by "
       "mx.example.com with SMTPS id d2e1a72sor1pfb.0.2026.11.22.20.36.18\n        for "
       "<a@example.com>\n        (Transport Security);\n        Sun, 22 Nov 2026 20:36:18 -0800 "
       "(PST)",
       {"mx.example.com", "mail-sor-f41.example.com", time}},
      // Amazon SES.
      {"from a8-30.smtp-out.ses.example (a8-30.smtp-out.ses.example [192.0.2.30])\r\n by "
       "inbound-smtp.eu-west-1.ses.example with SMTP id 7kq0p2 \r\n for a@example.net;\r\n Mon, 23 "
       "Nov 2026 04:36:18 +0000 (UTC)",
       {"inbound-smtp.eu-west-1.ses.example", "a8-30.smtp-out.ses.example", time}},
      // Dovecot.
      {"from mx.example.net\n\tby imap.example.net with LMTP\n\tid GKZ7CxMdY2cXAAAA0J78UA:P1\n\t"
       "(envelope-from <app@example.com>)\n\tfor <a@example.net>; Mon, 23 Nov 2026 04:36:18 +0000",
       {"imap.example.net", "mx.example.net", time}},
      // qmail.
      {"(qmail 12345 invoked by uid 89); 23 Nov 2026 04:36:18 -0000", {"", "", time}},
      {"from unknown (HELO app01) (10.1.0.7)\n  by 0 with SMTP; 23 Nov 2026 04:36:18 -0000",
       {"0", "unknown", time}},
  };
  for (const auto& [stamp, hop] : cases)
    EXPECT_THAT(mail_hops("Received: " + std::string{stamp} + "\r\n"), ElementsAre(hop)) << stamp;
}

TEST(MailHops, OfHostileStampsGiveWhatCanBeRead) {
  const auto time = at("2026-11-23T04:36:18Z");
  const std::string date = "; Mon, 23 Nov 2026 04:36:18 +0000";
  const StampCase cases[] = {
      {"from by by from", {"from", "by", time}},
      {"BY x FROM y by z from w", {"x", "y", time}},
      {"from a (by c; 1 Jan 2020 00:00:00 +0000) by b", {"b", "a", time}},
      {"from a (never closed by b", {"", "a", time}},
      {"from a (never; closed by b", {"", "a", time}},
      {"from \"a; b\\\" \" by b", {"b", "\"a;b\\\"\"", time}},
      {"from \"never closed by b", {"", "\"neverclosedbyb;Mon,23Nov202604:36:18+0000", time}},
      {"from a by", {"", "a", time}},
      {"from a by b; 1 Jan 2020 00:00:00 +0000", {"b", "a", time}},
      {"", {"", "", time}},
      {"from \x1b[31m\xff<!channel> by \xe2\x80\xae",
       {"\xe2\x80\xae", "[31m\xEF\xBF\xBD<!channel>", time}},
  };
  for (const auto& [stamp, hop] : cases)
    EXPECT_THAT(mail_hops("Received: " + (stamp + date)), ElementsAre(hop)) << stamp;
  const auto named = mail_hops("Received: by " + std::string(5000, 'x') + date);
  ASSERT_EQ(named.size(), 1u);
  EXPECT_EQ(named[0].by, cut_characters(std::string(5000, 'x'), mail_host_characters));
}

TEST(MailHops, WithoutADateAreNone) {
  EXPECT_THAT(mail_hops("Received: from a by b\nReceived: from a by b; soon\nReceived:\n"
                        "Received: by c; 23 Nov 2026 04:36:18 Z\nX-Received: by d; 23 Nov 2026 "
                        "04:36:18 +0000\n"),
              ElementsAre(MailHop{"c", "", at("2026-11-23T04:36:18Z")}));
}

TEST(MailHops, AreTheLastOfVeryMany) {
  std::string block;
  for (int i = 0; i < 200; ++i)
    block += "Received: by h" + std::to_string(i) + "; 23 Nov 2026 04:36:18 +0000\r\n";
  const auto hops = mail_hops(block);
  ASSERT_EQ(hops.size(), mail_hops_max);
  EXPECT_EQ(hops.back().by, "h0");
  EXPECT_EQ(hops.front().by, "h49");
}

std::vector<MailHop> hops(std::initializer_list<std::pair<const char*, int>> stamps) {
  std::vector<MailHop> out;
  for (const auto& [by, seconds] : stamps)
    out.push_back({by, std::string{"to-"} + by, WallTime{1'000'000s + seconds * 1s}});
  return out;
}
WallTime second(double seconds) {
  return WallTime{1'000'000s} + std::chrono::microseconds{static_cast<std::int64_t>(seconds * 1e6)};
}

TEST(SlowestHop, IsTheHostThatHadItLongest) {
  EXPECT_EQ(slowest_hop(hops({{"a", 0}, {"b", 2}, {"c", 300}, {"d", 301}})),
            (SlowestHop{298s, "b"}));
  EXPECT_EQ(slowest_hop(hops({{"a", 0}, {"b", 5}, {"c", 10}})), (SlowestHop{5s, "a"}));
  EXPECT_EQ(slowest_hop(mail_hops(through_postfix)), (SlowestHop{301s, "relay.example.com"}));
}

TEST(SlowestHop, CountsTheWayInAndTheDelivery) {
  const auto two = hops({{"a", 10}, {"b", 12}});
  EXPECT_EQ(slowest_hop(two, second(0)), (SlowestHop{10s, "to-a"}));
  EXPECT_EQ(slowest_hop(two, second(9), second(60)), (SlowestHop{48s, "b"}));
  const auto one = hops({{"a", 10}});
  EXPECT_EQ(slowest_hop(one), std::nullopt);
  EXPECT_EQ(slowest_hop(one, std::nullopt, second(13)), (SlowestHop{3s, "a"}));
  EXPECT_EQ(slowest_hop({}, second(0), second(9)), std::nullopt);
  EXPECT_EQ(slowest_hop({}), std::nullopt);
}

TEST(SlowestHop, IsNeverBelowNothingNorAboveTheTravel) {
  // Stamps have whole seconds: the first may seem to be before the message was sent.
  EXPECT_EQ(slowest_hop(hops({{"a", 10}}), second(10.9)), (SlowestHop{0s, "to-a"}));
  EXPECT_EQ(slowest_hop(hops({{"a", 10}, {"b", 4}})), (SlowestHop{0s, "a"}));
  // A clock that is an hour ahead, and one that is an hour behind.
  EXPECT_EQ(slowest_hop(hops({{"a", 1}, {"b", 3602}, {"c", 3}}), second(0), second(5)),
            (SlowestHop{4s, "a"}));
  EXPECT_EQ(slowest_hop(hops({{"a", 1}, {"b", -3598}, {"c", 3}}), second(0), second(5)),
            (SlowestHop{3s, "b"}));
  EXPECT_EQ(slowest_hop(hops({{"a", 1}}), second(9), second(5)), (SlowestHop{0s, "to-a"}));
}

TEST(SlowestHop, NamesWhoeverIsKnown) {
  std::vector<MailHop> unnamed{{"", "", second(0)}, {"b", "x", second(9)}};
  EXPECT_EQ(slowest_hop(unnamed), (SlowestHop{9s, "x"}));
  unnamed[1].from.clear();
  EXPECT_EQ(slowest_hop(unnamed), (SlowestHop{9s, "an unnamed host"}));
  EXPECT_EQ(slowest_hop(unnamed, second(-60)), (SlowestHop{60s, "an unnamed host"}));
}

}  // namespace
}  // namespace tocsin::checks
