#include "checks/mail_queue.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "checks/mail_listing.hpp"
#include "tests/unit/checks/made_check.hpp"

namespace tocsin {
namespace {

using namespace std::chrono_literals;
using checks::domain_of;
using checks::EximListing;
using checks::MailListing;
using checks::MailSystem;
using checks::parse_postqueue_line;
using checks::plain_reason;
using checks_test::complaints_of;
using checks_test::list_of;
using checks_test::made;
using checks_test::map_of;
using checks_test::names_of;
using checks_test::word;
using fakes::value_of;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// As Postfix 3.7.11 prints it.
constexpr const char* deferred_line =
    R"({"queue_name": "deferred", "queue_id": "95B0FA7C353", "arrival_time": 1795398635, )"
    R"("message_size": 265, "forced_expire": false, "sender": "boss@tocsin.test", "recipients": [)"
    R"({"address": "jane@example.com", "delay_reason": "connect to mx.example.com[192.0.2.1]:25: )"
    R"(Connection refused"}, {"address": "joe@Example.NET"}]})";

std::string message(const std::string& queue, const std::string& id, std::int64_t arrival,
                    const std::string& address, const std::string& reason = "") {
  return R"({"queue_name": ")" + queue + R"(", "queue_id": ")" + id + R"(", "arrival_time": )" +
         std::to_string(arrival) +
         R"(, "message_size": 265, "forced_expire": false, "sender": "",)" +
         R"( "recipients": [{"address": ")" + address + "\"" +
         (reason.empty() ? "" : R"(, "delay_reason": ")" + reason + "\"") + "}]}\n";
}

TEST(PostqueueLine, IsRead) {
  const auto read = parse_postqueue_line(deferred_line);
  ASSERT_TRUE(read) << read.error().detail;
  EXPECT_EQ(read->queue, "deferred");
  EXPECT_EQ(read->id, "95B0FA7C353");
  EXPECT_EQ(read->arrival, 1795398635);
  ASSERT_EQ(read->recipients.size(), 2u);
  EXPECT_EQ(read->recipients[0].domain, "example.com");
  EXPECT_EQ(read->recipients[0].delay_reason, "connect to mx.example.com:25: Connection refused");
  EXPECT_EQ(read->recipients[1].domain, "example.net");
  EXPECT_EQ(read->recipients[1].delay_reason, "");
}

TEST(PostqueueLine, IsRefusedWhenItIsNone) {
  for (const auto* line :
       {"", "{", "[]", "null", "{}", R"({"queue_name": "hold"})", "Mail queue is empty",
        R"({"queue_name": 5, "arrival_time": 5})", R"({"queue_name": "hold", "arrival_time": "5"})",
        R"({"queue_name": "hold", "arrival_time": -5})",
        R"({"queue_name": "hold", "arrival_time": 5}, {})"})
    EXPECT_FALSE(parse_postqueue_line(line)) << line;
}

TEST(PostqueueLine, UnknownAndOddMembersArePassedOver) {
  const auto read = parse_postqueue_line(
      R"({"news": [1], "queue_name": "active", "arrival_time": 7, "queue_id": null,)"
      R"( "recipients": [1, {"address": 5, "delay_reason": {}}, {"address": "root"}]})");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->id, "");
  ASSERT_EQ(read->recipients.size(), 2u);
  EXPECT_EQ(read->recipients[1].domain, "");
}

TEST(DelayReason, KeepsWhatManyShareAndNobodysAddress) {
  const std::pair<const char*, const char*> table[] = {
      {"connect to mx.example.com[192.0.2.1]:25: Connection timed out",
       "connect to mx.example.com:25: Connection timed out"},
      {"connect to [192.0.2.1]:25: refused", "connect to [192.0.2.1]:25: refused"},
      {"host mx.example.com[2001:db8::1] said: 451 4.7.1 <jane@example.com>: Recipient address "
       "rejected: Greylisted (in reply to RCPT TO command)",
       "host mx.example.com said: 451 4.7.1 <…@example.com>: Recipient address rejected: "
       "Greylisted (in reply to RCPT TO command)"},
      {"550 jane+tag@example.com unknown", "550 …@example.com unknown"},
      {"421 try later, session 4fHq2k9z77 - gsmtp", "421 try later, session # - gsmtp"},
      {"two\nlines\x01", "two lines"},
      {"", ""},
  };
  for (const auto& [text, plain] : table) EXPECT_EQ(plain_reason(text), plain);
  EXPECT_EQ(plain_reason("5.1.1 jane.doe: unknown; <jane.doe>", "jane.doe@example.com"),
            "5.1.1 …: unknown; <…>");
  EXPECT_EQ(plain_reason("host root.example.com: rooted root", "root@example.com"),
            "host ….example.com: rooted …");
  EXPECT_LE(plain_reason(std::string(10'000, 'x')).size(), 165u);
  EXPECT_EQ(domain_of("a@b@C.example"), "c.example");
}

TEST(MailListing, TakesPiecesOfAnySize) {
  const auto text = message("deferred", "A1", 100, "a@example.com", "slow") + "\n" +
                    message("hold", "B1", 1, "a@example.com") + "rubbish\n" +
                    message("active", "C1", 50, "a@example.org");
  for (std::size_t size = 1; size < 90; size += 8) {
    MailListing listing{MailSystem::postfix, 200};
    for (std::size_t at = 0; at < text.size(); at += size)
      listing.take(std::string_view{text}.substr(at, size));
    listing.finish();
    const auto& tally = listing.tally();
    EXPECT_EQ(tally.depth, 3u);
    EXPECT_EQ(tally.deferred, 1u);
    EXPECT_EQ(tally.active, 1u);
    EXPECT_EQ(tally.held, 1u);
    EXPECT_EQ(tally.unreadable, 1u);
    ASSERT_EQ(tally.oldest.size(), 2u) << "held messages have no age that matters";
    EXPECT_EQ(tally.oldest[0].id, "C1");
  }
}

TEST(MailListing, ALineWithoutEndCostsItsRecipientsOnly) {
  auto line = message("deferred", "A1", 100, "a@example.com");
  line = line.substr(0, line.size() - 3);  // Without "]}\n".
  MailListing listing{MailSystem::postfix, 200};
  listing.take(line);
  for (int i = 0; i < 100'000; ++i) listing.take(R"(, {"address": "b@example.com"})");
  listing.take("]}\n" + message("deferred", "B1", 90, "a@example.com"));
  listing.finish();
  EXPECT_EQ(listing.tally().depth, 2u);
  EXPECT_EQ(listing.tally().unreadable, 0u);
  EXPECT_EQ(listing.tally().oldest.at(0).id, "B1");
  EXPECT_EQ(listing.tally().recipient_domains.total(), 1u);
}

TEST(MailListing, KeepsNoMoreForAMillionThanForAThousand) {
  MailListing listing{MailSystem::postfix, 200};
  for (int i = 0; i < 5000; ++i)
    listing.take(message("deferred", "A", 5000 - i, "a@d" + std::to_string(i) + ".example",
                         "reason " + std::to_string(i)));
  const auto& tally = listing.tally();
  EXPECT_EQ(tally.depth, 5000u);
  EXPECT_EQ(tally.recipient_domains.total(), 5000u);
  EXPECT_EQ(tally.recipient_domains.top(100'000).size(), checks::WordCounts::words_max);
  ASSERT_EQ(tally.oldest.size(), checks::MailTally::oldest_kept);
  EXPECT_EQ(tally.oldest.front().arrival, 1);
}

// As Exim 4.96 prints it.
constexpr const char* exim_text =
    " 25m  2.9K 1rXW2f-0000c8-00 <alice@wonderland.example>\n"
    "          red.king@looking-glass.example\n"
    "          white.queen@looking-glass.example\n"
    "\n"
    "  3h   540 1rXW2g-0000c8-2A <>\n"
    "        D done@example.org\n"
    "          waits@example.net\n"
    "\n"
    " 12d  1.1M 1rXW2h-0000c8-0B <> *** frozen ***\n"
    "          gone@example.com\n"
    "\n";

TEST(EximListing, IsRead) {
  MailListing listing{MailSystem::exim, 1'000'000};
  listing.take(exim_text);
  listing.finish();
  const auto& tally = listing.tally();
  EXPECT_EQ(tally.depth, 3u);
  EXPECT_EQ(tally.held, 1u);
  EXPECT_EQ(tally.unreadable, 0u);
  ASSERT_EQ(tally.oldest.size(), 2u);
  EXPECT_EQ(tally.oldest[0].id, "1rXW2g-0000c8-2A");
  EXPECT_EQ(tally.oldest[0].arrival, 1'000'000 - 3 * 3600);
  EXPECT_THAT(tally.recipient_domains.top(2), ElementsAre(testing::Pair("looking-glass.example", 2),
                                                          testing::Pair("example.com", 1)))
      << "those who have it are not waited for";
}

TEST(EximListing, StrangeLinesAreCounted) {
  EximListing listing{1000};
  for (const auto* line : {"exim: permission denied", "25 2.9K x", " 25m", "xm 1 1rXW2f-0000c8-00"})
    EXPECT_FALSE(listing.take(line));
  EXPECT_EQ(listing.strange_lines(), 4u);
  EXPECT_FALSE(listing.finish());
}

struct MailHost : fakes::FakeHost {
  std::int64_t wall() const {
    return std::chrono::floor<std::chrono::seconds>(clock.wall()).time_since_epoch().count();
  }
};

TEST(MailQueue, MeasuresTheQueueOfPostfix) {
  MailHost host;
  host.processes.answer("postqueue", 0,
                        message("deferred", "A1", host.wall() - 7200, "jane@example.com", "slow") +
                            message("active", "B1", host.wall() - 5, "joe@example.com") +
                            message("hold", "C1", host.wall() - 90'000, "joe@example.com"));
  const auto check = made(mail_queue_check());
  const auto samples = host.run(*check);
  ASSERT_TRUE(samples) << samples.error().detail;
  EXPECT_THAT(names_of(*check, *samples),
              ElementsAre("up", "depth", "active", "deferred", "held", "oldest_seconds"));
  EXPECT_EQ(value_of(*check, *samples, "up"), 1);
  EXPECT_EQ(value_of(*check, *samples, "depth"), 3);
  EXPECT_EQ(value_of(*check, *samples, "active"), 1);
  EXPECT_EQ(value_of(*check, *samples, "deferred"), 1);
  EXPECT_EQ(value_of(*check, *samples, "held"), 1);
  EXPECT_EQ(value_of(*check, *samples, "oldest_seconds"), 7200);
  EXPECT_THAT(host.processes.requests.at(0).command, ElementsAre("postqueue", "-j"));
  const auto evidence = host.evidence(*check);
  EXPECT_THAT(
      evidence.lines,
      ElementsAre("3 messages in the queue, 1 deferred, 1 active, 1 on hold; the oldest has "
                  "waited 2h",
                  "1 recipient delayed: slow", "recipients by domain: example.com 3",
                  "oldest messages: A1 (deferred, 2h), B1 (active, 5s)"));
  EXPECT_EQ(evidence.probable_cause, "slow");
  for (const auto& line : evidence.lines) EXPECT_THAT(line, Not(HasSubstr("jane")));
}

TEST(MailQueue, AnEmptyQueueIsWellAndSoIsAnArrivalInTheFuture) {
  MailHost host;
  host.processes.answer("postqueue", 0, "");
  const auto check = made(mail_queue_check());
  auto samples = host.run(*check);
  ASSERT_TRUE(samples);
  EXPECT_EQ(value_of(*check, *samples, "depth"), 0);
  EXPECT_EQ(value_of(*check, *samples, "oldest_seconds"), 0);
  EXPECT_THAT(host.evidence(*check).lines, ElementsAre("0 messages in the queue"));
  host.processes.answer("postqueue", 0, message("active", "A", host.wall() + 60, "a@example.com"));
  samples = host.run(*check);
  ASSERT_TRUE(samples);
  EXPECT_EQ(value_of(*check, *samples, "oldest_seconds"), 0);
}

TEST(MailQueue, FindsTheMailSystemThatIsThere) {
  MailHost host;
  const auto check = made(mail_queue_check());
  const auto none = host.run(*check);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, Errc::missing);
  EXPECT_EQ(none.error().detail,
            "the mail queue cannot be listed: there is no postqueue, exim4, exim here; install the "
            "mail system or give its command");
  host.processes.answer("exim4", 0, exim_text);
  const auto samples = host.run(*check);
  ASSERT_TRUE(samples);
  EXPECT_THAT(names_of(*check, *samples), ElementsAre("depth", "held", "oldest_seconds"))
      << "what Exim does not tell is not made up";
  host.processes.requests.clear();
  ASSERT_TRUE(host.run(*check));
  EXPECT_EQ(host.processes.requests.size(), 1u) << "it is not looked for again";
}

TEST(MailQueue, IsToldWhichMailSystemAndWhichCommand) {
  MailHost host;
  host.processes.answer("exim", 0, exim_text);
  ASSERT_TRUE(host.run(*made(mail_queue_check(), map_of({{"mta", word("exim")}}))));
  EXPECT_THAT(host.processes.requests.back().command, ElementsAre("exim", "-bpr"));
  host.processes.answer("/opt/q", 0, "");
  ASSERT_TRUE(host.run(
      *made(mail_queue_check(), map_of({{"command", list_of({"/opt/q", "-c", "/etc/p"})}}))));
  EXPECT_THAT(host.processes.requests.back().command, ElementsAre("/opt/q", "-c", "/etc/p"));
  EXPECT_THAT(complaints_of(mail_queue_check(), map_of({{"command", list_of({})}})),
              ElementsAre(HasSubstr("expected the program first")));
  EXPECT_THAT(complaints_of(mail_queue_check(), map_of({{"mta", word("postfx")}})),
              ElementsAre(HasSubstr("postfix")));
}

TEST(MailQueue, APostfixThatIsStoppedIsSaidToBe) {
  MailHost host;
  CommandOutcome outcome;
  outcome.exit_code = 0;
  outcome.error_output = "postqueue: warning: Mail system is down -- accessing queue directly\n";
  host.processes.answer("postqueue", outcome);
  const auto check = made(mail_queue_check());
  const auto samples = host.run(*check);
  ASSERT_TRUE(samples);
  EXPECT_EQ(value_of(*check, *samples, "up"), 0);
  EXPECT_THAT(host.evidence(*check).probable_cause, HasSubstr("Postfix is not running"));
}

TEST(MailQueue, APostfixThatIsStoppedIsSaidToBeToOthersThanRootToo) {
  MailHost host;
  const auto check = made(mail_queue_check());
  host.processes.answer("postqueue", 0, message("deferred", "A", 100, "a@example.com", "slow"));
  ASSERT_TRUE(host.run(*check));
  CommandOutcome outcome;
  outcome.exit_code = 69;
  outcome.error_output = "postqueue: fatal: Queue report unavailable - mail system is down\n";
  host.processes.answer("postqueue", outcome);
  const auto samples = host.run(*check);
  ASSERT_TRUE(samples) << samples.error().detail;
  EXPECT_THAT(names_of(*check, *samples), ElementsAre("up")) << "nothing is known of its queue";
  EXPECT_EQ(value_of(*check, *samples, "up"), 0);
  EXPECT_THAT(host.evidence(*check).lines, ElementsAre(HasSubstr("Postfix is not running: ")));
}

TEST(MailQueue, HeldMailIsACauseOfItsOwn) {
  MailHost host;
  const auto check = made(mail_queue_check());
  host.processes.answer("postqueue", 0,
                        message("hold", "A", 100, "a@example.com", "Connection refused") +
                            message("hold", "B", 100, "b@example.com") +
                            message("active", "C", 100, "c@example.com"));
  ASSERT_TRUE(host.run(*check));
  EXPECT_EQ(host.evidence(*check).probable_cause,
            "2 of 3 messages on hold, until somebody releases them (postsuper -H ALL)");
}

TEST(MailQueue, WhatCannotBeListedIsUnknownAndNotEmpty) {
  MailHost host;
  const auto check = made(mail_queue_check());
  const auto fails_with = [&](Errc code, const std::string& words) {
    const auto samples = host.run(*check);
    ASSERT_FALSE(samples) << words;
    EXPECT_EQ(samples.error().code, code);
    EXPECT_THAT(samples.error().detail, HasSubstr(words));
  };
  CommandOutcome outcome;
  outcome.exit_code = 69;
  outcome.error_output = "postqueue: fatal: bad string length 0 < 1: data_directory =\n";
  host.processes.answer("postqueue", outcome);
  fails_with(Errc::refused, "exit code 69: postqueue: fatal: bad string length");
  outcome.error_output =
      "postqueue: fatal: Connect to the Postfix showq service: Permission denied\n";
  host.processes.answer("postqueue", outcome);
  fails_with(Errc::refused,
             "Permission denied; give the agent Postfix's group (SupplementaryGroups=postdrop)");
  outcome = {};
  outcome.exit_code = 0;
  outcome.signal = 11;
  host.processes.answer("postqueue", outcome);
  fails_with(Errc::protocol, "signal 11");
  host.processes.answer("postqueue", 0, "<html>\n");
  fails_with(Errc::protocol, "1 line, and none of them of a mail queue");
  host.processes.answer("postqueue", Result<CommandOutcome>{Error{Errc::refused, "may not"}});
  fails_with(Errc::refused, "may not");
  host.processes.hang("postqueue");
  fails_with(Errc::timed_out, "0 messages listed so far; a longer timeout may do");
}

TEST(MailQueue, AnEximThatRefusesNamesTheGroupThatMay) {
  MailHost host;
  const auto check = made(mail_queue_check(), map_of({{"mta", word("exim")}}));
  CommandOutcome outcome;
  outcome.exit_code = 1;
  // As Exim 4.96 says it to somebody who is none of its administrators.
  outcome.error_output =
      "2026-11-23 06:03:17 Warning: purging the environment.\n"
      " Suggested action: use keep_environment.\n"
      "exim: permission denied\n";
  host.processes.answer("exim4", outcome);
  const auto samples = host.run(*check);
  ASSERT_FALSE(samples);
  EXPECT_EQ(samples.error().detail,
            "exim4 ended with exit code 1: exim: permission denied; give the agent Exim's group "
            "(on Debian SupplementaryGroups=Debian-exim)");
}

TEST(MailQueue, TellsWhenAFallingQueueWillBeEmpty) {
  MailHost host;
  const auto check = made(mail_queue_check());
  const auto measure = [&](int count) {
    std::string text;
    for (int i = 0; i < count; ++i) text += message("deferred", "A", host.wall(), "a@example.com");
    host.processes.answer("postqueue", 0, text);
    ASSERT_TRUE(host.run(*check));
  };
  measure(100);
  EXPECT_EQ(host.evidence(*check).recovery_estimate, "");
  host.clock.advance(60s);
  measure(80);
  EXPECT_EQ(host.evidence(*check).recovery_estimate,
            "the queue is empty in about 4m 1s at the present rate");
  host.clock.advance(60s);
  measure(90);
  EXPECT_EQ(host.evidence(*check).recovery_estimate, "") << "it rises";
}

}  // namespace
}  // namespace tocsin
