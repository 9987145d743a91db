// Whose turn it is, and what follows from the outcome of an attempt.
#include <gmock/gmock.h>

#include "tests/unit/app/stage.hpp"

namespace tocsin::app {
namespace {

using Names = std::vector<std::string>;

const ReceiverId pagerduty = pagerduty_receiver("sre");

TEST_F(EngineTest, ClaimIsDurableBeforeItIsHandedOut) {
  auto& engine = begin();
  fire("nginx");
  blocking_.late(true);
  std::optional<Claim> claim;
  life_->tasks.spawn("take", fakes::keep(engine.next(), claim));
  settle();
  EXPECT_FALSE(claim.has_value());
  EXPECT_EQ(engine.entries().begin()->second.state, EntryState::in_flight);
  blocking_.flush();
  settle();
  ASSERT_TRUE(claim.has_value());
  EXPECT_EQ(name_of(*claim), "trigger_page");
}

TEST_F(EngineTest, NothingIsHandedOutBeforeItsDecisionIsDurable) {
  auto& engine = begin();
  blocking_.late(true);
  fire("nginx");
  EXPECT_TRUE(engine.entries().empty());
  EXPECT_FALSE(take());
  blocking_.late(false);
  blocking_.flush();
  settle();
  EXPECT_TRUE(take());
}

TEST_F(EngineTest, WhatWasInFlightWhenTheProcessDiedIsAmbiguous) {
  begin();
  fire("nginx");
  const auto first = take();
  ASSERT_TRUE(first);
  EXPECT_FALSE(first->draft.ambiguous);
  begin_again();
  const auto second = take();
  ASSERT_TRUE(second);
  EXPECT_TRUE(second->draft.ambiguous);
  EXPECT_EQ(second->draft.entry, first->draft.entry);
}

TEST_F(EngineTest, FirstPageNeverWaitsWithoutSlack) {
  begin();
  fire("nginx");
  const auto claim = take();
  ASSERT_TRUE(claim);
  EXPECT_EQ(name_of(*claim), "trigger_page");
}

TEST_F(EngineTest, PageWaitsForTheChannelAtMostThatLong) {
  with_slack();
  begin();
  fire("nginx");
  const auto create = take();
  ASSERT_TRUE(create);
  EXPECT_EQ(name_of(*create), "create_channel");
  EXPECT_FALSE(take());
  pass(1999ms);
  EXPECT_FALSE(take());
  pass(1ms);
  const auto page = take();
  ASSERT_TRUE(page);
  EXPECT_EQ(name_of(*page), "trigger_page");
}

TEST_F(EngineTest, PageGoesWithTheLinkAsSoonAsTheChannelIsThere) {
  with_slack();
  auto& engine = begin();
  fire("nginx");
  const auto create = take();
  ASSERT_TRUE(create);
  engine.settle(*create,
                Delivered{.channel_id = "C1",
                          .channel_name = "issue-nginx-1411",
                          .channel_url = "https://slack.test/C1"},
                10ms);
  settle();
  const auto page = take();
  ASSERT_TRUE(page);
  EXPECT_EQ(name_of(*page), "trigger_page");
  const auto& links = std::get<DraftTrigger>(page->draft.body).links;
  ASSERT_FALSE(links.empty());
  EXPECT_EQ(links.at(0).second, "https://slack.test/C1");
}

TEST_F(EngineTest, LinkFollowsAPageThatCouldNotWaitForIt) {
  with_slack();
  auto& engine = begin();
  fire("nginx");
  const auto create = take();
  pass(2s);
  const auto page = take();
  ASSERT_TRUE(create && page);
  EXPECT_TRUE(std::get<DraftTrigger>(page->draft.body).links.empty());
  engine.settle(*page, Delivered{.routing_key_digest = "abc"}, 10ms);
  settle();
  engine.settle(*create, Delivered{.channel_id = "C1", .channel_url = "https://slack.test/C1"},
                10ms);
  settle();
  const auto update = take();
  ASSERT_TRUE(update);
  EXPECT_EQ(name_of(*update), "update_page");
  const auto& again = std::get<DraftTrigger>(update->draft.body);
  EXPECT_EQ(again.key, std::get<DraftTrigger>(page->draft.body).key);
  EXPECT_EQ(again.routing_key_digest, "abc");
  ASSERT_FALSE(again.links.empty());
  EXPECT_EQ(again.links.at(0).second, "https://slack.test/C1");
  begin_again();  // It survives us, and is sent again under the same key.
  EXPECT_THAT(deliver_all(), ::testing::Contains("update_page"));
  EXPECT_TRUE(only().pages.at(0).has_channel);
}

TEST_F(EngineTest, RetryBacksOffAndCountsItsAttempts) {
  auto& engine = begin();
  fire("nginx");
  const auto first = take();
  ASSERT_TRUE(first);
  engine.settle(*first, Retry{{Errc::unreachable, "no route"}, 30s, false, true}, 10ms);
  settle();
  pass(29s);
  EXPECT_FALSE(take());
  pass(1s);
  const auto second = take();
  ASSERT_TRUE(second);
  EXPECT_EQ(second->draft.entry, first->draft.entry);
  EXPECT_EQ(engine.entries().begin()->second.attempts, 2);
  EXPECT_EQ(engine.entries().begin()->second.last_error, "no route");
}

TEST_F(EngineTest, WhatOurOwnRateLimitHeldBackWasNoAttempt) {
  auto& engine = begin();
  fire("nginx");
  const auto claim = take();
  ASSERT_TRUE(claim);
  engine.settle(*claim, Retry{{Errc::timed_out, "busy"}, 1s, false, false}, 0s);
  settle();
  EXPECT_EQ(engine.entries().begin()->second.attempts, 0);
}

TEST_F(EngineTest, HaltKeepsTheQueueAndTellsEachIncidentOnce) {
  auto& engine = begin();
  fire("nginx");
  fire("mysql");
  const Halt refused{{Errc::refused, "the routing key is not known"}};
  const auto one = take();
  const auto two = take();
  ASSERT_TRUE(one && two);
  engine.settle(*one, refused, 10ms);
  engine.settle(*two, refused, 10ms);
  settle();
  EXPECT_EQ(engine.halted(pagerduty), "the routing key is not known");
  EXPECT_EQ(engine.entries().size(), 2u);
  for (const auto& [id, incident] : engine.incidents())
    EXPECT_TRUE(told(id, "Nobody is paged at sre yet")) << incident.topic;
  // Both refusals were of one time: the pause is the first, not a doubled one.
  EXPECT_FALSE(take());
  pass(30s);
  const auto again = take();
  ASSERT_TRUE(again);
  engine.settle(*again, Delivered{}, 10ms);
  settle();
  EXPECT_FALSE(engine.halted(pagerduty));
  EXPECT_EQ(deliver_all(), Names{"trigger_page"});
}

TEST_F(EngineTest, ReceiverIsTriedAtOnceAfterAReload) {
  auto& engine = begin();
  fire("nginx");
  const auto claim = take();
  ASSERT_TRUE(claim);
  engine.settle(*claim, Halt{{Errc::refused, "the routing key is not known"}}, 10ms);
  settle();
  EXPECT_FALSE(take());
  engine.configure(settings_);
  EXPECT_TRUE(take());
}

TEST_F(EngineTest, RefusedPageIsADeadLetterThatCanBeRevived) {
  auto& engine = begin();
  fire("nginx");
  const auto claim = take();
  ASSERT_TRUE(claim);
  engine.settle(*claim, Rejected{{Errc::refused, "400: no such service"}}, 10ms);
  settle();
  const auto id = claim->draft.entry;
  EXPECT_EQ(engine.entries().at(id).state, EntryState::dead);
  EXPECT_TRUE(told(only().id, "Nobody was paged at sre"));
  EXPECT_FALSE(take());
  ASSERT_TRUE(engine.retry_entry(id));
  settle();
  EXPECT_EQ(deliver_all(), Names{"trigger_page"});
  EXPECT_EQ(only().pages.at(0).state, PageState::triggered);
  EXPECT_EQ(engine.retry_entry(id).error().code, Errc::missing);
}

TEST_F(EngineTest, DeadLetterCanBeDropped) {
  auto& engine = begin();
  fire("nginx");
  const auto claim = take();
  ASSERT_TRUE(claim);
  EXPECT_EQ(engine.drop_entry(claim->draft.entry).error().code, Errc::refused);
  engine.settle(*claim, Rejected{{Errc::refused, "400"}}, 10ms);
  ASSERT_TRUE(engine.drop_entry(claim->draft.entry));
  settle();
  EXPECT_TRUE(engine.entries().empty());
  EXPECT_TRUE(told(only().id, "dropped by hand"));
}

TEST_F(EngineTest, PageThatWasDroppedIsNeverResolved) {
  with_slack();
  auto& engine = begin();
  fire("nginx");
  const auto create = take();
  ASSERT_TRUE(create);
  for (const auto& [id, entry] : engine.entries()) {
    if (entry.receiver != pagerduty) continue;
    ASSERT_TRUE(engine.drop_entry(id));
    break;
  }
  settle();
  EXPECT_EQ(only().pages.at(0).state, PageState::suppressed);
  recover("nginx");
  pass(2min);
  EXPECT_EQ(only().state, IncidentState::resolved);
  for (const auto& [id, entry] : engine.entries()) EXPECT_EQ(entry.receiver, slack_receiver());
}

TEST_F(EngineTest, EntryThatWasDroppedStaysGone) {
  auto& engine = begin();
  fire("nginx");
  const auto claim = take();
  ASSERT_TRUE(claim);
  blocking_.late(true);
  engine.settle(*claim, Retry{{Errc::timed_out, "busy"}, 1s, false, false}, 0s);
  settle();
  // The retry is still being written when somebody drops the entry.
  ASSERT_TRUE(engine.drop_entry(claim->draft.entry));
  blocking_.late(false);
  blocking_.flush();
  settle();
  EXPECT_TRUE(engine.entries().empty());
  pass(1min);
  EXPECT_FALSE(take());
}

TEST_F(EngineTest, PageThatWasNeverSentAndItsResolveAnnihilateAndTheTimelineSaysSo) {
  with_slack();
  auto& engine = begin();
  fire("nginx");
  const auto create = take();
  ASSERT_TRUE(create);
  ASSERT_TRUE(engine.command(only().id, policy::ResolveByHand{"jane", "a false alarm"}));
  settle();
  EXPECT_FALSE(take());
  settle();
  for (const auto& [id, entry] : engine.entries()) EXPECT_EQ(entry.receiver, slack_receiver());
  EXPECT_EQ(only().pages.at(0).state, PageState::suppressed);
  EXPECT_TRUE(told(only().id, "nobody was paged"));
}

TEST_F(EngineTest, EntryWhoseIncidentIsLostIsForgotten) {
  {
    auto opened = store::Ledger::open(folder_ + "/tocsin.db", "boot-1", clock_.now());
    ASSERT_TRUE(opened);
    OutboxEntry left{.id = EntryId{7},
                     .incident = IncidentId{"gone"},
                     .receiver = pagerduty,
                     .effect = TriggerPage{"sre", "key", false}};
    ASSERT_TRUE(opened->ledger->commit({.entries = {left}}, clock_.now()));
  }
  auto& engine = begin();
  EXPECT_TRUE(engine.entries().empty());
  EXPECT_FALSE(take());
  fire("nginx");
  EXPECT_GT(engine.entries().begin()->first.value, 7u);
  begin_again();
  EXPECT_EQ(deliver_all(), Names{"trigger_page"});
}

TEST_F(EngineTest, DeadLetterOfAnOldArchivedIncidentSurvivesARestart) {
  with_slack();
  settings_.incidents.archive_after = 1h;
  settings_.incidents.remind_every = 24h;
  auto* engine = &begin();
  fire("nginx");
  deliver_all();
  pass(std::chrono::days{9});
  deliver_all();
  const auto id = only().id;
  ASSERT_TRUE(engine->command(id, policy::ResolveByHand{"jane", "replaced"}));
  ASSERT_TRUE(
      engine->command(id, policy::Close{.by = "jane", .root_cause = "age", .fix = "a new one"}));
  settle();
  deliver_all();
  pass(1h);
  const auto claim = take();
  ASSERT_TRUE(claim);
  ASSERT_EQ(name_of(*claim), "archive_channel");
  engine->settle(*claim, Rejected{{Errc::refused, "cant_archive_general"}}, 10ms);
  settle();
  engine = &begin_again();
  EXPECT_EQ(engine->entries().size(), 1u);
  EXPECT_FALSE(take());
  ASSERT_TRUE(engine->retry_entry(claim->draft.entry));
  EXPECT_EQ(deliver_all(), Names{"archive_channel"});
}

}  // namespace
}  // namespace tocsin::app
