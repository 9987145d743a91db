#include "tests/fakes/fake_network.hpp"

#include <gtest/gtest.h>

#include <boost/asio/bind_cancellation_slot.hpp>

#include "tests/fakes/manual_clock.hpp"
#include "tests/fakes/pagerduty.hpp"

namespace tocsin::fakes {
namespace {

using namespace std::chrono_literals;
using Kind = Fault::Kind;

struct FakeNetworkTest : testing::Test {
  asio::io_context loop{};
  ManualClock clock{};
  FakePagerDuty pagerduty{[this] { return clock.now(); }};
  FakeNetwork network{clock};

  void SetUp() override { network.route("events.pagerduty.com", 443, pagerduty); }

  HttpRequest trigger() const {
    HttpRequest request{};
    request.method = "POST";
    request.url = {"https", "events.pagerduty.com", 443, "/v2/enqueue"};
    request.body =
        R"({"routing_key":")" + std::string(32, 'a') +
        R"(","event_action":"trigger","dedup_key":"k","payload":{"summary":"s","source":"h","severity":"info"}})";
    request.deadline = clock.steady() + 10s;
    return request;
  }
  // The outcome, and how long it took on the manual clock.
  std::pair<HttpOutcome, Duration> exchange(HttpRequest request) {
    const auto began = clock.steady();
    std::optional<HttpOutcome> outcome;
    SteadyTime ended{};
    asio::co_spawn(loop, network.http(std::move(request)),
                   [&](std::exception_ptr, HttpOutcome got) {
                     outcome = std::move(got);
                     ended = clock.steady();
                   });
    run_for(loop, clock, 1min);
    EXPECT_TRUE(outcome.has_value()) << "every call ends by its deadline";
    return {outcome.value_or(HttpOutcome{}), ended - began};
  }
  HttpFailure failure_with(Fault fault) {
    pagerduty.faults().add(std::move(fault));
    auto [outcome, took] = exchange(trigger());
    EXPECT_FALSE(outcome.response.has_value());
    return outcome.failure.value_or(HttpFailure{});
  }
};

TEST_F(FakeNetworkTest, TakesOneLatencyHalfOfItToArrive) {
  network.set_latency(40ms);
  const auto began = clock.steady();
  const auto [outcome, took] = exchange(trigger());
  EXPECT_EQ(outcome.response->status, 202);
  EXPECT_EQ(took, 40ms);
  EXPECT_EQ(pagerduty.journal().front().at.steady, began + 20ms);
  EXPECT_EQ(network.seen().back().operation, "v2/enqueue");
  EXPECT_TRUE(network.seen().back().carried_out);
}

TEST_F(FakeNetworkTest, NobodyListensWhereNothingIsRouted) {
  auto request = trigger();
  request.url.port = 80;
  const auto [outcome, took] = exchange(request);
  EXPECT_EQ(outcome.failure->phase, NetPhase::connect);
  EXPECT_EQ(outcome.failure->error.code, Errc::unreachable);
  EXPECT_FALSE(outcome.failure->sent);
}

TEST_F(FakeNetworkTest, DownIsAConnectionRefused) {
  pagerduty.faults().set_down(true);
  const auto [outcome, took] = exchange(trigger());
  EXPECT_EQ(outcome.failure->error.code, Errc::unreachable);
  EXPECT_TRUE(pagerduty.journal().empty());
  pagerduty.faults().clear();
  EXPECT_TRUE(exchange(trigger()).first.response.has_value());
}

TEST_F(FakeNetworkTest, WithoutNamesOnlyKnownHostsAreReachedAndOnlyWhenAsked) {
  network.set_names_down(true);
  auto request = trigger();
  request.last_good_address = true;
  EXPECT_EQ(exchange(request).first.failure->error.code, Errc::unresolved);
  network.set_names_down(false);
  exchange(trigger());
  network.set_names_down(true);
  request.deadline = clock.steady() + 10s;
  EXPECT_TRUE(exchange(request).first.response.has_value());
  EXPECT_EQ(exchange(trigger()).first.failure->phase, NetPhase::resolve);
}

TEST_F(FakeNetworkTest, CutBeforeAndAfterLookTheSameAndAreNot) {
  const auto before = failure_with({.kind = Kind::cut_before});
  EXPECT_TRUE(pagerduty.journal().empty());
  const auto after = failure_with({.kind = Kind::cut_after});
  EXPECT_EQ(pagerduty.journal().size(), 1U);
  EXPECT_EQ(before.error, after.error);
  EXPECT_TRUE(before.sent);
  EXPECT_TRUE(after.sent);
}

TEST_F(FakeNetworkTest, AHangLastsUntilTheDeadline) {
  pagerduty.faults().add({.kind = Kind::hang});
  const auto [outcome, took] = exchange(trigger());
  EXPECT_EQ(outcome.failure->error.code, Errc::timed_out);
  EXPECT_EQ(took, 10s);
  EXPECT_TRUE(outcome.failure->sent);
  EXPECT_TRUE(pagerduty.journal().empty());
}

TEST_F(FakeNetworkTest, ALatencyBeyondTheDeadlineMayHaveActed) {
  network.set_latency(18s);
  const auto [outcome, took] = exchange(trigger());
  EXPECT_EQ(outcome.failure->error.code, Errc::timed_out);
  EXPECT_EQ(took, 10s);
  EXPECT_EQ(pagerduty.journal().size(), 1U);
}

TEST_F(FakeNetworkTest, SlowAndHugeBodiesAreBounded) {
  EXPECT_EQ(failure_with({.kind = Kind::slow_body, .delay = 30s}).phase, NetPhase::body);
  EXPECT_EQ(failure_with({.kind = Kind::huge_body}).error.code, Errc::too_large);
  pagerduty.faults().add({.kind = Kind::slow_body, .delay = 2s});
  const auto [outcome, took] = exchange(trigger());
  EXPECT_TRUE(outcome.response.has_value());
  EXPECT_EQ(took, 2s);
}

TEST_F(FakeNetworkTest, StatusesCarryTheirRetryAfter) {
  pagerduty.faults().add({.kind = Kind::status, .status = 429, .retry_after = 1500ms, .times = 2});
  const auto first = exchange(trigger()).first;
  EXPECT_EQ(first.response->status, 429);
  EXPECT_EQ(first.response->header("retry-after"), "2");
  EXPECT_EQ(exchange(trigger()).first.response->status, 429);
  EXPECT_EQ(exchange(trigger()).first.response->status, 202) << "twice, and no more";
}

TEST_F(FakeNetworkTest, AWebPageWithStatus200IsNotAnAnswer) {
  pagerduty.faults().add({.kind = Kind::not_json});
  const auto outcome = exchange(trigger()).first;
  EXPECT_EQ(outcome.response->status, 200);
  EXPECT_EQ(outcome.response->body.front(), '<');
}

TEST_F(FakeNetworkTest, ALateErrorActedAllTheSame) {
  pagerduty.faults().add({.kind = Kind::late_error, .status = 502});
  EXPECT_EQ(exchange(trigger()).first.response->status, 502);
  EXPECT_EQ(pagerduty.journal().size(), 1U);
}

TEST_F(FakeNetworkTest, CancellingEndsACall) {
  pagerduty.faults().add({.kind = Kind::hang});
  asio::cancellation_signal cancel;
  bool thrown = false;
  asio::co_spawn(loop, network.http(trigger()),
                 asio::bind_cancellation_slot(cancel.slot(),
                                              [&](std::exception_ptr fault, const HttpOutcome&) {
                                                thrown = fault != nullptr;
                                              }));
  settle(loop);
  cancel.emit(asio::cancellation_type::terminal);
  settle(loop);
  EXPECT_TRUE(thrown);
}

TEST_F(FakeNetworkTest, PlainConnectionsReadABanner) {
  network.listen("10.0.0.1", 22, "SSH-2.0-fake\r\n");
  const auto banner = run_to_end(
      loop, network.connect(
                {.address = {"10.0.0.1", 22}, .read_max = 7, .deadline = clock.steady() + 1s}));
  EXPECT_FALSE(banner.failure.has_value());
  EXPECT_EQ(banner.answer, "SSH-2.0");
  const auto closed = run_to_end(
      loop, network.connect({.address = {"10.0.0.1", 23}, .deadline = clock.steady() + 1s}));
  EXPECT_EQ(closed.failure->error.code, Errc::unreachable);
}

TEST(Faults, ASeedDecidesWhichCallsFail) {
  const auto pattern = [](std::uint64_t seed) {
    Faults faults;
    faults.seed(seed);
    faults.add({.kind = Kind::hang, .times = 0, .chance = 0.3});
    std::string drawn;
    for (int call = 0; call < 200; ++call) drawn += faults.draw("x") ? '1' : '0';
    return drawn;
  };
  EXPECT_EQ(pattern(7), pattern(7));
  EXPECT_NE(pattern(7), pattern(8));
  const auto drawn = pattern(7);
  const auto hits = std::count(drawn.begin(), drawn.end(), '1');
  EXPECT_GT(hits, 40);
  EXPECT_LT(hits, 80);
}

TEST(Faults, HitOnlyTheirOperationAndAreSpent) {
  Faults faults;
  faults.add({.kind = Kind::hang, .operation = "chat.update"});
  EXPECT_FALSE(faults.draw("chat.postMessage"));
  EXPECT_TRUE(faults.draw("chat.update"));
  EXPECT_FALSE(faults.draw("chat.update"));
  EXPECT_EQ(faults.size(), 0U);
}

TEST(Faults, HaveNamesBothWays) {
  EXPECT_EQ(*fault_kind("slow_body"), Kind::slow_body);
  EXPECT_EQ(to_string(Kind::cut_before), "cut_before");
  EXPECT_FALSE(fault_kind("meteor"));
}

}  // namespace
}  // namespace tocsin::fakes
