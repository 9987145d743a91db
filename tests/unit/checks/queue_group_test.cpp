// Several queues of RabbitMQ, listed page by page.
#include <algorithm>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "checks/queue.hpp"
#include "tests/unit/checks/canned_network.hpp"
#include "tests/unit/checks/made_check.hpp"

namespace tocsin {
namespace {

using namespace std::chrono_literals;
using checks_test::complaints_of;
using checks_test::list_of;
using checks_test::made;
using checks_test::map_of;
using checks_test::names_of;
using checks_test::word;
using fakes::value_of;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

Node from(Node queues) {
  return map_of({{"from", map_of({{"rabbitmq", map_of({{"url", word("http://mq.example:15672")},
                                                       {"queue", std::move(queues)}})}})}});
}

std::string queue(const std::string& name, int messages, int consumers, int published = 0,
                  int acknowledged = 0) {
  return R"({"name":")" + name + R"(","state":"running","messages":)" + std::to_string(messages) +
         R"(,"consumers":)" + std::to_string(consumers) + R"(,"message_stats":{"publish":)" +
         std::to_string(published) + R"(,"ack":)" + std::to_string(acknowledged) + "}}";
}

std::string page_of(const std::vector<std::string>& queues, int pages = 1, int listed = -1) {
  std::string items;
  for (const auto& one : queues) items += (items.empty() ? "" : ",") + one;
  return R"({"filtered_count":)" +
         std::to_string(listed < 0 ? static_cast<int>(queues.size()) : listed) + R"(,"items":[)" +
         items + R"(],"page_count":)" + std::to_string(pages) + R"(,"page_size":100})";
}

HttpOutcome answer(int status, std::string body) {
  HttpOutcome outcome;
  outcome.response.emplace();
  outcome.response->status = status;
  outcome.response->body = std::move(body);
  return outcome;
}

/// Answers with one outcome after the other, and the last one ever after; alarms apart.
class Broker final : public Network {
 public:
  asio::awaitable<HttpOutcome> http(HttpRequest request) override {
    const bool is_listing = request.url.target.find("/api/queues/") != std::string::npos;
    (is_listing ? listed : asked).push_back(std::move(request));
    if (!is_listing) co_return alarms;
    auto outcome = pages.front();
    if (pages.size() > 1) pages.erase(pages.begin());
    co_return outcome;
  }
  asio::awaitable<ConnectOutcome> connect(ConnectRequest /*request*/) override {
    co_return ConnectOutcome{};
  }
  std::vector<HttpOutcome> pages{};
  HttpOutcome alarms = answer(200, R"({"status":"ok"})");
  std::vector<HttpRequest> listed{}, asked{};
};

struct Queues {
  explicit Queues(Node queues = word("mailers-*"))
      : check{made(queue_check(), from(std::move(queues)))} {}

  Result<Samples> look(std::vector<HttpOutcome> pages, bool gap = false) {
    network.pages = std::move(pages);
    return host.run(*check, gap);
  }
  Result<Samples> look(const std::vector<std::string>& queues) {
    return look({answer(200, page_of(queues))});
  }
  std::optional<double> value(const Samples& samples, std::string_view name,
                              std::string_view instance = {}) const {
    for (const auto& sample : samples)
      if (check->specs()[sample.spec].name == name && sample.instance == instance)
        return sample.value;
    return std::nullopt;
  }
  Evidence evidence() { return host.evidence(*check); }

  Broker network{};
  fakes::FakeHost host{&network};
  std::unique_ptr<Check> check;
};

TEST(QueueGroup, APlainNameIsStillAskedForAlone) {
  Queues queues{list_of({"mailers"})};
  ASSERT_TRUE(queues.look({answer(200, queue("mailers", 1, 1))}));
  EXPECT_THAT(queues.network.listed.at(0).url.target, StartsWith("/api/queues/%2F/mailers?"));
  EXPECT_EQ(queues.check->specs()[0].instance_label, "");
}

TEST(QueueGroup, AGlobIsAskedForByPagesOfWhatItMayMean) {
  Queues queues{list_of({"mailers-*", "a.b?"})};
  ASSERT_TRUE(queues.look({queue("mailers-1", 0, 1)}));
  const auto& target = queues.network.listed.at(0).url.target;
  EXPECT_THAT(target, StartsWith("/api/queues/%2F?page=1&page_size=100&pagination=true&"));
  EXPECT_THAT(target, HasSubstr("&columns=name,state,messages,"));
  EXPECT_THAT(target, HasSubstr("&use_regex=true&name=%28%3Fs%29%5E%28mailers%5C-.%2A%7Ca%5C.b.%2A"
                                "%29%24"));
  EXPECT_EQ(queues.check->specs()[0].instance_label, "queue");
}

TEST(QueueGroup, TooManyTextsAreNotSentAsAFilter) {
  std::vector<std::string> texts;
  for (int i = 0; i < 64; ++i) texts.push_back(std::to_string(i) + std::string(100, '-') + "*");
  Queues queues{list_of(texts)};
  ASSERT_TRUE(queues.look({queue("1" + std::string(100, '-'), 0, 1)}));
  EXPECT_THAT(queues.network.listed.at(0).url.target, Not(HasSubstr("use_regex")));
}

TEST(QueueGroup, EachQueueHasItsOwnSamplesAndFlow) {
  Queues queues;
  ASSERT_TRUE(queues.look({queue("mailers-a", 100, 1, 1000, 900),
                           queue("mailers-b", 10, 0, 500, 490), queue("other", 7, 0)}));
  queues.host.clock.advance(10s);
  const auto samples = queues.look({queue("mailers-a", 50, 1, 1000, 950),
                                    queue("mailers-b", 130, 0, 620, 490), queue("other", 7, 0)});
  ASSERT_TRUE(samples);
  EXPECT_EQ(queues.value(*samples, "depth", "mailers-a"), 50);
  EXPECT_EQ(queues.value(*samples, "out_per_second", "mailers-a"), 5);
  EXPECT_EQ(queues.value(*samples, "drain_seconds", "mailers-a"), 10);
  EXPECT_EQ(queues.value(*samples, "in_per_second", "mailers-b"), 12);
  EXPECT_EQ(queues.value(*samples, "drain_seconds", "mailers-b"), 30 * 86400);
  EXPECT_EQ(queues.value(*samples, "consumers", "mailers-b"), 0);
  EXPECT_FALSE(queues.value(*samples, "depth", "other"));
  EXPECT_EQ(queues.value(*samples, "queues"), 2);
  EXPECT_EQ(queues.value(*samples, "unwatched"), 0);
  EXPECT_EQ(queues.value(*samples, "vanished"), 0);
}

TEST(QueueGroup, TheWorstIsToldOfFirstWithItsEstimate) {
  Queues queues;
  ASSERT_TRUE(queues.look({queue("mailers-a", 100, 1, 1000, 900), queue("mailers-b", 5, 0),
                           queue("mailers-c", 10, 0, 500, 490)}));
  queues.host.clock.advance(10s);
  ASSERT_TRUE(queues.look({queue("mailers-a", 50, 1, 1000, 950), queue("mailers-b", 5, 0),
                           queue("mailers-c", 130, 0, 620, 490)}));
  const auto evidence = queues.evidence();
  ASSERT_FALSE(evidence.lines.empty());
  EXPECT_EQ(evidence.lines.front(), "130 in queue \"mailers-c\" on mq.example:15672, 0 consumers");
  EXPECT_THAT(evidence.lines, Contains("it grew from 10 to 130 in 10s"));
  EXPECT_THAT(evidence.lines, Contains(StartsWith("5 in queue \"mailers-b\" on ")));
  EXPECT_THAT(evidence.lines, Not(Contains(HasSubstr("mailers-a")))) << "it drains";
  EXPECT_EQ(evidence.probable_cause,
            "nobody consumes queue \"mailers-c\" on mq.example:15672; 1 more queue is like it");
  EXPECT_EQ(evidence.recovery_estimate,
            "queue \"mailers-c\" on mq.example:15672 does not drain: it has no consumers; 12/s "
            "come in, 0/s go out");
}

TEST(QueueGroup, AQueueThatVanishedIsSaidForTenMinutes) {
  Queues queues;
  ASSERT_TRUE(queues.look({queue("mailers-a", 1, 1), queue("mailers-b", 12, 1)}));
  queues.host.clock.advance(10s);
  auto samples = queues.look({queue("mailers-a", 1, 1)});
  ASSERT_TRUE(samples);
  EXPECT_EQ(queues.value(*samples, "vanished"), 1);
  EXPECT_EQ(queues.value(*samples, "queues"), 1);
  EXPECT_FALSE(queues.value(*samples, "up", "mailers-b"));
  queues.host.clock.advance(3min);
  EXPECT_THAT(queues.evidence().lines,
              Contains("queue \"mailers-b\" on mq.example:15672 is gone, as was noticed 3m ago; it "
                       "held 12"));
  samples = queues.look({queue("mailers-a", 1, 1)});
  EXPECT_EQ(queues.value(*samples, "vanished"), 1) << "and not counted twice";
  queues.host.clock.advance(8min);
  samples = queues.look({queue("mailers-a", 1, 1)});
  EXPECT_EQ(queues.value(*samples, "vanished"), 0);
}

TEST(QueueGroup, ANamedQueueThatIsMissingIsDownAndAGlobWithoutQueuesToo) {
  Queues queues{list_of({"orders", "mailers-*"})};
  const auto samples = queues.look(std::vector<std::string>{queue("other", 1, 1)});
  ASSERT_TRUE(samples);
  EXPECT_EQ(queues.value(*samples, "up", "orders"), 0);
  EXPECT_EQ(queues.value(*samples, "up", "mailers-*"), 0);
  EXPECT_EQ(queues.value(*samples, "queues"), 0);
  const auto evidence = queues.evidence();
  EXPECT_THAT(evidence.lines, ElementsAre("there is no queue \"orders\" on mq.example:15672",
                                          "no queue on mq.example:15672 fits \"mailers-*\""));
  EXPECT_EQ(evidence.probable_cause, "there is no queue \"orders\" on mq.example:15672");
}

TEST(QueueGroup, PagesAreReadToTheLast) {
  Queues queues;
  const auto samples = queues.look({answer(200, page_of({queue("mailers-a", 1, 1)}, 3, 3)),
                                    answer(200, page_of({queue("mailers-b", 2, 1)}, 3, 3)),
                                    answer(200, page_of({queue("mailers-c", 3, 1)}, 3, 3))});
  ASSERT_TRUE(samples);
  EXPECT_EQ(queues.network.listed.size(), 3U);
  EXPECT_THAT(queues.network.listed.back().url.target, HasSubstr("?page=3&"));
  EXPECT_EQ(queues.value(*samples, "depth", "mailers-c"), 3);
}

TEST(QueueGroup, AListThatShrinksWhileItIsReadIsReadAgainAndLosesNothing) {
  const auto beyond = answer(400, R"({"error":"page_out_of_range","reason":"Page out of range"})");
  Queues queues{list_of({"mailers-b", "mailers-*"})};
  const auto first = answer(200, page_of({queue("mailers-a", 1, 1)}, 2, 2));
  const auto whole =
      answer(200, page_of({queue("mailers-a", 1, 1), queue("mailers-b", 2, 1)}, 1, 2));
  auto samples = queues.look({first, beyond, whole});
  ASSERT_TRUE(samples);
  EXPECT_EQ(queues.network.listed.size(), 3U);
  EXPECT_EQ(queues.value(*samples, "depth", "mailers-b"), 2);

  // Still moving: what was not seen is not called missing or gone.
  samples = queues.look({first, beyond, first, beyond});
  ASSERT_TRUE(samples);
  EXPECT_FALSE(queues.value(*samples, "up", "mailers-b"));
  EXPECT_EQ(queues.value(*samples, "up", "mailers-a"), 1);
  EXPECT_EQ(queues.value(*samples, "vanished"), 0);
  EXPECT_EQ(queues.network.listed.size(), 7U);
}

TEST(QueueGroup, AQueueOnTwoPagesIsOne) {
  Queues queues;
  const auto samples = queues.look({answer(200, page_of({queue("mailers-a", 1, 1)}, 2, 2)),
                                    answer(200, page_of({queue("mailers-a", 1, 1)}, 2, 2))});
  ASSERT_TRUE(samples);
  EXPECT_EQ(queues.value(*samples, "queues"), 1);
}

TEST(QueueGroup, MoreThanSixtyFourAreCountedAndTheFirstByNameWatched) {
  std::vector<std::string> all;
  for (int i = 0; i < 100; ++i) all.push_back(queue("mailers-" + std::to_string(100 + i), i, 1));
  std::reverse(all.begin(), all.end());
  Queues queues;
  const auto samples = queues.look(all);
  ASSERT_TRUE(samples);
  EXPECT_EQ(queues.value(*samples, "queues"), 64);
  EXPECT_EQ(queues.value(*samples, "unwatched"), 36);
  EXPECT_TRUE(queues.value(*samples, "depth", "mailers-163"));
  EXPECT_FALSE(queues.value(*samples, "depth", "mailers-164"));
  EXPECT_LE(samples->size(), limits::samples_per_run);
  // One that sorts before them pushes the last one out, which is not gone for that.
  all.push_back(queue("mailers-000", 1, 1));
  const auto later = queues.look(all);
  ASSERT_TRUE(later);
  EXPECT_EQ(queues.value(*later, "unwatched"), 37);
  EXPECT_EQ(queues.value(*later, "vanished"), 0);
  EXPECT_FALSE(queues.value(*later, "depth", "mailers-163"));
}

TEST(QueueGroup, AnEndlessListIsCutAndConcludesNothing) {
  Queues queues{list_of({"orders", "mailers-*"})};
  const auto samples =
      queues.look({answer(200, page_of({queue("mailers-a", 1, 1)}, 2'000'000'000, 1'000'000))});
  ASSERT_TRUE(samples);
  EXPECT_EQ(queues.network.listed.size(), 100U);
  EXPECT_FALSE(queues.value(*samples, "up", "orders"));
  EXPECT_EQ(queues.value(*samples, "unwatched"), 990'000);
}

TEST(QueueGroup, ABrokerThatCannotSayIsDownForAllThatWasAskedFor) {
  HttpOutcome refused;
  refused.failure.emplace();
  refused.failure->error = {Errc::unreachable, "connect to mq.example:15672 failed: refused"};
  HttpOutcome large;
  large.failure.emplace();
  large.failure->error = {Errc::too_large, "mq.example:15672 answered more than 1 MiB"};
  const std::pair<HttpOutcome, std::string> table[] = {
      {refused, "connect to mq.example:15672 failed: refused"},
      {large, "mq.example:15672 answered more than 1 MiB"},
      {answer(401, R"({"error":"not_authorized","reason":"Login failed"})"),
       "mq.example:15672 asks for credentials (status 401): \"Login failed\""},
      {answer(404, R"({"error":"Object Not Found","reason":"Not Found"})"),
       "there is no vhost \"/\" on mq.example:15672 (status 404)"},
      {answer(400, R"({"error":"page_out_of_range"})"), "answered with status 400"},
      {answer(200, "<html>"), "the answer of mq.example:15672 is not JSON"},
      {answer(200, "{}"), "is JSON but not a list of queues"},
  };
  for (const auto& [outcome, sentence] : table) {
    Queues queues{list_of({"orders", "mailers-*"})};
    ASSERT_TRUE(queues.look({queue("mailers-a", 1, 1), queue("orders", 1, 1)}));
    const auto samples = queues.look({outcome});
    ASSERT_TRUE(samples) << sentence;
    EXPECT_THAT(names_of(*queues.check, *samples), ElementsAre("up[orders]", "up[mailers-*]"));
    const auto evidence = queues.evidence();
    EXPECT_THAT(evidence.probable_cause, HasSubstr(sentence));
    EXPECT_THAT(evidence.lines, ElementsAre(HasSubstr(sentence)));
    EXPECT_THAT(queues.network.asked, IsEmpty()) << "there is nobody to ask about alarms";
  }
}

TEST(QueueGroup, OurOwnTroubleIsNotTheBrokers) {
  Queues queues;
  HttpOutcome ours;
  ours.failure.emplace();
  ours.failure->error = {Errc::internal, "Too many open files"};
  EXPECT_FALSE(queues.look({ours}));
  EXPECT_THAT(queues.evidence().lines, IsEmpty());
}

TEST(QueueGroup, NothingIsComparedAcrossAGapOrAnOutage) {
  for (const bool gap : {true, false}) {
    Queues queues;
    ASSERT_TRUE(queues.look({queue("mailers-a", 10, 1, 100, 90)}));
    queues.host.clock.advance(10s);
    if (!gap) {
      ASSERT_TRUE(queues.look({answer(503, "")}));
    }
    const auto samples =
        queues.look({answer(200, page_of({queue("mailers-a", 20, 1, 120, 100)}))}, gap);
    ASSERT_TRUE(samples);
    EXPECT_FALSE(queues.value(*samples, "in_per_second", "mailers-a"));
  }
}

TEST(QueueGroup, AFreshQueueHasNoNumbersAndOthersDo) {
  Queues queues;
  const std::string fresh = R"({"name":"mailers-new"})";
  const auto samples = queues.look({fresh, queue("mailers-a", 1, 1)});
  ASSERT_TRUE(samples);
  EXPECT_EQ(queues.value(*samples, "up", "mailers-new"), 1);
  EXPECT_FALSE(queues.value(*samples, "depth", "mailers-new"));
  EXPECT_EQ(queues.value(*samples, "queues"), 2);
  const auto none = queues.look(std::vector<std::string>{fresh});
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, Errc::missing);
  EXPECT_THAT(none.error().detail, HasSubstr("no statistics"));
}

TEST(QueueGroup, AQueueOutOfServiceIsDownAlone) {
  Queues queues;
  const auto samples =
      queues.look({R"({"name":"mailers-a","state":"down"})", queue("mailers-b", 1, 1)});
  ASSERT_TRUE(samples);
  EXPECT_EQ(queues.value(*samples, "up", "mailers-a"), 0);
  EXPECT_EQ(queues.value(*samples, "up", "mailers-b"), 1);
  EXPECT_EQ(queues.evidence().probable_cause, "queue \"mailers-a\" is down on mq.example:15672");
}

TEST(QueueGroup, ABrokerThatBlocksPublishersSaysSo) {
  Queues queues;
  queues.network.alarms = answer(
      503,
      R"({"status":"failed","reason":"x","alarms":[{"node":"rabbit@mq","resource":"memory"}]})");
  ASSERT_TRUE(queues.look({queue("mailers-a", 9, 1)}));
  EXPECT_THAT(queues.network.asked, IsEmpty()) << "not in a run";
  const auto evidence = queues.evidence();
  ASSERT_EQ(queues.network.asked.size(), 1U);
  EXPECT_EQ(queues.network.asked[0].url.target, "/api/health/checks/alarms");
  const std::string sentence =
      "mq.example:15672 blocks whoever publishes: alarm for memory on rabbit@mq";
  EXPECT_EQ(evidence.lines.front(), sentence);
  EXPECT_EQ(evidence.probable_cause, sentence);

  Queues one{word("mailers")};
  one.network.alarms = queues.network.alarms;
  ASSERT_TRUE(one.look({answer(200, queue("mailers", 9, 1))}));
  EXPECT_THAT(one.evidence().lines, Contains(sentence));
  one.network.alarms = answer(404, "nothing here");
  EXPECT_THAT(one.evidence().lines, Not(Contains(HasSubstr("blocks"))));
}

TEST(QueueGroup, ManyInTroubleFillNoMoreThanTheEvidenceHolds) {
  std::vector<std::string> all;
  for (int i = 0; i < 64; ++i) all.push_back(queue("mailers-" + std::to_string(i), 9 + i, 0));
  Queues queues;
  ASSERT_TRUE(queues.look(all));
  const auto evidence = queues.evidence();
  EXPECT_LE(evidence.lines.size(), limits::evidence_lines);
  EXPECT_THAT(evidence.lines.front(), HasSubstr("72 in queue \"mailers-63\""));
  EXPECT_THAT(evidence.lines, Contains("and 59 more queues need somebody"));
}

TEST(QueueGroup, BadListsAreComplainedOf) {
  std::vector<std::string> many(65, "q");
  EXPECT_THAT(complaints_of(queue_check(), from(list_of(many))),
              Contains(HasSubstr("expected 1 to 64 names and globs")));
  EXPECT_THAT(complaints_of(queue_check(), from(list_of({}))), Not(IsEmpty()));
  EXPECT_THAT(complaints_of(queue_check(), from(list_of({"a", ""}))),
              Contains(HasSubstr("a queue has a name")));
}

}  // namespace
}  // namespace tocsin
