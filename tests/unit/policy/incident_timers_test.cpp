#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/policy/drama.hpp"

namespace tocsin::policy {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Outcome = Settled::Outcome;

TEST(IncidentTimers, RemindsEveryTenMinutesInItsRhythm) {
  Drama drama;
  drama.rules.escalation.clear();
  drama.open();
  const auto opened = drama.now.steady;
  drama.tick_after(599s);
  EXPECT_EQ(drama.kinds(), "");
  drama.tick_after(3s);
  EXPECT_EQ(drama.kinds(), "reminder");
  EXPECT_EQ(drama.effects(), "post_reminder");
  EXPECT_THAT(drama.lines(), HasSubstr("10m"));
  EXPECT_EQ(next_due(drama.incident), opened + 20min) << "a late tick does not shift the rhythm";
  drama.tick_after(65min);
  EXPECT_EQ(drama.kinds(), "reminder") << "missed reminders are said once";
  EXPECT_EQ(next_due(drama.incident), opened + 80min);
}

TEST(IncidentTimers, NoRemindersWhenSwitchedOffOrOver) {
  Drama drama;
  drama.rules.escalation.clear();
  drama.rules.remind_every = 0s;
  drama.open();
  EXPECT_FALSE(next_due(drama.incident));
  drama.rules.remind_every = 10min;
  drama.open();
  drama.recover_and_resolve();
  drama.tick_after(1h);
  EXPECT_EQ(drama.kinds(), "");
}

TEST(IncidentTimers, EscalatesStepByStep) {
  Drama drama;
  drama.rules.remind_every = 0s;
  drama.open();
  drama.tick_after(15min);
  EXPECT_EQ(drama.kinds(), "escalated");
  EXPECT_EQ(drama.all<TriggerPage>().at(0),
            (TriggerPage{"managers", dedup_key(drama.incident, "/e1"), true}));
  EXPECT_THAT(drama.posts(), HasSubstr("Escalation step 1, 15m without an acknowledgement: calling "
                                       "PagerDuty service managers."));
  drama.tick_after(14min);
  EXPECT_EQ(drama.kinds(), "");
  drama.tick_after(1min);
  EXPECT_EQ(drama.effects(), "post invite");
  EXPECT_THAT(drama.all<Invite>().at(0).who, ElementsAre("@cto"));
  EXPECT_FALSE(next_due(drama.incident));
  EXPECT_EQ(drama.incident.pages.size(), 2u);
  drama.recover_and_resolve();
  EXPECT_EQ(drama.all<ResolvePage>().size(), 2u);
}

TEST(IncidentTimers, AnEmptyStepFallsToTheOwner) {
  Drama drama;
  drama.rules.escalation = {{5min, "", {}}};
  drama.open();
  drama.tick_after(5min);
  EXPECT_THAT(drama.all<Invite>().at(0).who, ElementsAre("@sre"));
  auto news = Drama::news();
  news.owners = {};
  drama.open(news);
  drama.tick_after(5min);
  EXPECT_TRUE(drama.all<Invite>().empty());
  EXPECT_THAT(drama.lines(), HasSubstr("names nobody and the incident has no owner"));
}

TEST(IncidentTimers, NothingEscalatesWhileMitigated) {
  Drama drama;
  drama.rules.recover_hold = 1h;
  drama.open();
  drama.give(AlertRecovered{"nginx"});
  drama.tick_after(20min);
  EXPECT_EQ(drama.kinds(), "");
  drama.give(AlertFired{Drama::news()});
  drama.give(Tick{});
  EXPECT_THAT(drama.kinds(), HasSubstr("escalated")) << "the time counts from the opening";
}

TEST(IncidentTimers, TheAuditorSeesAStepThatIsOverdue) {
  Drama drama;
  drama.open();
  drama.pass(19min);
  EXPECT_FALSE(overdue(drama.incident, drama.now));
  drama.pass(1min);
  EXPECT_THAT(overdue(drama.incident, drama.now).value_or(""), HasSubstr("step 1"));
  drama.give(Acknowledge{"jane", "cli"});
  EXPECT_FALSE(overdue(drama.incident, drama.now));
}

TEST(IncidentTimers, WallJumpsMoveNoTimer) {
  Drama drama;
  drama.open();
  drama.now.wall += 48h;
  drama.give(Tick{});
  EXPECT_EQ(drama.kinds(), "");
  drama.now.wall -= 96h;
  drama.tick_after(10min);
  EXPECT_EQ(drama.kinds(), "reminder");
}

TEST(IncidentSettled, TheChannelTellsItsRealName) {
  Drama drama;
  drama.open();
  Settled settled;
  settled.effect = CreateChannel{};
  settled.channel_id = "C012";
  settled.channel_name = "issue-nginx-2211-2";
  settled.channel_url = "https://example.slack.com/archives/C012";
  settled.notes = {"the name was taken"};
  drama.give(settled);
  EXPECT_EQ(drama.incident.channel, (Channel{.receiver = "slack",
                                             .name = "issue-nginx-2211-2",
                                             .id = "C012",
                                             .url = "https://example.slack.com/archives/C012",
                                             .ready = true}));
  EXPECT_EQ(drama.effects(), "");
  EXPECT_EQ(drama.kinds(), "channel delivery");
  settled = {};
  settled.effect = PutSummary{};
  settled.message = "170.1";
  drama.give(settled);
  EXPECT_EQ(drama.incident.channel.summary_message, "170.1");
}

TEST(IncidentSettled, ARefusedChannelFallsBackToTheLocalRoom) {
  Drama drama;
  drama.open();
  drama.settle(CreateChannel{}, Outcome::rejected, "restricted_action");
  EXPECT_EQ(drama.incident.channel.receiver, "local");
  EXPECT_TRUE(drama.incident.channel.ready);
  EXPECT_THAT(drama.lines(), HasSubstr("restricted_action"));
  drama.give(Say{"hello", "jane"});
  EXPECT_EQ(drama.effects(), "");
  Settled revived;
  revived.effect = CreateChannel{};
  revived.channel_id = "C1";
  drama.give(revived);
  EXPECT_EQ(drama.incident.channel.receiver, "slack");
  EXPECT_EQ(drama.effects(), "set_purpose set_topic put_summary pin_summary add_bookmark invite");
}

TEST(IncidentSettled, PagesFollowWhatPagerDutySaid) {
  Drama drama;
  drama.open();
  const auto key = drama.incident.pages.at(0).key;
  const auto state = [&] { return drama.incident.pages.at(0).state; };
  drama.settle(TriggerPage{"sre", key, false});
  EXPECT_EQ(state(), PageState::triggered);
  EXPECT_EQ(drama.lines(), "Paged sre.\n");
  drama.settle(AcknowledgePage{"sre", key});
  EXPECT_EQ(state(), PageState::acknowledged);
  drama.settle(ResolvePage{"sre", key});
  EXPECT_EQ(state(), PageState::resolved);
  EXPECT_EQ(drama.kinds(), "paged");
}

TEST(IncidentSettled, TheLinkFollowsAPageThatWentWithoutIt) {
  Drama drama;
  drama.open();
  const auto page = drama.all<TriggerPage>().at(0);
  drama.give(Settled{.effect = page, .routing_key_digest = "abc"});
  EXPECT_THAT(drama.all<UpdatePage>(), ::testing::IsEmpty()) << "there is no channel yet";
  EXPECT_EQ(drama.incident.pages.at(0).routing_key_digest, "abc");
  const Settled created{
      .effect = CreateChannel{}, .channel_id = "C1", .channel_url = "https://slack.test/C1"};
  drama.give(created);
  const auto updates = drama.all<UpdatePage>();
  ASSERT_EQ(updates.size(), 1u);
  EXPECT_EQ(updates.at(0).key, page.key);
  drama.settle(updates.at(0), Settled::Outcome::rejected, "no");
  EXPECT_EQ(drama.incident.pages.at(0).state, PageState::triggered);
  EXPECT_FALSE(drama.incident.pages.at(0).has_channel);
  drama.settle(updates.at(0));
  EXPECT_TRUE(drama.incident.pages.at(0).has_channel);
  EXPECT_EQ(drama.incident.pages.at(0).routing_key_digest, "abc");
}

TEST(IncidentSettled, TheLinkFollowsThoughTheChannelCameWhileThePageWasOnItsWay) {
  Drama drama;
  drama.open();
  const auto page = drama.all<TriggerPage>().at(0);
  drama.give(Settled{.effect = CreateChannel{}, .channel_id = "C1"});
  EXPECT_THAT(drama.all<UpdatePage>(), ::testing::IsEmpty());
  drama.give(Settled{.effect = page, .had_channel = false});
  EXPECT_EQ(drama.all<UpdatePage>().size(), 1u);
}

TEST(IncidentSettled, APageThatHadTheLinkIsNotToldAgain) {
  Drama drama;
  drama.open();
  const auto page = drama.all<TriggerPage>().at(0);
  drama.give(Settled{.effect = CreateChannel{}, .channel_id = "C1"});
  drama.give(Settled{.effect = page, .had_channel = true});
  EXPECT_THAT(drama.all<UpdatePage>(), ::testing::IsEmpty());
}

TEST(IncidentSettled, ARefusedPageIsSaidAloudAndNeverResolved) {
  Drama drama;
  drama.open();
  const auto key = drama.incident.pages.at(0).key;
  drama.settle(TriggerPage{"sre", key, false}, Outcome::rejected, "invalid routing key");
  EXPECT_EQ(drama.incident.pages.at(0).state, PageState::rejected);
  EXPECT_THAT(drama.posts(), HasSubstr("Nobody was paged at sre"));
  EXPECT_THAT(drama.posts(), HasSubstr("invalid routing key"));
  drama.recover_and_resolve();
  EXPECT_TRUE(drama.all<ResolvePage>().empty());
  drama.settle(TriggerPage{"sre", key, false});
  EXPECT_EQ(drama.all<ResolvePage>().size(), 1u) << "revived and accepted too late";
}

TEST(IncidentSettled, ASuppressedPageIsToldToTheChannel) {
  Drama drama;
  drama.open();
  const auto key = drama.incident.pages.at(0).key;
  drama.recover_and_resolve();
  drama.settle(TriggerPage{"sre", key, false}, Outcome::suppressed);
  EXPECT_EQ(drama.incident.pages.at(0).state, PageState::suppressed);
  EXPECT_THAT(drama.posts(), HasSubstr("nobody was paged there"));
  drama.settle(ResolvePage{"sre", key}, Outcome::suppressed);
  EXPECT_EQ(drama.kinds() + drama.effects(), "");
}

TEST(IncidentSettled, ASkippedEscalationIsNotResolvedLater) {
  Drama drama;
  drama.open();
  drama.tick_after(15min);
  const auto page = drama.all<TriggerPage>().at(0);
  drama.give(Acknowledge{"jane", "cli"});
  drama.settle(page, Outcome::skipped);
  drama.recover_and_resolve();
  EXPECT_EQ(drama.all<ResolvePage>().size(), 1u);
}

TEST(IncidentSettled, PagesOfAnEarlierGenerationAreOnlyWrittenDown) {
  Drama drama;
  drama.open();
  const auto key = drama.incident.pages.at(0).key;
  drama.recover_and_resolve();
  drama.give(AlertFired{Drama::news()});
  const auto pages = drama.incident.pages;
  drama.settle(ResolvePage{"sre", key});
  EXPECT_EQ(drama.incident.pages, pages);
  EXPECT_EQ(drama.kinds(), "paged");
}

TEST(IncidentSettled, WhatIsBestEffortIsWrittenDownOnly) {
  Drama drama;
  drama.open();
  for (const auto& effect : std::initializer_list<Effect>{PinSummary{}, AddBookmark{}, Invite{},
                                                          SetTopic{}, SetPurpose{}, Post{}}) {
    drama.settle(effect, Outcome::rejected, "not_allowed");
    EXPECT_EQ(drama.kinds(), "delivery");
    EXPECT_EQ(drama.effects(), "");
    drama.settle(effect);
    EXPECT_EQ(drama.kinds(), "");
  }
  drama.settle(ArchiveChannel{}, Outcome::rejected, "restricted_action");
  EXPECT_THAT(drama.lines(), HasSubstr("archive it by hand"));
  drama.settle(TriggerPage{"sre", "k", false}, Outcome::halted, "401");
  EXPECT_THAT(drama.posts(), HasSubstr("Nobody is paged at sre yet"));
}

}  // namespace
}  // namespace tocsin::policy
