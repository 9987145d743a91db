#include <gtest/gtest.h>

#include <set>

#include "tocsin/model/alert.hpp"
#include "tocsin/model/effect.hpp"
#include "tocsin/model/incident.hpp"
#include "tocsin/model/severity.hpp"
#include "tocsin/model/summary.hpp"

namespace tocsin {
namespace {

/// Every value up to `last` has a name of its own which reads back.
template <class E, class Parse>
void expect_round_trip(E last, Parse parse) {
  std::set<std::string_view> seen;
  for (int i = 0; i <= static_cast<int>(last); ++i) {
    const auto value = static_cast<E>(i);
    const auto name = to_string(value);
    EXPECT_FALSE(name.empty()) << i;
    EXPECT_TRUE(seen.insert(name).second) << name;
    EXPECT_EQ(parse(name), std::optional{value}) << name;
  }
  EXPECT_EQ(parse("no such word"), std::nullopt);
  EXPECT_EQ(parse(""), std::nullopt);
}

TEST(ModelWords, ReadBack) {
  expect_round_trip(Severity::unknown, parse_severity);
  expect_round_trip(AlertPhase::recovering, parse_alert_phase);
  expect_round_trip(IncidentState::cancelled, parse_incident_state);
  expect_round_trip(PageState::rejected, parse_page_state);
  expect_round_trip(TimelineKind::note, parse_timeline_kind);
  expect_round_trip(EntryState::dead, parse_entry_state);
}

TEST(ModelWords, UnknownIsMoreOfAConcernThanAWarning) {
  EXPECT_LT(concern(Severity::ok), concern(Severity::warning));
  EXPECT_LT(concern(Severity::warning), concern(Severity::unknown));
  EXPECT_LT(concern(Severity::unknown), concern(Severity::critical));
  EXPECT_EQ(worse(Severity::unknown, Severity::warning), Severity::unknown);
  EXPECT_EQ(worse(Severity::unknown, Severity::critical), Severity::critical);
}

TEST(ModelWords, LiveAndUnclosedStates) {
  using S = IncidentState;
  for (const auto state : {S::pending, S::open, S::acknowledged, S::mitigated}) {
    EXPECT_TRUE(is_live(state) && is_unclosed(state)) << to_string(state);
  }
  EXPECT_FALSE(is_live(S::resolved));
  EXPECT_TRUE(is_unclosed(S::resolved));
  for (const auto state : {S::closed, S::archived, S::cancelled}) {
    EXPECT_FALSE(is_live(state) || is_unclosed(state)) << to_string(state);
  }
}

TEST(ModelWords, SummaryFieldsAreInTheOrderOfTheirValues) {
  const auto& names = summary_field_names();
  for (std::size_t i = 0; i < names.size(); ++i) {
    EXPECT_EQ(static_cast<std::size_t>(names[i].field), i);
    EXPECT_EQ(parse_summary_field(names[i].key), names[i].field);
    EXPECT_FALSE(names[i].title.empty());
  }
  EXPECT_EQ(parse_summary_field("mood"), std::nullopt);
}

TEST(ModelWords, EffectsKnowTheirNameReceiverAndKind) {
  struct Case {
    Effect effect;
    std::string_view name, receiver;
    bool replaceable, best_effort;
  };
  const std::vector<Case> cases{
      {CreateChannel{}, "create_channel", "slack", false, false},
      {SetPurpose{}, "set_purpose", "slack", true, false},
      {SetTopic{}, "set_topic", "slack", true, false},
      {PutSummary{}, "put_summary", "slack", true, false},
      {PinSummary{}, "pin_summary", "slack", false, true},
      {AddBookmark{}, "add_bookmark", "slack", false, true},
      {Invite{}, "invite", "slack", false, true},
      {Post{}, "post", "slack", false, false},
      {PostReminder{}, "post_reminder", "slack", true, false},
      {ArchiveChannel{}, "archive_channel", "slack", false, false},
      {TriggerPage{"sre", "k"}, "trigger_page", "pagerduty/sre", false, false},
      {UpdatePage{"sre", "k"}, "update_page", "pagerduty/sre", false, true},
      {AcknowledgePage{"sre", "k"}, "acknowledge_page", "pagerduty/sre", false, false},
      {ResolvePage{"boss", "k"}, "resolve_page", "pagerduty/boss", false, false},
  };
  EXPECT_EQ(cases.size(), std::variant_size_v<Effect>);
  for (const auto& c : cases) {
    EXPECT_EQ(effect_name(c.effect), c.name);
    EXPECT_EQ(receiver_of(c.effect).value, c.receiver) << c.name;
    EXPECT_EQ(is_replaceable(c.effect), c.replaceable) << c.name;
    EXPECT_EQ(is_best_effort(c.effect), c.best_effort) << c.name;
  }
}

}  // namespace
}  // namespace tocsin
