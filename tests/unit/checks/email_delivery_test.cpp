#include "checks/email_delivery.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "checks/email_delivery_evidence.hpp"
#include "checks/test_mail.hpp"
#include "tests/unit/checks/canned_network.hpp"
#include "tests/unit/checks/made_check.hpp"

namespace tocsin {
namespace {

using namespace std::chrono_literals;
using namespace checks;
using checks_test::complaints_of;
using checks_test::made;
using checks_test::map_of;
using checks_test::word;
using fakes::value_of;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using Keys = std::vector<std::pair<std::string, Node>>;

Node configured(Keys more = {}, Keys smtp = {}, Keys imap = {}) {
  smtp.emplace_back("address", word("relay:587"));
  imap.emplace_back("address", word("imap:993"));
  Keys keys{std::move(more)};
  keys.emplace_back("to", word("tocsin@example.com"));
  keys.emplace_back("smtp", map_of(std::move(smtp)));
  keys.emplace_back("imap", map_of(std::move(imap)));
  return map_of(std::move(keys));
}

TEST(EmailDelivery, IsConfigured) {
  EXPECT_THAT(complaints_of(email_delivery_check(), configured()), IsEmpty());
  EXPECT_THAT(complaints_of(email_delivery_check(),
                            configured({}, {{"security", word("none")}},
                                       {{"security", word("starttls")}, {"folder", word("Ops")}})),
              IsEmpty());
}

TEST(EmailDelivery, SaysWhatIsWrongInTheConfiguration) {
  const auto type = email_delivery_check();
  EXPECT_THAT(complaints_of(type, map_of({})),
              ElementsAre(HasSubstr("to"), HasSubstr("smtp"), HasSubstr("imap")));
  EXPECT_THAT(complaints_of(type, configured({{"from", word("Ops <ops@example.com>")}})),
              ElementsAre("from: expected a mail address: name@example.com"));
  EXPECT_THAT(complaints_of(type, configured({}, {{"security", word("ssl")}})),
              ElementsAre(HasSubstr("starttls")));
  EXPECT_THAT(complaints_of(type, configured({}, {{"username", word("app")}})),
              ElementsAre("smtp.username: a user needs a password"));
  EXPECT_THAT(complaints_of(type, configured({}, {}, {{"folder", word("Eing\xc3\xa4nge")}})),
              ElementsAre(HasSubstr("modified UTF-7")));
  EXPECT_THAT(complaints_of(type, configured({{"lost_after", word("1m")}})),
              ElementsAre("lost_after: expected no less than send_every"));
  EXPECT_THAT(complaints_of(type, configured({{"send_every", word("10s")}})),
              ElementsAre(HasSubstr("expected less than 150 times send_every")));
}

/// A network whose resolver knows nothing.
class Nameless final : public Network {
 public:
  asio::awaitable<HttpOutcome> http(HttpRequest) override { co_return HttpOutcome{}; }
  asio::awaitable<ConnectOutcome> connect(ConnectRequest) override { co_return ConnectOutcome{}; }
  Task<std::vector<std::string>> resolve(std::string host, SteadyTime) override {
    co_return Error{Errc::unresolved, "resolve " + host + " failed: Name or service not known"};
  }
};

TEST(EmailDelivery, ServersThatCannotBeFoundAreDownAndSaySo) {
  Nameless network;
  fakes::FakeHost host{&network};
  const auto check = made(email_delivery_check(), configured());
  const auto samples = host.run(*check);
  ASSERT_TRUE(samples) << samples.error().detail;
  EXPECT_EQ(value_of(*check, *samples, "up"), 0);
  EXPECT_EQ(value_of(*check, *samples, "smtp_up"), 0);
  EXPECT_EQ(value_of(*check, *samples, "imap_up"), 0);
  EXPECT_EQ(value_of(*check, *samples, "delay_seconds"), std::nullopt);
  const auto evidence = host.evidence(*check);
  EXPECT_THAT(evidence.lines, Contains("resolve relay failed: Name or service not known"));
  EXPECT_THAT(evidence.lines, Contains("resolve imap failed: Name or service not known"));
  EXPECT_EQ(evidence.probable_cause, "resolve relay failed: Name or service not known");
}

// ---- What a person is told.

const Now start{SteadyTime{1000h}, WallTime{std::chrono::seconds{1'700'000'000}}};
Now after(Duration passed) {
  return {start.steady + passed,
          start.wall + std::chrono::duration_cast<WallTime::duration>(passed)};
}
const MailRoute route{.relay = "relay:587", .mailbox = "tocsin@example.com (imap:993)"};

TEST(EmailDeliveryEvidence, NamesTheMessageThatIsMissingAndWhoTookIt) {
  TestMessages messages{"tag", 5min, 1h};
  messages.begin(start, 1);
  messages.accept("2.0.0 Ok: queued as 4XyZ");
  const auto evidence = email_delivery_evidence(messages, route, after(12min));
  EXPECT_THAT(evidence.lines,
              ElementsAre("missing for 12m: sent 2023-11-14T22:13:20.000Z (relay:587 took it: "
                          "2.0.0 Ok: queued as 4XyZ)"));
  EXPECT_EQ(evidence.probable_cause,
            "mail that relay:587 took has not come to tocsin@example.com (imap:993); look there "
            "for what it called \"2.0.0 Ok: queued as 4XyZ\"");
}

TEST(EmailDeliveryEvidence, SendsNobodyLookingForWhatHasNoName) {
  TestMessages messages{"tag", 5min, 1h};
  messages.begin(start, 1);
  messages.accept("2.0.0 Ok");
  EXPECT_EQ(email_delivery_evidence(messages, route, after(12min)).probable_cause,
            "mail that relay:587 took has not come to tocsin@example.com (imap:993)");
}

TEST(EmailDeliveryEvidence, NamesTheServerThatHeldItLongest) {
  TestMessages messages{"tag", 5min, 1h};
  const auto id = messages.begin(start, 1).id;
  messages.accept("Ok");
  messages.arrive({.uid = 1,
                   .id = id,
                   .came = after(10min).wall,
                   .slowest_hop = "mx.example.net",
                   .hop_time = 9min},
                  after(11min));
  const auto evidence = email_delivery_evidence(messages, route, after(11min));
  EXPECT_THAT(evidence.lines, ElementsAre("the newest to come, sent 2023-11-14T22:13:20.000Z, took "
                                          "10m, of which 9m at mx.example.net"));
  EXPECT_EQ(evidence.probable_cause, "mail waits at mx.example.net (9m)");
}

TEST(EmailDeliveryEvidence, IsBoundedAndSaysHowManyMore) {
  TestMessages messages{"tag", 1s, 1h};
  for (int i = 0; i < 149; ++i) {
    messages.begin(after(i * 1s), 1);
    messages.accept("Ok");
  }
  EXPECT_FALSE(messages.full());
  messages.begin(after(149s), 1);
  messages.accept("Ok");
  EXPECT_FALSE(messages.due(after(10min)));
  const auto evidence = email_delivery_evidence(messages, route, after(10min));
  EXPECT_THAT(evidence.lines, Contains("and 147 later test messages, missing too"));
  EXPECT_THAT(evidence.lines, Contains("no more are sent: 150 test messages under way"));
  EXPECT_LE(messages.save().size(), limits::check_memory_bytes);
}

TEST(TestMail, SaysWhatItIs) {
  TestMessages messages{"tag", 5min, 1h};
  const auto& message = messages.begin(start, 255);
  const auto mail =
      compose_test_mail(message, "tag", "from@example.com", "to@example.com", "web-1");
  EXPECT_EQ(mail.from, "from@example.com");
  EXPECT_EQ(mail.to, "to@example.com");
  EXPECT_THAT(mail.content, HasSubstr("Date: Tue, 14 Nov 2023 22:13:20 +0000\r\n"));
  EXPECT_THAT(mail.content, HasSubstr("Subject: tocsin test message tag\r\n"));
  EXPECT_THAT(mail.content, HasSubstr("X-Tocsin-Message: tag.1700000000000000.ff\r\n"));
  EXPECT_THAT(mail.content, HasSubstr("Message-ID: <tag.1700000000000000.ff@example.com>\r\n"));
  EXPECT_THAT(mail.content, HasSubstr("Auto-Submitted: auto-generated\r\n"));
  EXPECT_THAT(mail.content,
              HasSubstr("\r\n\r\nThis message measures how long mail takes from web-1"));
}

}  // namespace
}  // namespace tocsin
