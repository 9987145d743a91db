#include "checks/imap_reply.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "checks/mail_date.hpp"

namespace tocsin::checks {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

WallTime at(const char* text) {
  const auto time = parse_rfc3339(text);
  EXPECT_TRUE(time) << text;
  return time.value_or(WallTime{});
}

TEST(ImapDate, IsReadInItsOneForm) {
  EXPECT_EQ(parse_imap_date("17-Jul-1996 02:44:25 -0700"), at("1996-07-17T09:44:25Z"));
  EXPECT_EQ(parse_imap_date(" 7-jul-2026 02:44:25 +0000"), at("2026-07-07T02:44:25Z"));
  EXPECT_EQ(parse_imap_date("7-JUL-2026 02:44:60 +0545"), at("2026-07-06T21:00:00Z"));
  for (const auto* text :
       {"", " ", "17-Jul-1996", "17-Jul-96 02:44:25 -0700", "17 Jul 1996 02:44:25 -0700",
        "31-Jun-1996 02:44:25 -0700", "17-Jul-1996 02:44 -0700", "17-Jul-1996 2:44:25 -0700",
        "17-Jul-1996 02:44:25", "17-Jul-1996 02:44:25 UTC", "17-Jul-1996 02:44:25 -0700 ",
        "  7-Jul-1996 02:44:25 -0700", "17-Jul-1996 24:44:25 -0700", "17-Jul-1969 02:44:25 -0700",
        "\"17-Jul-1996 02:44:25 -0700\""}) {
    EXPECT_EQ(parse_imap_date(text), std::nullopt) << text;
  }
}

TEST(ImapSearch, GivesTheUidsOfAllItsLines) {
  EXPECT_THAT(parse_imap_search("* SEARCH 2 84 882\r\n"), ElementsAre(2u, 84u, 882u));
  EXPECT_THAT(parse_imap_search("* SEARCH 2\r\n* 5 EXISTS\r\n* search 9 4 2\r\nA3 OK done\r\n"),
              ElementsAre(2u, 4u, 9u));
  EXPECT_THAT(parse_imap_search("* SEARCH 4294967295"), ElementsAre(4294967295u));
  EXPECT_THAT(parse_imap_search("* SEARCH 2 5 6 (MODSEQ 917162500)\r\n"), ElementsAre(2u, 5u, 6u));
}

TEST(ImapSearch, FindsNothingInAnythingElse) {
  for (const auto* reply :
       {"", "\r\n", "* SEARCH\r\n", "* SEARCH \r\n", "SEARCH 1 2\r\n", "A1 SEARCH 1\r\n",
        "* ESEARCH (TAG \"A1\") UID ALL 4:18,21\r\n", "* SEARCHES 1\r\n", "* SEARCH 0 1\r\n",
        "* SEARCH 4294967296\r\n", "* SEARCH -1\r\n", "* SEARCH 1:9\r\n", "* SEARCH x\r\n",
        "* 1 FETCH (X {10}\r\n* SEARCH 7)\r\n", "+ idling\r\n", "* SEARCH 1x\r\n"}) {
    EXPECT_THAT(parse_imap_search(reply), IsEmpty()) << reply;
  }
}

TEST(ImapSearch, GivesTheNewestOfVeryMany) {
  std::string reply = "* SEARCH";
  for (int i = 1; i <= 25'000; ++i) reply += ' ' + std::to_string(i);
  const auto uids = parse_imap_search(reply + "\r\n");
  ASSERT_EQ(uids.size(), imap_uids_max);
  EXPECT_EQ(uids.front(), 24'001u);
  EXPECT_EQ(uids.back(), 25'000u);
}

TEST(ImapArrivals, AreReadInAnyOrderOfTheirItems) {
  const auto reply =
      "* 3 FETCH (UID 12 INTERNALDATE \"17-Jul-1996 02:44:25 -0700\")\r\n"
      "* OK still here\r\n"
      "* 7 FETCH (INTERNALDATE \" 7-Jul-2026 02:44:25 +0000\" FLAGS (\\Seen $Forwarded) UID 15)\r\n"
      "* 8 fetch (MODSEQ (624140003) uid 9 ENVELOPE (\"a ) b\" ((\"x\" NIL \"\\\")\" NIL)) NIL)"
      " RFC822.SIZE 44827 internaldate \"01-Jan-2026 00:00:00 +0100\" )\r\n"
      "A4 OK FETCH completed\r\n";
  EXPECT_THAT(parse_imap_arrivals(reply), ElementsAre(ImapArrival{9, at("2025-12-31T23:00:00Z")},
                                                      ImapArrival{12, at("1996-07-17T09:44:25Z")},
                                                      ImapArrival{15, at("2026-07-07T02:44:25Z")}));
}

TEST(ImapArrivals, PassOverLiterals) {
  const auto reply =
      "* 3 FETCH (BODY[HEADER.FIELDS (DATE FROM)]<0> {67}\r\n"
      "* 9 FETCH (UID 66 INTERNALDATE \"01-Jan-2026 00:00:00 +0000\")\r\n\r\n\r\n"
      " UID 12 INTERNALDATE \"17-Jul-1996 02:44:25 -0700\")\r\n"
      "* 4 FETCH (UID 13 BODY[] {99999999}\r\nto the end";
  EXPECT_THAT(parse_imap_arrivals(reply), ElementsAre(ImapArrival{12, at("1996-07-17T09:44:25Z")}));
}

TEST(ImapArrivals, AreOnesOfWholeLines) {
  for (const auto* reply : {"", "* 3 FETCH", "* 3 FETCH ()", "* 3 FETCH (UID 12)", "* 3 FETCH (UID",
                            "* 3 FETCH (FLAGS (\\Seen) UID 12)\r\n", "* 3 FETCH (FLAGS (\\Seen",
                            "* 3 FETCH (INTERNALDATE \"17-Jul-1996 02:44:25 -0700\")",
                            "* 3 FETCH (UID 12 INTERNALDATE \"17-Jul-1996 02:44:25 -0700\"",
                            "* 3 FETCH (UID 12 INTERNALDATE \"17-Jul-1996 02:44:25 -0700",
                            "* 3 FETCH (UID 0 INTERNALDATE \"17-Jul-1996 02:44:25 -0700\")",
                            "* 3 FETCH (UID 12 INTERNALDATE \"17-Jul-1896 02:44:25 -0700\")",
                            "* 3 FETCH (UID 12 INTERNALDATE NIL)", "* x FETCH (UID 12)",
                            "* 3 STORE (UID 12 INTERNALDATE \"17-Jul-1996 02:44:25 -0700\")",
                            "3 FETCH (UID 12 INTERNALDATE \"17-Jul-1996 02:44:25 -0700\")",
                            "* 3 FETCH (\"UID\" 12 INTERNALDATE \"17-Jul-1996 02:44:25 -0700\")"}) {
    EXPECT_THAT(parse_imap_arrivals(reply), IsEmpty()) << reply;
  }
}

TEST(ImapArrivals, AreFewAndEachOnce) {
  const std::string date = " INTERNALDATE \"17-Jul-1996 02:44:25 -0700\")\r\n";
  std::string reply =
      "* 1 FETCH (UID 5 INTERNALDATE \"18-Jul-1996 02:44:25 -0700\")\r\n* 1 FETCH (UID 5" + date;
  EXPECT_THAT(parse_imap_arrivals(reply), ElementsAre(ImapArrival{5, at("1996-07-18T09:44:25Z")}));
  for (int i = 1; i <= 3000; ++i) reply += "* 1 FETCH (UID " + std::to_string(i) + date;
  EXPECT_LE(parse_imap_arrivals(reply).size(), imap_uids_max);
}

TEST(ImapUidValidity, IsFoundAmongWhatElseIsSaid) {
  EXPECT_EQ(parse_imap_uid_validity("* FLAGS (\\Seen)\r\n* 3 EXISTS\r\n* OK [UNSEEN 1] first\r\n"
                                    "* OK [UIDVALIDITY 3857529045] UIDs valid\r\n"
                                    "* OK [UIDNEXT 4392] next\r\n"),
            3857529045u);
  EXPECT_EQ(parse_imap_uid_validity("* ok [uidvalidity 7]"), 7u);
  for (const auto* reply :
       {"", "* OK [UIDVALIDITY 0] x", "* OK [UIDVALIDITY 4294967296] x", "* OK [UIDVALIDITY x] x",
        "* OK [UIDVALIDITY 7 ] x", "* NO [UIDVALIDITY 7] x", "* OK UIDVALIDITY 7"})
    EXPECT_EQ(parse_imap_uid_validity(reply), std::nullopt) << reply;
}

TEST(ImapUidSet, IsAsShortAsItCanBe) {
  const auto set = [](std::vector<ImapUid> uids) { return imap_uid_set(uids); };
  EXPECT_EQ(set({}), "");
  EXPECT_EQ(set({0}), "");
  EXPECT_EQ(set({12, 15}), "12,15");
  EXPECT_EQ(set({15, 12, 15, 0, 13}), "12:13,15");
  EXPECT_EQ(set({1, 2, 3, 7, 9, 10}), "1:3,7,9:10");
  EXPECT_EQ(set({4294967295, 4294967294}), "4294967294:4294967295");
}

}  // namespace
}  // namespace tocsin::checks
