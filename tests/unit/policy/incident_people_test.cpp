#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/policy/drama.hpp"

namespace tocsin::policy {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using F = SummaryField;

TEST(IncidentPeople, AcknowledgingStopsEscalationAndTellsPagerDuty) {
  Drama drama;
  drama.open();
  drama.pass(5min);
  drama.give(Acknowledge{"jane", "cli"});
  EXPECT_EQ(drama.incident.state, IncidentState::acknowledged);
  EXPECT_EQ(drama.effects(), "acknowledge_page post set_topic put_summary");
  EXPECT_THAT(drama.posts(), HasSubstr("jane is on it (cli)"));
  EXPECT_EQ(drama.incident.summary[F::working_on_it].value, "jane");
  EXPECT_EQ(drama.incident.acknowledged_at, drama.now.wall);
  EXPECT_EQ(next_due(drama.incident), drama.now.steady + 30min);
  drama.tick_after(40min);
  EXPECT_EQ(drama.kinds(), "reminder") << "no escalation while somebody is on it";
}

TEST(IncidentPeople, AcknowledgingAgainIsAnUpdate) {
  Drama drama;
  drama.open();
  drama.give(Acknowledge{"jane", "cli"});
  drama.pass(50min);
  drama.give(Acknowledge{"jane", "slack"});
  EXPECT_EQ(drama.effects(), "");
  EXPECT_EQ(drama.incident.ack_expires_at, drama.now.steady + 1h);
  drama.give(Acknowledge{"joe", "cli"});
  EXPECT_EQ(drama.effects(), "post set_topic put_summary");
  EXPECT_EQ(drama.incident.acknowledged_by, "joe");
}

TEST(IncidentPeople, PagerDutysEchoOfOurAcknowledgementIsNone) {
  Drama drama;
  drama.open();
  drama.give(Acknowledge{"jane", "cli"});
  const auto before = drama.incident;
  drama.pass(1min);
  drama.give(Acknowledge{"jane", "pagerduty"});
  EXPECT_EQ(drama.incident, before);
  EXPECT_EQ(drama.kinds() + drama.effects(), "");
}

TEST(IncidentPeople, AnAcknowledgementWithoutAnUpdateExpires) {
  Drama drama;
  drama.open();
  drama.give(Acknowledge{"jane", "cli"});
  drama.tick_after(59min);
  EXPECT_EQ(drama.incident.state, IncidentState::acknowledged);
  drama.tick_after(1min);
  EXPECT_EQ(drama.incident.state, IncidentState::open);
  EXPECT_THAT(drama.kinds(), HasSubstr("acknowledgement_expired paged escalated escalated"));
  EXPECT_THAT(drama.posts(), HasSubstr("The acknowledgement by jane expired"));
  const auto pages = drama.all<TriggerPage>();
  ASSERT_EQ(pages.size(), 2u);
  EXPECT_TRUE(pages[0].key.ends_with("/r1")) << "PagerDuty is silent while acknowledged";
  EXPECT_TRUE(pages[1].key.ends_with("/e1"));
}

TEST(IncidentPeople, UpdatesKeepAnAcknowledgementAlive) {
  for (const auto& update : std::initializer_list<Input>{
           Input{SetField{F::current_step, "restarting", "jane"}}, Input{Say{"looking", "jane"}},
           Input{Acknowledge{"jane", "cli"}}}) {
    Drama drama;
    drama.open();
    drama.give(Acknowledge{"jane", "cli"});
    drama.pass(50min);
    drama.give(update);
    drama.tick_after(20min);
    EXPECT_EQ(drama.incident.state, IncidentState::acknowledged) << update.index();
    drama.tick_after(40min);
    EXPECT_EQ(drama.incident.state, IncidentState::open) << update.index();
  }
}

TEST(IncidentPeople, AcknowledgingWhileMitigatedIsRecorded) {
  Drama drama;
  drama.open();
  drama.give(AlertRecovered{"nginx"});
  drama.give(Acknowledge{"jane", "cli"});
  EXPECT_EQ(drama.incident.state, IncidentState::mitigated);
  drama.give(AlertFired{Drama::news()});
  EXPECT_EQ(drama.incident.state, IncidentState::acknowledged);
}

TEST(IncidentPeople, AnyoneMaySetAFieldAndNobodyOverwritesIt) {
  Drama drama;
  drama.open();
  drama.give(SetField{F::probable_cause, "  bad deploy\n", "jane"});
  EXPECT_EQ(drama.effects(), "put_summary");
  EXPECT_EQ(drama.kinds(), "field_set");
  EXPECT_EQ(drama.lines(), "Probable cause: bad deploy\n");
  EXPECT_EQ(drama.last.timeline.at(0).by, "jane");
  auto news = Drama::news("other");
  news.evidence.probable_cause = "the disk";
  drama.give(AlertFired{news});
  EXPECT_EQ(drama.incident.summary[F::probable_cause], (SummaryValue{"bad deploy", "jane"}));
  drama.give(SetField{F::probable_cause, "unknown", "jane"});
  EXPECT_EQ(drama.incident.summary[F::probable_cause], (SummaryValue{"the disk", ""}))
      << "an emptied field is filled again";
}

TEST(IncidentPeople, SettingAFieldPutsTheReminderOff) {
  Drama drama;
  drama.open();
  drama.pass(9min);
  drama.give(SetField{F::next_step, "fail over", "jane"});
  drama.tick_after(1min);
  EXPECT_EQ(drama.kinds(), "");
  drama.tick_after(9min);
  EXPECT_EQ(drama.kinds(), "escalated reminder");
}

TEST(IncidentPeople, TheTypeIsOneOfFour) {
  Drama drama;
  drama.open();
  struct Case {
    const char* said;
    const char* kept;
  };
  for (const auto& [said, kept] :
       std::initializer_list<Case>{{"self", "Self (Engineering)"},
                                   {"SELF (engineering)", "Self (Engineering)"},
                                   {"unknown", "Unknown"},
                                   {"scale", "Scale"},
                                   {"Vendor", "Vendor"}}) {
    drama.give(SetField{F::type, said, "jane"});
    EXPECT_EQ(drama.incident.summary[F::type].value, kept);
  }
  EXPECT_THAT(drama.give(SetField{F::type, "cosmic rays", "jane"}).refusal.value_or(""),
              HasSubstr("one of Self (Engineering), Unknown, Scale, Vendor"));
  EXPECT_EQ(drama.incident.summary[F::type].value, "Vendor");
}

TEST(IncidentPeople, SayingGoesToTheChannel) {
  Drama drama;
  drama.open();
  drama.give(Say{" restarted it ", "jane"});
  EXPECT_EQ(drama.kinds(), "message");
  EXPECT_EQ(drama.posts(), "jane: restarted it\n");
  EXPECT_THAT(drama.give(Say{" \n", "jane"}).refusal.value_or(""), HasSubstr("nothing to say"));
  EXPECT_LE(drama.give(Say{std::string(10'000, 'x'), "jane"}).timeline.at(0).text.size(), 4000u);
}

TEST(IncidentPeople, ResolvingByHandWhileAlertsFireNeedsAReason) {
  Drama drama;
  drama.open();
  drama.give(AlertFired{Drama::news("php")});
  const auto refusal = drama.give(ResolveByHand{"jane", " "}).refusal.value_or("");
  EXPECT_THAT(refusal, HasSubstr("2 alerts firing (nginx and php)"));
  EXPECT_THAT(refusal, HasSubstr("tocsin incident resolve 01jd3k7m-x7q2p --why"));
  EXPECT_EQ(drama.incident.state, IncidentState::open);
  EXPECT_EQ(drama.effects(), "");
  drama.give(ResolveByHand{"jane", "false alarm"});
  EXPECT_EQ(drama.incident.state, IncidentState::resolved);
  EXPECT_EQ(drama.incident.resolved_why, "false alarm");
  EXPECT_THAT(drama.effects(), HasSubstr("resolve_page"));
}

TEST(IncidentPeople, WhatOutlastsItsResolutionByHandIsReopened) {
  Drama drama;
  drama.open();
  drama.give(ResolveByHand{"jane", "it is fine"});
  EXPECT_EQ(next_due(drama.incident), drama.now.steady + drama.rules.reopen_window);
  drama.tick_after(drama.rules.reopen_window);
  EXPECT_EQ(drama.incident.state, IncidentState::open);
  EXPECT_EQ(drama.incident.generation, 2);
  EXPECT_NE(drama.effects().find("trigger_page"), std::string::npos);
}

TEST(IncidentPeople, WhatRecoveredAfterItsResolutionByHandStaysResolved) {
  Drama drama;
  drama.open();
  drama.give(ResolveByHand{"jane", "it is fine"});
  drama.give(AlertRecovered{"nginx"});
  EXPECT_EQ(next_due(drama.incident), std::nullopt);
  drama.tick_after(drama.rules.reopen_window);
  EXPECT_EQ(drama.incident.state, IncidentState::resolved);
}

TEST(IncidentPeople, ResolvingByHandOnceRecoveredNeedsNone) {
  Drama drama;
  drama.open();
  drama.give(AlertRecovered{"nginx"});
  EXPECT_FALSE(drama.give(ResolveByHand{"jane", ""}).refusal);
  EXPECT_EQ(drama.incident.state, IncidentState::resolved);
}

TEST(IncidentPeople, WhatAPersonOpenedAPersonResolves) {
  Drama drama;
  auto news = Drama::news("nginx", Severity::critical, std::string{by_hand_type});
  drama.open(news);
  EXPECT_FALSE(drama.give(ResolveByHand{"jane", ""}).refusal);
  EXPECT_EQ(drama.incident.state, IncidentState::resolved);
}

struct Refused {
  const char* what;
  Close close;
  const char* says;
};

TEST(IncidentPeople, ClosingNeedsRootCauseAndFixOrAWaiver) {
  const Refused cases[] = {
      {"nothing", {}, "its root cause and its fix"},
      {"no fix", {.by = "jane", .root_cause = "x", .fix = " "}, "without its fix"},
      {"no cause", {.by = "jane", .fix = "x"}, "without its root cause"},
      {"nobody waives", {.waive_why = "vendor"}, "A waiver needs a name"},
      {"negative", {.by = "j", .root_cause = "x", .fix = "y", .archive_after = -1s}, "between 0s"},
  };
  for (const auto& c : cases) {
    Drama drama;
    drama.open();
    drama.recover_and_resolve();
    const auto refusal = drama.give(c.close).refusal.value_or("accepted");
    EXPECT_THAT(refusal, HasSubstr(c.says)) << c.what;
    EXPECT_EQ(drama.incident.state, IncidentState::resolved) << c.what;
    EXPECT_EQ(drama.effects() + drama.kinds(), "") << c.what;
  }
}

TEST(IncidentPeople, OnlyWhatIsResolvedCanBeClosed) {
  Drama drama;
  drama.open();
  const Close close{"jane", "cause", "fix", "", {}};
  EXPECT_THAT(drama.give(close).refusal.value_or(""), HasSubstr("has to be resolved before"));
  drama.give(AlertRecovered{"nginx"});
  EXPECT_THAT(drama.give(close).refusal.value_or(""), HasSubstr("is mitigated"));
  drama.tick_after(2min);
  EXPECT_FALSE(drama.give(close).refusal);
  EXPECT_THAT(drama.give(close).refusal.value_or(""), HasSubstr("is closed already"));
}

TEST(IncidentPeople, ClosingGivesNoticeAndThenArchives) {
  Drama drama;
  drama.open();
  drama.recover_and_resolve();
  drama.give(Close{"jane", "OOM", "more memory", "", {}});
  EXPECT_EQ(drama.incident.state, IncidentState::closed);
  EXPECT_EQ(drama.effects(), "post set_topic put_summary");
  EXPECT_THAT(drama.posts(), HasSubstr("Root cause: OOM Fix: more memory"));
  EXPECT_THAT(drama.posts(), HasSubstr("archived in 1d"));
  EXPECT_EQ(next_due(drama.incident), drama.now.steady + 24h);
  drama.tick_after(24h);
  EXPECT_EQ(drama.incident.state, IncidentState::archived);
  EXPECT_EQ(drama.effects(), "archive_channel");
  EXPECT_FALSE(next_due(drama.incident));
}

TEST(IncidentPeople, ClosingMayArchiveAtOnceAndWaive) {
  Drama drama;
  drama.open();
  drama.recover_and_resolve();
  drama.give(Close{"jane", "", "", "the vendor's fault", 0s});
  EXPECT_EQ(drama.incident.state, IncidentState::archived);
  EXPECT_EQ(drama.effects(), "post set_topic put_summary archive_channel");
  EXPECT_EQ(drama.incident.waived_why, "the vendor's fault");
  EXPECT_EQ(drama.incident.closed_by, "jane");
}

TEST(IncidentPeople, AThreadIsNeverArchivedNorTheLocalRoom) {
  Drama drama;
  drama.open();
  drama.incident.channel.thread = "1700000000.000100";
  drama.recover_and_resolve();
  drama.give(Close{"jane", "cause", "fix", "", 0s});
  EXPECT_TRUE(drama.all<ArchiveChannel>().empty());
  Drama local;
  local.rules.slack = false;
  local.open();
  local.recover_and_resolve();
  local.give(Close{"jane", "cause", "fix", "", 0s});
  EXPECT_EQ(local.incident.state, IncidentState::archived);
  EXPECT_EQ(local.effects(), "");
}

TEST(IncidentPeople, WhatIsOverRefusesWithASentence) {
  Drama drama;
  drama.open();
  drama.recover_and_resolve();
  for (const auto& input :
       std::initializer_list<Input>{Acknowledge{"jane", "cli"}, ResolveByHand{"jane", "x"}}) {
    EXPECT_EQ(drama.give(input).refusal, "Incident 01jd3k7m-x7q2p is resolved already.");
  }
  drama.give(Close{"jane", "cause", "fix", "", 0s});
  for (const auto& input : std::initializer_list<Input>{
           Acknowledge{"jane", "cli"}, ResolveByHand{"jane", "x"}, Say{"x", "jane"},
           SetField{F::impact, "x", "jane"}, Close{"jane", "cause", "fix", "", {}}}) {
    EXPECT_EQ(drama.give(input).refusal, "Incident 01jd3k7m-x7q2p is archived already.");
  }
  Drama waiting;
  waiting.rules.group_wait = 30s;
  waiting.open();
  EXPECT_THAT(waiting.give(Acknowledge{"jane", "cli"}).refusal.value_or(""),
              HasSubstr("has not opened yet"));
}

TEST(IncidentPeople, WhoSaysNothingIsSomeone) {
  Drama drama;
  drama.open();
  drama.give(SetField{F::impact, "all customers", ""});
  EXPECT_EQ(drama.incident.summary[F::impact], (SummaryValue{"all customers", "someone"}));
}

}  // namespace
}  // namespace tocsin::policy
