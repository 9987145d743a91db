// What checks and people bring, and what comes of it.
#include "agent/app/engine.hpp"

#include "tests/unit/app/stage.hpp"

namespace tocsin::app {
namespace {

using State = IncidentState;

policy::Close closed_by(const std::string& who) {
  return {.by = who, .root_cause = "disk full", .fix = "log rotation"};
}

TEST_F(EngineTest, AlertThatFiresOpensAnIncidentAndPages) {
  auto& engine = begin();
  fire("nginx");
  EXPECT_EQ(only().state, State::open);
  EXPECT_EQ(opened_, 1);
  ASSERT_EQ(engine.entries().size(), 1u);
  EXPECT_EQ(deliver_all(), std::vector<std::string>{"trigger_page"});
  EXPECT_TRUE(engine.entries().empty());
  EXPECT_EQ(only().pages.at(0).state, PageState::triggered);
}

TEST_F(EngineTest, IncidentThatClearsWithinTheGroupWaitWasNeverOpened) {
  settings_.incidents.group_wait = 30s;
  begin();
  fire("nginx");
  EXPECT_EQ(only().state, State::pending);
  recover("nginx");
  EXPECT_EQ(only().state, State::cancelled);
  EXPECT_EQ(opened_, 0);
}

TEST_F(EngineTest, GroupWaitEndsByTheClock) {
  settings_.incidents.group_wait = 30s;
  begin();
  fire("nginx");
  pass(29s);
  EXPECT_EQ(only().state, State::pending);
  pass(1s);
  EXPECT_EQ(only().state, State::open);
  EXPECT_EQ(opened_, 1);
}

TEST_F(EngineTest, RecoveryResolvesAfterItsHoldAndThePageFollows) {
  begin();
  fire("nginx");
  deliver_all();
  recover("nginx");
  EXPECT_EQ(only().state, State::mitigated);
  pass(2min);
  EXPECT_EQ(only().state, State::resolved);
  EXPECT_EQ(deliver_all(), std::vector<std::string>{"resolve_page"});
  EXPECT_EQ(only().pages.at(0).state, PageState::resolved);
}

TEST_F(EngineTest, WhatGetsWorseAfterItsIncidentWasClosedOpensANewOne) {
  auto& engine = begin();
  fire("load", Severity::warning);
  deliver_all();
  const auto first = only().id;
  ASSERT_TRUE(engine.command(first, policy::ResolveByHand{"jane", "known, harmless"}));
  ASSERT_TRUE(engine.command(first, closed_by("jane")));
  settle();
  deliver_all();

  engine.alert_severity_changed(alert("load"), news("load"));
  settle();
  ASSERT_EQ(engine.incidents().size(), 2u);
  EXPECT_EQ(deliver_all(), std::vector<std::string>{"trigger_page"});
}

TEST_F(EngineTest, WhatGetsBetterAfterItsIncidentWasClosedIsNoNews) {
  auto& engine = begin();
  fire("load");
  deliver_all();
  const auto first = only().id;
  ASSERT_TRUE(engine.command(first, policy::ResolveByHand{"jane", "known, harmless"}));
  ASSERT_TRUE(engine.command(first, closed_by("jane")));
  engine.alert_severity_changed(alert("load", Severity::warning), news("load", Severity::warning));
  settle();
  EXPECT_EQ(engine.incidents().size(), 1u);
  EXPECT_EQ(engine.alerts().at("load").severity, Severity::warning);
}

TEST_F(EngineTest, CheckWhoseTopicIsAnotherNowStaysInTheIncidentItFiresIn) {
  auto& engine = begin();
  fire("nginx");
  auto elsewhere = news("nginx");
  elsewhere.topic = "web";
  engine.alert_fired(alert("nginx"), elsewhere);
  settle();
  EXPECT_EQ(engine.incidents().size(), 1u);
}

TEST_F(EngineTest, CheckThatWasRemovedResolvesWithThatReason) {
  auto& engine = begin();
  fire("nginx");
  engine.check_removed("nginx");
  settle();
  EXPECT_EQ(only().state, State::resolved);
  EXPECT_NE(only().resolved_why.find("removed"), std::string::npos) << only().resolved_why;
  EXPECT_FALSE(engine.alerts().contains("nginx"));
}

TEST_F(EngineTest, SeveralFieldsAreSetTogetherOrNotAtAll) {
  auto& engine = begin();
  fire("nginx");
  const auto id = only().id;
  const auto refused =
      engine.command(id, {policy::SetField{SummaryField::current_step, "restarting", "jane"},
                          policy::SetField{SummaryField::type, "cosmic rays", "jane"}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(only().summary[SummaryField::current_step].value, "");
  EXPECT_TRUE(
      engine.command(id, {policy::SetField{SummaryField::current_step, "restarting", "jane"},
                          policy::SetField{SummaryField::next_step, "fail over", "jane"}}));
  EXPECT_EQ(only().summary[SummaryField::current_step].value, "restarting");
  EXPECT_EQ(only().summary[SummaryField::next_step].value, "fail over");
}

TEST_F(EngineTest, IncidentIsFoundByAnyPartOfItsIdOrByItsChannel) {
  auto& engine = begin();
  fire("nginx");
  const auto id = only().id;
  EXPECT_EQ(*engine.find(id.value), id);
  EXPECT_EQ(*engine.find(id.value.substr(2, 6)), id);
  EXPECT_EQ(*engine.find("#" + only().channel.name), id);
  EXPECT_EQ(*engine.find(only().channel.name.substr(std::string{"issue-"}.size())), id);
  EXPECT_EQ(engine.find("").error().code, Errc::missing);
  EXPECT_EQ(engine.find("nothing like it").error().code, Errc::missing);
  fire("mysql");
  const auto shared = id.value.substr(0, 1);
  EXPECT_EQ(engine.find(shared).error().code, Errc::refused) << shared;
}

TEST_F(EngineTest, OpeningByHandIsRefusedWhileTheTopicHasAnUnclosedIncident) {
  auto& engine = begin();
  fire("nginx");
  const auto again = engine.open_by_hand(news("nginx"));
  ASSERT_FALSE(again);
  EXPECT_NE(again.error().detail.find(only().id.value), std::string::npos);
  EXPECT_TRUE(engine.open_by_hand(news("mail")));
}

TEST_F(EngineTest, EverythingIsThereAfterARestart) {
  begin();
  fire("nginx");
  const auto before = only();
  auto& engine = begin_again();
  EXPECT_EQ(only(), before);
  EXPECT_EQ(engine.alerts().at("nginx").phase, AlertPhase::firing);
  EXPECT_EQ(deliver_all(), std::vector<std::string>{"trigger_page"});
}

TEST_F(EngineTest, KnowsWhatFiresAndWhere) {
  auto& engine = begin();
  EXPECT_FALSE(engine.known_to_fire("nginx"));
  fire("nginx");
  ASSERT_NE(engine.firing_member("nginx"), nullptr);
  EXPECT_EQ(engine.firing_member("nginx")->check, "nginx");
  recover("nginx");
  EXPECT_EQ(engine.firing_member("nginx"), nullptr);
  EXPECT_FALSE(engine.known_to_fire("nginx"));
}

TEST_F(EngineTest, IncidentLeavesMemoryAWeekAfterItWasArchivedNotAfterItOpened) {
  settings_.incidents.archive_after = 1h;
  settings_.incidents.remind_every = 24h;
  auto& engine = begin();
  fire("nginx");
  deliver_all();
  pass(std::chrono::days{8});
  const auto id = only().id;
  ASSERT_TRUE(engine.command(id, policy::ResolveByHand{"jane", "replaced"}));
  ASSERT_TRUE(engine.command(id, closed_by("jane")));
  pass(1h);
  deliver_all();
  ASSERT_EQ(only().state, State::archived);
  engine.forget_old();
  EXPECT_EQ(engine.incidents().size(), 1u);
  pass(std::chrono::days{8});
  engine.forget_old();
  EXPECT_TRUE(engine.incidents().empty());
}

}  // namespace
}  // namespace tocsin::app
