#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/policy/drama.hpp"
#include "tocsin/base/limits.hpp"

namespace tocsin::policy {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(IncidentAlerts, OneMoreOfTheSameKindJoinsWithoutAPage) {
  Drama drama;
  drama.open();
  drama.pass(20min);
  drama.give(AlertFired{Drama::news("nginx-2")});
  EXPECT_EQ(drama.kinds(), "joined");
  EXPECT_EQ(drama.effects(), "post set_topic put_summary");
  EXPECT_EQ(drama.incident.members.size(), 2u);
  EXPECT_THAT(drama.incident.title, HasSubstr("(and 1 more)"));
}

TEST(IncidentAlerts, NewsOfAKnownAlertIsQuiet) {
  Drama drama;
  drama.open();
  auto news = Drama::news();
  news.why = "still bad";
  drama.give(AlertFired{news});
  EXPECT_EQ(drama.effects(), "");
  EXPECT_EQ(drama.kinds(), "");
  EXPECT_EQ(drama.incident.members.at(0).why, "still bad");
}

TEST(IncidentAlerts, RecoveryMitigatesAndThenResolves) {
  Drama drama;
  drama.open();
  drama.give(AlertFired{Drama::news("nginx-2")});
  drama.give(AlertRecovered{"nginx"});
  EXPECT_EQ(drama.incident.state, IncidentState::open);
  EXPECT_EQ(drama.kinds(), "recovered");
  drama.give(AlertRecovered{"nginx-2"});
  EXPECT_EQ(drama.incident.state, IncidentState::mitigated);
  EXPECT_EQ(drama.kinds(), "recovered mitigated");
  EXPECT_EQ(drama.incident.severity, Severity::critical) << "it stays as bad as it was";
  EXPECT_EQ(next_due(drama.incident), drama.now.steady + 2min);
  drama.tick_after(119s);
  EXPECT_EQ(drama.incident.state, IncidentState::mitigated);
  drama.tick_after(1s);
  EXPECT_EQ(drama.incident.state, IncidentState::resolved);
  EXPECT_EQ(drama.effects(), "resolve_page post set_topic put_summary");
  EXPECT_THAT(drama.posts(), HasSubstr("tocsin incident close 01jd3k7m-x7q2p --root-cause"));
  EXPECT_THAT(drama.posts(), HasSubstr("--waive"));
  EXPECT_EQ(drama.all<ResolvePage>().at(0).key, drama.incident.pages.at(0).key);
  EXPECT_FALSE(next_due(drama.incident));
}

TEST(IncidentAlerts, ARefireWhileMitigatedGoesBackWithoutAPage) {
  for (const bool acknowledged : {false, true}) {
    Drama drama;
    drama.open();
    if (acknowledged) drama.give(Acknowledge{"jane", "cli"});
    const auto before = drama.incident.state;
    drama.give(AlertRecovered{"nginx"});
    drama.pass(1min);
    drama.give(AlertFired{Drama::news()});
    EXPECT_EQ(drama.incident.state, before);
    EXPECT_EQ(drama.kinds(), "refired");
    EXPECT_TRUE(drama.all<TriggerPage>().empty());
    EXPECT_FALSE(drama.incident.resolve_at);
    EXPECT_FALSE(drama.incident.mitigated_at);
    drama.tick_after(1min);
    EXPECT_EQ(drama.incident.state, before);
  }
}

TEST(IncidentAlerts, ARefireAfterResolvingReopensWithANewKey) {
  Drama drama;
  drama.open();
  drama.give(Acknowledge{"jane", "cli"});
  drama.recover_and_resolve();
  drama.pass(30min);
  drama.give(AlertFired{Drama::news()});
  EXPECT_EQ(drama.incident.state, IncidentState::open);
  EXPECT_EQ(drama.incident.generation, 2);
  EXPECT_EQ(drama.effects(), "post set_topic put_summary trigger_page");
  EXPECT_TRUE(drama.all<TriggerPage>().at(0).key.ends_with("/g2"));
  EXPECT_THAT(drama.incident.pages,
              ElementsAre(Page{"sre", dedup_key(drama.incident), PageState::queued}));
  EXPECT_EQ(drama.incident.recent_count, 1);
  EXPECT_TRUE(drama.incident.acknowledged_by.empty());
  EXPECT_FALSE(drama.incident.resolved_at);
  EXPECT_EQ(drama.incident.summary[SummaryField::working_on_it].value, "");
  drama.tick_after(15min);
  EXPECT_THAT(drama.kinds(), HasSubstr("escalated")) << "the chain begins anew";
}

TEST(IncidentAlerts, ARefireLongAfterStillReopensWhatIsUnclosed) {
  Drama drama;
  drama.open();
  drama.recover_and_resolve();
  drama.pass(3h);
  drama.give(AlertFired{Drama::news()});
  EXPECT_EQ(drama.incident.state, IncidentState::open);
  EXPECT_EQ(drama.incident.recent_count, 2);
  EXPECT_THAT(drama.lines(), HasSubstr("root cause and fix are owed"));
}

TEST(IncidentAlerts, ClosedIncidentsTakeNoMoreAlerts) {
  Drama drama;
  drama.open();
  drama.recover_and_resolve();
  drama.give(Close{"jane", "cause", "fix", "", {}});
  const auto before = drama.incident;
  EXPECT_THAT(drama.give(AlertFired{Drama::news()}).refusal.value_or(""),
              HasSubstr("new incident"));
  EXPECT_EQ(drama.incident, before);
}

TEST(IncidentAlerts, WorseSeverityPagesAgainUnderItsOwnKey) {
  Drama drama;
  drama.open(Drama::news("nginx", Severity::warning));
  drama.pass(20min);
  drama.give(AlertSeverityChanged{Drama::news("nginx", Severity::critical)});
  EXPECT_EQ(drama.kinds(), "severity paged");
  EXPECT_TRUE(drama.all<TriggerPage>().at(0).key.ends_with("/g1/r1"));
  EXPECT_EQ(drama.incident.severity_paged, Severity::critical);
  drama.pass(20min);
  drama.give(AlertSeverityChanged{Drama::news("nginx", Severity::warning)});
  EXPECT_TRUE(drama.all<TriggerPage>().empty()) << "better is no reason to page";
  EXPECT_EQ(drama.incident.severity, Severity::warning);
  drama.give(AlertSeverityChanged{Drama::news("nginx", Severity::critical)});
  EXPECT_TRUE(drama.all<TriggerPage>().empty()) << "that bad was paged for already";
}

TEST(IncidentAlerts, PagesAgainAtMostOnceInAQuarterOfAnHour) {
  Drama drama;
  drama.open(Drama::news("nginx", Severity::warning));
  drama.pass(14min);
  drama.give(AlertSeverityChanged{Drama::news("nginx", Severity::critical)});
  EXPECT_TRUE(drama.all<TriggerPage>().empty());
  EXPECT_THAT(drama.lines(), HasSubstr("Not paged again"));
  EXPECT_EQ(drama.incident.severity_paged, Severity::warning) << "remembered as not paged for";
  drama.pass(1min);
  drama.give(AlertFired{Drama::news("nginx-2", Severity::critical)});
  EXPECT_EQ(drama.all<TriggerPage>().size(), 1u);
}

TEST(IncidentAlerts, AnotherKindOfCheckPagesAgain) {
  Drama drama;
  drama.open();
  drama.pass(20min);
  drama.give(AlertFired{Drama::news("port", Severity::warning, "tcp")});
  EXPECT_EQ(drama.all<TriggerPage>().size(), 1u);
  EXPECT_THAT(drama.lines(), HasSubstr("another kind of check joined (tcp)"));
}

TEST(IncidentAlerts, ManyMoreMembersPageAgain) {
  Drama drama;
  drama.open();
  drama.pass(20min);
  std::vector<int> paged_at;
  for (int i = 2; i <= 25; ++i) {
    drama.give(AlertFired{Drama::news("n" + std::to_string(i))});
    if (!drama.all<TriggerPage>().empty()) paged_at.push_back(i);
  }
  EXPECT_THAT(paged_at, ElementsAre(11)) << "ten more than the one that was paged for";
  drama.pass(20min);
  drama.give(AlertFired{Drama::news("n26")});
  EXPECT_EQ(drama.all<TriggerPage>().size(), 1u) << "26 is twice 11 and more than ten more";
}

TEST(IncidentAlerts, MembersAreBounded) {
  Drama drama;
  drama.open();
  for (std::size_t i = 0; i < limits::members_per_incident + 20; ++i) {
    drama.give(AlertFired{Drama::news("n" + std::to_string(i))});
  }
  EXPECT_EQ(drama.incident.members.size(), limits::members_per_incident);
  EXPECT_THAT(drama.lines(), HasSubstr("not listed"));
  drama.give(AlertRecovered{"n0"});
  drama.give(AlertFired{Drama::news("late")});
  EXPECT_EQ(drama.incident.members.back().check, "late");
  EXPECT_EQ(drama.incident.members.size(), limits::members_per_incident);
}

TEST(IncidentAlerts, ARemovedCheckResolvesWithThatReason) {
  Drama drama;
  drama.open();
  drama.give(AlertFired{Drama::news("nginx-2")});
  drama.give(CheckRemoved{"nginx"});
  EXPECT_EQ(drama.incident.state, IncidentState::open);
  drama.give(CheckRemoved{"nginx-2"});
  EXPECT_EQ(drama.incident.state, IncidentState::resolved);
  EXPECT_THAT(drama.incident.resolved_why, HasSubstr("nginx-2 was removed from the configuration"));
  EXPECT_EQ(drama.all<ResolvePage>().size(), 1u);
  EXPECT_EQ(drama.give(CheckRemoved{"nginx-2"}).timeline.size(), 0u);
}

TEST(IncidentAlerts, StrangersChangeNothing) {
  Drama drama;
  drama.open();
  const auto before = drama.incident;
  drama.give(AlertRecovered{"stranger"});
  EXPECT_EQ(drama.incident, before);
  drama.give(CheckRemoved{"stranger"});
  EXPECT_EQ(drama.incident, before);
  drama.give(FlappingChanged{"stranger", true});
  EXPECT_EQ(drama.incident, before);
}

TEST(IncidentAlerts, FlappingIsToldOnceInAndOnceOut) {
  Drama drama;
  drama.open();
  drama.give(FlappingChanged{"nginx", true});
  EXPECT_EQ(drama.kinds(), "flapping");
  EXPECT_THAT(drama.posts(), HasSubstr("is flapping"));
  auto news = Drama::news();
  news.flapping = true;
  for (int i = 0; i < 5; ++i) {
    drama.pass(1min);
    drama.give(AlertRecovered{"nginx"});
    EXPECT_EQ(drama.incident.state, IncidentState::mitigated) << "the truth is kept";
    EXPECT_EQ(drama.effects(), "");
    EXPECT_EQ(drama.kinds(), "recovered mitigated");
    drama.pass(1min);
    drama.give(AlertFired{news});
    EXPECT_EQ(drama.incident.state, IncidentState::open);
    EXPECT_EQ(drama.effects(), "");
    EXPECT_EQ(drama.kinds(), "refired");
  }
  drama.give(AlertRecovered{"nginx"});
  drama.tick_after(10min);
  EXPECT_EQ(drama.incident.state, IncidentState::mitigated) << "peace is not believed so soon";
  drama.give(FlappingChanged{"nginx", false});
  EXPECT_THAT(drama.posts(), HasSubstr("stopped flapping and is ok"));
  drama.tick_after(2min);
  EXPECT_EQ(drama.incident.state, IncidentState::resolved);
}

TEST(IncidentAlerts, AFlappingIncidentResolvesInTheEnd) {
  Drama drama;
  drama.open();
  drama.give(FlappingChanged{"nginx", true});
  drama.give(AlertRecovered{"nginx"});
  drama.tick_after(30min);
  EXPECT_EQ(drama.incident.state, IncidentState::resolved);
  EXPECT_THAT(drama.effects(), HasSubstr("resolve_page post"));
}

TEST(IncidentAlerts, AnAlertThatFiredOnAfterAResolutionByHandDoesNotReopenUnlessItGetsWorse) {
  Drama drama;
  drama.open(Drama::news("nginx", Severity::warning));
  drama.give(ResolveByHand{"jane", "known, harmless"});
  drama.give(AlertFired{Drama::news("nginx", Severity::warning)});
  EXPECT_EQ(drama.incident.state, IncidentState::resolved);
  drama.give(AlertSeverityChanged{Drama::news("nginx", Severity::critical)});
  EXPECT_EQ(drama.incident.state, IncidentState::open);
  EXPECT_EQ(drama.incident.generation, 2);
}

}  // namespace
}  // namespace tocsin::policy
