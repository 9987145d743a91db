#include <gmock/gmock.h>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include "agent/notify/pagerduty_event.hpp"
#include "agent/notify/pagerduty_notifier.hpp"
#include "tests/fakes/fake_network.hpp"
#include "tests/fakes/pagerduty.hpp"
#include "tests/unit/notify/stage.hpp"
#include "tocsin/base/text.hpp"

namespace tocsin::notify {
namespace {

using namespace testing;
using namespace std::chrono_literals;
using fakes::Fault;
using ::testing::HasSubstr;
using ::testing::Not;

const Secret key{"0123456789abcdef0123456789abcdef"};

boost::json::object parsed(const std::string& event) {
  return boost::json::parse(event).as_object();
}

DraftTrigger big_page(std::size_t members, std::size_t line) {
  auto page = sample_page();
  page.members.assign(members, std::string(line, 'm'));
  page.evidence.assign(members, std::string(line, 'e'));
  return page;
}

TEST(PagerDutyEvent, HasEveryFieldOfAPrefilledPage) {
  const auto event = parsed(trigger_event(sample_page(), key, PageSize::full));
  EXPECT_EQ(event.at("routing_key").as_string(), key.reveal());
  EXPECT_EQ(event.at("event_action").as_string(), "trigger");
  EXPECT_EQ(event.at("dedup_key").as_string(), "tocsin/production/web-1/nginx/01jd3k7m-x7q2p/g1");
  EXPECT_EQ(event.at("client").as_string(), "tocsin");
  EXPECT_EQ(event.at("client_url").as_string(), "https://example.slack.com/archives/C0000001");
  ASSERT_EQ(event.at("links").as_array().size(), 1u);
  EXPECT_EQ(event.at("links").at(0).at("text").as_string(), "#issue-nginx-2211");
  const auto& payload = event.at("payload").as_object();
  EXPECT_EQ(payload.at("summary").as_string(), "CRITICAL: nginx on web-1: up 0 < 1");
  EXPECT_EQ(payload.at("source").as_string(), "web-1");
  EXPECT_EQ(payload.at("severity").as_string(), "critical");
  EXPECT_EQ(payload.at("class").as_string(), "process");
  EXPECT_EQ(payload.at("timestamp").as_string(), "2023-11-14T22:13:20.000Z");
  const auto& details = payload.at("custom_details").as_object();
  EXPECT_EQ(details.begin()->key(), "Environment") << "the order is kept";
  EXPECT_EQ(details.at("evidence").as_array().size(), 2u);
  EXPECT_EQ(details.at("alerts").as_array().size(), 1u);
}

TEST(PagerDutyEvent, FallsDownTheLadderAsItGrows) {
  const auto full = fitted_trigger_event(big_page(20, 100), key, limits::pagerduty_payload_bytes);
  EXPECT_EQ(parsed(full).at("payload").at("custom_details").at("alerts").as_array().size(), 20u);
  auto wordy = big_page(1000, 900);
  for (int i = 0; i < 15; ++i) {
    wordy.details.emplace_back("d" + std::to_string(i), std::string(20'000, 'd'));
  }
  const auto top = parsed(fitted_trigger_event(wordy, key, limits::pagerduty_payload_bytes));
  EXPECT_EQ(top.at("payload").at("custom_details").at("alerts").as_array().size(), 20u);
  EXPECT_EQ(top.at("payload").at("custom_details").at("alerts_total").as_int64(), 1000);
  auto details = wordy;
  for (int i = 15; i < 30; ++i) {
    details.details.emplace_back("d" + std::to_string(i), std::string(20'000, 'd'));
  }
  const auto counts = parsed(fitted_trigger_event(details, key, limits::pagerduty_payload_bytes));
  EXPECT_FALSE(counts.at("payload").at("custom_details").as_object().contains("alerts"));
  EXPECT_EQ(counts.at("payload").at("custom_details").at("alerts_total").as_int64(), 1000);
  const auto link_only = parsed(fitted_trigger_event(details, key, 3000));
  EXPECT_FALSE(link_only.at("payload").as_object().contains("custom_details"));
  EXPECT_TRUE(link_only.contains("links"));
  const auto minimal = parsed(fitted_trigger_event(details, key, 10));
  EXPECT_FALSE(minimal.contains("links"));
}

TEST(PagerDutyEvent, FitsWhateverItIsGiven) {
  for (const std::size_t members : {0u, 1u, 200u, 1000u}) {
    for (const std::size_t line : {0u, 50u, 5000u}) {
      auto page = big_page(members, line);
      page.summary = std::string(5000, '\xc3') + "日本";
      page.details.emplace_back("binary", std::string("\x00\x01\xff\xfe", 4));
      page.links.assign(
          100, {std::string(3000, 'l'), "https://x.example.com/" + std::string(line, 'p')});
      const auto event = fitted_trigger_event(page, key, limits::pagerduty_payload_bytes);
      EXPECT_LE(event.size(), limits::pagerduty_payload_bytes);
      boost::system::error_code problem;
      const auto value = boost::json::parse(event, problem);  // Refuses text that is not UTF-8.
      ASSERT_FALSE(problem) << problem.message();
      const std::string summary{value.at("payload").at("summary").as_string()};
      EXPECT_EQ(cut_characters(summary, limits::pagerduty_summary_characters), summary);
    }
  }
}

TEST(PagerDutyEvent, NeverLacksWhatIsRequired) {
  const auto event = parsed(trigger_event(DraftTrigger{}, key, PageSize::full));
  EXPECT_NE(event.at("payload").at("summary").as_string(), "");
  EXPECT_NE(event.at("payload").at("source").as_string(), "");
  EXPECT_EQ(event.at("payload").at("severity").as_string(), "critical");
}

TEST(PagerDutyEvent, ALongKeyIsCutTheSameWayEveryTime) {
  const std::string front(300, 'k');
  EXPECT_EQ(event_key("short"), "short");
  EXPECT_EQ(event_key(front + "/g1"), event_key(front + "/g1"));
  EXPECT_NE(event_key(front + "/g1"), event_key(front + "/g2"));
  EXPECT_EQ(cut_characters(event_key(front + "/g1"), limits::pagerduty_dedup_key_characters),
            event_key(front + "/g1"));
  EXPECT_EQ(parsed(follow_up_event("resolve", front + "/g1", key)).at("dedup_key").as_string(),
            event_key(front + "/g1"));
}

class PagerDuty : public ::testing::Test {
 protected:
  PagerDuty() {
    network_.route("events.pagerduty.com", 443, pagerduty_);
    options_.routing_keys.emplace("sre", key);
    options_.routing_keys.emplace("managers", Secret{"ffffffffffffffffffffffffffffffff"});
    notifier_ = std::make_unique<PagerDutyNotifier>(network_, clock_, options_);
  }
  Delivery deliver(DraftBody body) {
    return attempt(loop_, clock_, *notifier_, draft_of(std::move(body), {}, clock_.wall()));
  }

  asio::io_context loop_{};
  fakes::ManualClock clock_{};
  fakes::FakeNetwork network_{clock_};
  fakes::FakePagerDuty pagerduty_{[this] { return clock_.now(); }};
  PagerDutyOptions options_{};
  std::unique_ptr<PagerDutyNotifier> notifier_{};
  std::string dedup_{sample_page().key};
};

TEST_F(PagerDuty, TriggersAcknowledgesAndResolvesOneAlert) {
  EXPECT_EQ(class_of(deliver(sample_page())), "delivered");
  ASSERT_NE(pagerduty_.open_alert(dedup_), nullptr);
  EXPECT_EQ(class_of(deliver(DraftAcknowledge{"sre", dedup_})), "delivered");
  EXPECT_EQ(pagerduty_.open_alert(dedup_)->state, fakes::PagerDutyAlert::State::acknowledged);
  EXPECT_EQ(class_of(deliver(DraftResolve{"sre", dedup_})), "delivered");
  EXPECT_EQ(pagerduty_.open_alerts(), 0u);
  EXPECT_EQ(pagerduty_.opened(dedup_), 1u);
}

TEST_F(PagerDuty, WhatFollowsAPageGoesOutUnderTheKeyItWentOutWith) {
  const auto sent = deliver(sample_page());
  const auto digest = std::get<Delivered>(sent).routing_key_digest;
  EXPECT_EQ(digest.size(), 64u);
  options_.routing_keys["sre"] = Secret{"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
  options_.retired_keys = {Secret{"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"}, key};
  notifier_ = std::make_unique<PagerDutyNotifier>(network_, clock_, options_);
  EXPECT_EQ(class_of(deliver(DraftAcknowledge{"sre", dedup_, digest})), "delivered");
  EXPECT_EQ(pagerduty_.journal().back().became, fakes::PagerDutyEvent::Became::acknowledged);
  EXPECT_EQ(class_of(deliver(DraftResolve{"sre", dedup_, digest})), "delivered");
  EXPECT_EQ(pagerduty_.journal().back().became, fakes::PagerDutyEvent::Became::resolved);
  EXPECT_EQ(pagerduty_.open_alerts(), 0u);
  // A page that was not accepted yet goes to where pages go now.
  EXPECT_EQ(class_of(deliver(sample_page())), "delivered");
  EXPECT_EQ(pagerduty_.open_alert(dedup_)->routing_key, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
}

TEST_F(PagerDuty, AResolveWhoseKeyIsGoneIsNotSentToBeIgnored) {
  const auto sent = deliver(sample_page());
  const auto digest = std::get<Delivered>(sent).routing_key_digest;
  options_.routing_keys["sre"] = Secret{"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
  notifier_ = std::make_unique<PagerDutyNotifier>(network_, clock_, options_);
  const auto requests = network_.requests();
  const auto delivery = deliver(DraftResolve{"sre", dedup_, digest});
  EXPECT_EQ(class_of(delivery), "rejected");
  EXPECT_THAT(texts_of(delivery), HasSubstr("another routing key than pagerduty.services.sre"));
  EXPECT_EQ(network_.requests(), requests);
}

TEST_F(PagerDuty, ALostAnswerNeverPagesTwice) {
  for (const auto kind : {Fault::Kind::hang, Fault::Kind::cut_before, Fault::Kind::cut_after,
                          Fault::Kind::late_error, Fault::Kind::slow_body, Fault::Kind::huge_body,
                          Fault::Kind::not_json, Fault::Kind::status}) {
    SCOPED_TRACE(fakes::to_string(kind));
    auto page = sample_page();
    page.key += fakes::to_string(kind);
    Fault fault;
    fault.kind = kind;
    fault.times = 2;
    pagerduty_.faults().add(fault);
    auto delivery = deliver(page);
    for (int tries = 0; tries < 5 && std::holds_alternative<Retry>(delivery); ++tries)
      delivery = deliver(page);
    EXPECT_EQ(class_of(delivery), "delivered") << texts_of(delivery);
    EXPECT_EQ(pagerduty_.opened(page.key), 1u);
    EXPECT_EQ(pagerduty_.open_alert(page.key)->routing_key, key.reveal());
  }
}

TEST_F(PagerDuty, ARefusedPageIsSentOnceMoreAsTheBareMinimum) {
  Fault fault;
  fault.status = 400;
  pagerduty_.faults().add(fault);
  const auto delivery = deliver(sample_page());
  ASSERT_EQ(class_of(delivery), "delivered");
  EXPECT_THAT(texts_of(delivery), HasSubstr("a minimal one was taken"));
  EXPECT_THAT(pagerduty_.journal().back().body, Not(HasSubstr("custom_details")));
  EXPECT_EQ(pagerduty_.journal().back().dedup_key, dedup_);
}

TEST_F(PagerDuty, ARefusalOfTheMinimumToo_IsFinalAfterTwoRequests) {
  Fault fault;
  fault.status = 400;
  fault.times = 0;
  pagerduty_.faults().add(fault);
  EXPECT_EQ(class_of(deliver(sample_page())), "rejected");
  EXPECT_EQ(network_.requests(), 2u);
  EXPECT_EQ(class_of(deliver(DraftResolve{"sre", dedup_})), "rejected");
  EXPECT_EQ(network_.requests(), 3u);
}

TEST_F(PagerDuty, AnIntegrationKeyThatIsRefusedHaltsInsteadOfLosingThePage) {
  ScriptedNetwork network{[](const HttpRequest&) {
    return answered(
        400, R"({"status":"invalid event","message":"Event object is invalid",)"
             R"x("errors":["Length of 'routing_key' is incorrect (should be 32 characters)"]})x");
  }};
  PagerDutyNotifier notifier{network, clock_, options_};
  const auto delivery =
      attempt(loop_, clock_, notifier, draft_of(sample_page(), {}, clock_.wall()));
  EXPECT_EQ(class_of(delivery), "halt");
  EXPECT_THAT(texts_of(delivery), HasSubstr("pagerduty.services.sre.routing_key"));
  EXPECT_EQ(network.seen.size(), 1u);
}

TEST_F(PagerDuty, AServiceThatIsNoLongerConfiguredIsRejectedWithASentence) {
  const auto delivery = deliver(sample_page("night-shift"));
  EXPECT_EQ(class_of(delivery), "rejected");
  EXPECT_THAT(texts_of(delivery), HasSubstr("night-shift"));
  EXPECT_EQ(network_.requests(), 0u);
}

TEST_F(PagerDuty, RetryAfterHoldsBackThatServiceOnly) {
  Fault fault;
  fault.status = 429;
  fault.retry_after = 30s;
  pagerduty_.faults().add(fault);
  EXPECT_EQ(std::get<Retry>(deliver(sample_page())).no_sooner, Duration{30s});
  const auto held = std::get<Retry>(deliver(sample_page()));
  EXPECT_FALSE(held.attempted);
  EXPECT_EQ(held.no_sooner, Duration{30s});
  EXPECT_EQ(network_.requests(), 1u);
  EXPECT_EQ(class_of(deliver(sample_page("managers"))), "delivered");
  clock_.advance(30s);
  EXPECT_EQ(class_of(deliver(sample_page())), "delivered");
}

TEST_F(PagerDuty, TestingOpensNothing) {
  const auto proof = run(loop_, clock_, notifier_->test(clock_.steady() + 20s));
  ASSERT_TRUE(proof);
  EXPECT_THAT(*proof, HasSubstr("managers, sre"));
  EXPECT_TRUE(pagerduty_.alerts().empty());
}

TEST_F(PagerDuty, ANameThatCannotBeResolvedIsNoReasonToStaySilent) {
  EXPECT_EQ(class_of(deliver(sample_page())), "delivered");
  network_.set_names_down(true);
  EXPECT_EQ(class_of(deliver(sample_page("managers"))), "delivered");
}

}  // namespace
}  // namespace tocsin::notify
