#include "agent/policy/lanes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>

#include "tests/unit/policy/drama.hpp"
#include "tocsin/base/limits.hpp"

namespace tocsin::policy {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Why = LanePlan::Drop::Why;

/// One lane of an open incident, filled entry by entry.
class Lane {
 public:
  Lane() { drama.open(); }

  Drama drama;
  bool halted{false};
  std::optional<SteadyTime> halted_until{};
  bool channel_expected{true};

  OutboxEntry& add(Effect effect) {
    OutboxEntry entry;
    entry.id = EntryId{++last_id_};
    entry.effect = std::move(effect);
    entry.receiver = receiver_of(entry.effect);
    entries_.push_back(std::move(entry));
    return entries_.back();
  }
  std::string key() const { return drama.incident.pages.at(0).key; }
  TriggerPage trigger() const { return {"sre", key(), false}; }
  ResolvePage resolve() const { return {"sre", key()}; }

  LanePlan plan() const {
    std::vector<const OutboxEntry*> pointers;
    for (const auto& entry : entries_) pointers.push_back(&entry);
    const LaneView view{.incident = drama.incident,
                        .entries = pointers,
                        .receiver_halted = halted,
                        .halted_until = halted_until,
                        .channel_expected = channel_expected};
    return plan_lane(view, drama.now);
  }
  std::uint64_t attempt() const { return plan().attempt.value_or(EntryId{0}).value; }
  std::vector<std::pair<std::uint64_t, Why>> drops() const {
    std::vector<std::pair<std::uint64_t, Why>> drops;
    for (const auto& drop : plan().drops) drops.emplace_back(drop.id.value, drop.why);
    return drops;
  }

 private:
  std::uint64_t last_id_{0};
  std::deque<OutboxEntry> entries_;
};

TEST(Lanes, TheFirstGoesFirst) {
  Lane lane;
  EXPECT_EQ(lane.attempt(), 0u);
  lane.add(CreateChannel{});
  lane.add(SetPurpose{});
  EXPECT_EQ(lane.attempt(), 1u);
  EXPECT_THAT(lane.drops(), IsEmpty());
}

TEST(Lanes, OneInFlightHoldsTheOthers) {
  Lane lane;
  lane.add(CreateChannel{}).state = EntryState::in_flight;
  lane.add(SetPurpose{});
  EXPECT_EQ(lane.attempt(), 0u);
  EXPECT_FALSE(lane.plan().wake_at);
}

TEST(Lanes, BackoffIsWaitedForInOrder) {
  Lane lane;
  const auto then = lane.drama.now.steady + 7s;
  auto& first = lane.add(lane.trigger());
  first.attempts = 2;
  first.not_before = then;
  lane.add(AcknowledgePage{"sre", lane.key()});
  lane.drama.incident.state = IncidentState::acknowledged;
  EXPECT_EQ(lane.attempt(), 0u);
  EXPECT_EQ(lane.plan().wake_at, then);
  lane.drama.pass(7s);
  EXPECT_EQ(lane.attempt(), 1u);
}

TEST(Lanes, TheDeadDoNotBlock) {
  Lane lane;
  lane.drama.incident.channel.ready = true;
  lane.add(SetTopic{}).state = EntryState::dead;
  lane.add(SetTopic{});
  EXPECT_EQ(lane.attempt(), 2u);
}

TEST(Lanes, AFirstPageWaitsForTheChannelButNotForLong) {
  Lane lane;
  const auto then = lane.drama.now.steady + 2s;
  lane.add(lane.trigger()).not_before = then;
  EXPECT_EQ(lane.attempt(), 0u);
  EXPECT_EQ(lane.plan().wake_at, then);
  lane.drama.incident.channel.ready = true;
  EXPECT_EQ(lane.attempt(), 1u) << "the channel is there";
  lane.drama.incident.channel.ready = false;
  lane.channel_expected = false;
  EXPECT_EQ(lane.attempt(), 1u) << "no channel will come";
  lane.channel_expected = true;
  lane.drama.pass(2s);
  EXPECT_EQ(lane.attempt(), 1u) << "it waited long enough";
}

TEST(Lanes, ARetriedPageKeepsItsBackoffThoughTheChannelIsThere) {
  Lane lane;
  lane.drama.incident.channel.ready = true;
  auto& entry = lane.add(lane.trigger());
  entry.attempts = 1;
  entry.not_before = lane.drama.now.steady + 2s;
  EXPECT_EQ(lane.attempt(), 0u);
}

TEST(Lanes, APageThatTheReceiversPaceHeldBackIsNotAskedForAtOnce) {
  Lane lane;
  lane.drama.incident.channel.ready = true;
  auto& entry = lane.add(lane.trigger());
  entry.first_attempt = lane.drama.now.wall;
  entry.not_before = lane.drama.now.steady + 2s;
  EXPECT_EQ(lane.attempt(), 0u);
  EXPECT_EQ(lane.plan().wake_at, lane.drama.now.steady + 2s);
}

TEST(Lanes, AnUnsentTriggerAndItsResolveAnnihilate) {
  Lane lane;
  lane.add(lane.trigger());
  lane.add(AcknowledgePage{"sre", lane.key()});
  lane.add(lane.resolve());
  lane.drama.recover_and_resolve();
  EXPECT_THAT(lane.drops(),
              ElementsAre(std::pair{1u, Why::annihilated}, std::pair{2u, Why::annihilated},
                          std::pair{3u, Why::annihilated}));
  EXPECT_EQ(lane.attempt(), 0u);
}

TEST(Lanes, AnAttemptThatWasHeldBackIsNone) {
  Lane lane;
  lane.add(lane.trigger()).first_attempt = lane.drama.now.wall;
  lane.add(lane.resolve());
  lane.drama.recover_and_resolve();
  EXPECT_EQ(lane.drops().size(), 2u);
}

TEST(Lanes, AnAttemptedTriggerIsSentBeforeItsResolve) {
  struct Case {
    int attempts;
    bool ambiguous;
    EntryState state;
    std::uint64_t next;
  };
  for (const auto& c : std::initializer_list<Case>{{1, false, EntryState::queued, 1},
                                                   {0, true, EntryState::queued, 1},
                                                   {1, false, EntryState::in_flight, 0}}) {
    Lane lane;
    auto& trigger = lane.add(lane.trigger());
    trigger.attempts = c.attempts;
    trigger.ambiguous = c.ambiguous;
    trigger.state = c.state;
    lane.add(lane.resolve());
    lane.drama.recover_and_resolve();
    EXPECT_THAT(lane.drops(), IsEmpty());
    EXPECT_EQ(lane.attempt(), c.next);
  }
}

TEST(Lanes, AResolveWhoseTriggerIsDeadIsPointless) {
  Lane lane;
  lane.add(lane.trigger()).state = EntryState::dead;
  lane.add(AcknowledgePage{"sre", lane.key()});
  lane.add(lane.resolve());
  EXPECT_THAT(lane.drops(),
              ElementsAre(std::pair{2u, Why::pointless}, std::pair{3u, Why::pointless}));
}

TEST(Lanes, AResolveWhosePageWasRefusedIsPointless) {
  for (const auto state : {PageState::rejected, PageState::suppressed}) {
    Lane lane;
    lane.drama.incident.pages.at(0).state = state;
    lane.add(lane.resolve());
    EXPECT_THAT(lane.drops(), ElementsAre(std::pair{1u, Why::pointless}));
  }
}

TEST(Lanes, AnEscalationIsPointlessOnceSomebodyIsOnIt) {
  Lane lane;
  lane.drama.tick_after(15min);
  const auto page = lane.drama.all<TriggerPage>().at(0);
  auto& entry = lane.add(page);
  EXPECT_EQ(lane.attempt(), 1u);
  lane.drama.give(Acknowledge{"jane", "cli"});
  EXPECT_THAT(lane.drops(), ElementsAre(std::pair{1u, Why::pointless}));
  entry.attempts = 1;
  EXPECT_THAT(lane.drops(), ElementsAre(std::pair{1u, Why::pointless})) << "it was turned away";
  entry.ambiguous = true;
  EXPECT_EQ(lane.attempt(), 1u) << "it may have arrived: it is sent, and resolved later";
}

TEST(Lanes, WhatFollowsADroppedEscalationGoesWithIt) {
  Lane lane;
  lane.drama.tick_after(15min);
  const auto page = lane.drama.all<TriggerPage>().at(0);
  lane.add(page);
  lane.add(AcknowledgePage{page.service, page.key});
  lane.drama.give(Acknowledge{"jane", "cli"});
  EXPECT_THAT(lane.drops(),
              ElementsAre(std::pair{1u, Why::pointless}, std::pair{2u, Why::pointless}));
  EXPECT_EQ(lane.attempt(), 0u);
}

TEST(Lanes, ATriggerThatNobodyWouldResolveIsPointless) {
  Lane lane;
  auto& entry = lane.add(lane.trigger());
  entry.attempts = 3;
  lane.drama.recover_and_resolve();
  EXPECT_THAT(lane.drops(), ElementsAre(std::pair{1u, Why::pointless}));
  entry.ambiguous = true;
  EXPECT_EQ(lane.attempt(), 1u);
  lane.drama.give(AlertFired{Drama::news()});
  EXPECT_THAT(lane.drops(), ElementsAre(std::pair{1u, Why::pointless})) << "an older generation";
}

TEST(Lanes, AnAcknowledgementThatExpiredIsPointless) {
  Lane lane;
  lane.add(AcknowledgePage{"sre", lane.key()});
  EXPECT_THAT(lane.drops(), ElementsAre(std::pair{1u, Why::pointless}));
  lane.drama.give(Acknowledge{"jane", "cli"});
  EXPECT_EQ(lane.attempt(), 1u);
  lane.drama.give(AlertRecovered{"nginx"});
  EXPECT_EQ(lane.attempt(), 1u);
}

TEST(Lanes, AnUpdateGoesToAnOpenPageOnly) {
  Lane lane;
  lane.add(UpdatePage{"sre", lane.key()});
  EXPECT_THAT(lane.drops(), ElementsAre(std::pair{1u, Why::pointless})) << "not accepted yet";
  lane.drama.settle(lane.trigger());
  EXPECT_THAT(lane.drops(), IsEmpty());
  EXPECT_EQ(lane.attempt(), 1u);
  lane.drama.give(Acknowledge{"jane", "cli"});
  lane.drama.settle(AcknowledgePage{"sre", lane.key()});
  EXPECT_EQ(lane.attempt(), 1u) << "who is on it wants the link most";
  lane.drama.settle(lane.resolve());
  EXPECT_THAT(lane.drops(), ElementsAre(std::pair{1u, Why::pointless})) << "it would open another";
}

TEST(Lanes, AnUpdateGivesWayToTheResolve) {
  Lane lane;
  lane.drama.settle(lane.trigger());
  auto& update = lane.add(UpdatePage{"sre", lane.key()});
  update.attempts = 1;
  update.ambiguous = true;
  update.not_before = lane.drama.now.steady + 1min;
  lane.add(lane.resolve());
  EXPECT_THAT(lane.drops(), ElementsAre(std::pair{1u, Why::pointless}));
  EXPECT_EQ(lane.attempt(), 2u);
  update.state = EntryState::in_flight;
  EXPECT_EQ(lane.attempt(), 0u) << "what is on its way is waited for";
  update.state = EntryState::dead;
  EXPECT_EQ(lane.attempt(), 2u) << "its refusal says nothing about the page";
}

TEST(Lanes, OnlyOneOfEachReplaceableKindWaits) {
  Lane lane;
  lane.drama.incident.channel.ready = true;
  lane.add(SetTopic{});
  lane.add(PutSummary{});
  lane.add(PinSummary{});
  lane.add(Post{"a"});
  lane.add(Post{"a"});
  lane.add(SetTopic{});
  lane.add(PutSummary{});
  EXPECT_THAT(lane.drops(),
              ElementsAre(std::pair{6u, Why::superseded}, std::pair{7u, Why::superseded}));
}

TEST(Lanes, WhatMayHaveArrivedWithAnOldTextDoesNotSupersede) {
  Lane lane;
  lane.drama.incident.channel.ready = true;
  auto& first = lane.add(PutSummary{});
  lane.add(PutSummary{});
  first.ambiguous = true;
  EXPECT_THAT(lane.drops(), IsEmpty());
  first.ambiguous = false;
  first.state = EntryState::in_flight;
  EXPECT_THAT(lane.drops(), IsEmpty());
  first.state = EntryState::dead;
  EXPECT_THAT(lane.drops(), IsEmpty());
}

TEST(Lanes, ARemindersMomentPasses) {
  Lane lane;
  lane.drama.incident.channel.ready = true;
  lane.add(PostReminder{});
  EXPECT_EQ(lane.attempt(), 1u);
  lane.drama.give(AlertRecovered{"nginx"});
  EXPECT_THAT(lane.drops(), ElementsAre(std::pair{1u, Why::pointless}));
}

TEST(Lanes, AThreadIsNotFurnishedAsAChannel) {
  Lane lane;
  lane.drama.incident.channel.ready = true;
  lane.drama.incident.channel.thread = "170.1";
  for (const auto& effect : std::initializer_list<Effect>{
           SetPurpose{}, SetTopic{}, PinSummary{}, AddBookmark{}, Invite{}, ArchiveChannel{}}) {
    lane.add(effect);
  }
  EXPECT_EQ(lane.drops().size(), 6u);
  lane.add(PutSummary{});
  lane.add(Post{"a"});
  EXPECT_EQ(lane.drops().size(), 6u);
  EXPECT_EQ(lane.attempt(), 7u);
}

TEST(Lanes, WithoutAChannelThereIsNothingToFurnish) {
  Lane lane;
  auto& create = lane.add(CreateChannel{});
  lane.add(SetTopic{});
  lane.add(Post{"a"});
  EXPECT_THAT(lane.drops(), IsEmpty());
  create.state = EntryState::dead;
  EXPECT_EQ(lane.drops().size(), 2u);
  lane.drama.settle(CreateChannel{}, Settled::Outcome::rejected, "restricted_action");
  EXPECT_EQ(lane.drops().size(), 2u);
}

TEST(Lanes, WhatIsBestEffortLetsTheOthersPassWhileItWaits) {
  Lane lane;
  lane.drama.incident.channel.ready = true;
  auto& invite = lane.add(Invite{{"@sre"}});
  invite.attempts = 1;
  invite.not_before = lane.drama.now.steady + 30s;
  lane.add(Post{"a"});
  EXPECT_EQ(lane.attempt(), 2u);
  Lane last;
  last.drama.incident.channel.ready = true;
  auto& pin = last.add(PinSummary{});
  pin.attempts = 1;
  pin.not_before = last.drama.now.steady + 30s;
  last.add(ArchiveChannel{});
  EXPECT_EQ(last.attempt(), 0u) << "nothing can be done in an archived channel";
  EXPECT_EQ(last.plan().wake_at, last.drama.now.steady + 30s);
}

TEST(Lanes, WhatWasOvertakenWaitsForWhatOvertookIt) {
  Lane lane;
  lane.drama.incident.channel.ready = true;
  auto& invite = lane.add(Invite{{"@sre"}});
  invite.attempts = 1;
  auto& post = lane.add(Post{"a"});
  post.state = EntryState::in_flight;
  EXPECT_EQ(lane.attempt(), 0u) << "one of a lane at a time";
  post.state = EntryState::dead;
  EXPECT_EQ(lane.attempt(), 1u);
}

TEST(Lanes, AHaltedReceiverIsTriedAgainInItsTime) {
  Lane lane;
  lane.add(lane.trigger());
  lane.halted = true;
  EXPECT_EQ(lane.attempt(), 0u);
  EXPECT_FALSE(lane.plan().wake_at);
  lane.halted_until = lane.drama.now.steady + 30s;
  EXPECT_EQ(lane.plan().wake_at, lane.halted_until);
  EXPECT_EQ(lane.attempt(), 0u);
  lane.drama.pass(30s);
  EXPECT_EQ(lane.attempt(), 1u);
}

TEST(Lanes, FirstPagesGoBeforeEverything) {
  const auto rank = [](Effect effect) {
    OutboxEntry entry;
    entry.effect = std::move(effect);
    return priority(entry);
  };
  const std::vector<Effect> in_order{TriggerPage{"s", "tocsin/a/b/c/id/g1", false},
                                     TriggerPage{"s", "tocsin/a/b/c/id/g1/r1", false},
                                     ResolvePage{},
                                     CreateChannel{},
                                     PutSummary{},
                                     Post{}};
  for (std::size_t i = 1; i < in_order.size(); ++i) {
    EXPECT_LT(rank(in_order[i - 1]), rank(in_order[i])) << i;
  }
  EXPECT_EQ(rank(AcknowledgePage{}), rank(ResolvePage{}));
  EXPECT_EQ(rank(TriggerPage{"s", "x/g12/e1", true}), rank(TriggerPage{"s", "x/g1/r1", false}));
}

TEST(Backoff, DoublesUpToItsBoundWithFullJitter) {
  struct Case {
    int attempts;
    Duration most;
  };
  for (const auto& [attempts, most] : std::initializer_list<Case>{
           {1, 1s}, {2, 2s}, {5, 16s}, {9, 256s}, {10, 5min}, {1'000'000, 5min}, {0, 1s}}) {
    EXPECT_EQ(backoff(attempts, 0.0, {}), 0s);
    EXPECT_EQ(backoff(attempts, 0.5, {}), most / 2);
    EXPECT_LE(backoff(attempts, 0.999, {}), most);
    EXPECT_GT(backoff(attempts, 0.999, {}), most * 99 / 100);
  }
  EXPECT_EQ(backoff(1, 0.5, 30s), 30s);
  EXPECT_EQ(backoff(10, 0.5, 30s), 150s);
}

TEST(Backoff, HaltsAreRetriedEverMoreRarely) {
  EXPECT_EQ(halt_pause(1), 30s);
  EXPECT_EQ(halt_pause(2), 1min);
  EXPECT_EQ(halt_pause(5), 8min);
  EXPECT_EQ(halt_pause(6), 10min);
  EXPECT_EQ(halt_pause(1'000'000), 10min);
}

}  // namespace
}  // namespace tocsin::policy
