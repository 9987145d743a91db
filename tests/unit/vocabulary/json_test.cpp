#include "tocsin/json/json.hpp"

#include <gtest/gtest.h>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

namespace tocsin {
namespace {

using namespace std::chrono_literals;

SteadyTime steady(int seconds) { return SteadyTime{std::chrono::seconds{seconds}}; }
WallTime wall(int seconds) { return WallTime{std::chrono::seconds{1'700'000'000 + seconds}}; }

/// Every member differs from its default, so that one forgotten is one missed.
Incident full_incident() {
  Incident i;
  i.id = IncidentId{"01jd3k7m-x7q2p"};
  i.key = "production/web-1/nginx";
  i.environment = "production";
  i.host = "web-1";
  i.topic = "nginx";
  i.state = IncidentState::mitigated;
  i.before_mitigated = IncidentState::acknowledged;
  i.severity = Severity::warning;
  i.severity_paged = Severity::critical;
  i.title = "nginx is down — \"web-1\"\n\\";
  i.generation = 3;
  i.pages_again = 2;
  i.drill = true;
  i.members = {{"nginx",
                "process",
                Severity::critical,
                false,
                "up 0 < 1",
                wall(1),
                "web-1",
                {{"line one", "line two"}, "killed", "12m"}}};
  i.owners = {"@sre", "@dev"};
  i.runbook = "https://runbooks.example.com/nginx";
  i.dashboard = "https://grafana.example.com/d/1";
  i.summary[SummaryField::component] = {"nginx", "jane"};
  i.summary[SummaryField::impact] = {"one customer", ""};
  i.channel = {"slack", "issue-nginx-2211", "C1", "https://slack/C1", "17.1", "17.2", true};
  i.pages = {{"sre", "tocsin/production/web-1/nginx/x/g1", PageState::acknowledged},
             {"managers", "k/e1", PageState::queued}};
  i.escalation = {{15min, "managers", {}}, {30min, "", {"@cto", "@ceo"}}};
  i.escalation_next = 1;
  i.previous_id = "01jd3k7m-aaaaa";
  i.previous_channel = "issue-nginx-2111";
  i.recent_count = 4;
  i.opened_at = wall(2);
  i.acknowledged_at = wall(3);
  i.acknowledged_by = "jane";
  i.mitigated_at = wall(4);
  i.resolved_at = wall(5);
  i.resolved_why = "recovered";
  i.closed_at = wall(6);
  i.root_cause = "oom";
  i.fix = "more memory";
  i.waived_why = "drill";
  i.closed_by = "joe";
  i.archived_at = wall(7);
  i.pending_until = steady(1);
  i.escalate_from = steady(2);
  i.remind_at = steady(3);
  i.ack_expires_at = steady(4);
  i.resolve_at = steady(5);
  i.reopen_until = steady(6);
  i.archive_at = steady(7);
  i.page_again_not_before = steady(8);
  return i;
}

Alert full_alert() {
  Alert a;
  a.check = "iowait";
  a.phase = AlertPhase::recovering;
  a.severity = Severity::critical;
  a.why = "iowait_ratio 43.2% > 40% for 2m";
  a.since = wall(9);
  a.critical = {{steady(10), 0xffff'ffff'ffff'ffffu}, {std::nullopt, 1}};
  a.warning = {{steady(11), 5}};
  a.unknown_since = steady(12);
  a.recovering_since = steady(13);
  a.flap_ring = 0xfffff;
  a.flapping = true;
  a.last_seen = Severity::warning;
  return a;
}

TEST(StoredJson, AnIncidentComesBackAsItWas) {
  const auto incident = full_incident();
  const auto text = json::encode(incident);
  const auto back = json::decode_incident(text);
  ASSERT_TRUE(back) << back.error().detail;
  EXPECT_EQ(*back, incident);
  EXPECT_EQ(json::encode(*back), text);
  const auto fresh = json::decode_incident(json::encode(Incident{}));
  ASSERT_TRUE(fresh) << fresh.error().detail;
  EXPECT_EQ(*fresh, Incident{});
}

TEST(StoredJson, AnAlertComesBackAsItWas) {
  const auto back = json::decode_alert(json::encode(full_alert()));
  ASSERT_TRUE(back) << back.error().detail;
  EXPECT_EQ(*back, full_alert());
}

TEST(StoredJson, EveryEffectComesBackAsItWas) {
  const std::vector<Effect> effects{CreateChannel{},
                                    SetPurpose{},
                                    SetTopic{},
                                    PutSummary{},
                                    PinSummary{},
                                    AddBookmark{"Runbook", "https://r"},
                                    Invite{{"a@example.com", "@sre"}},
                                    Post{"hello <world> & \xE2\x80\xA6"},
                                    PostReminder{},
                                    ArchiveChannel{},
                                    TriggerPage{"sre", "k", true},
                                    UpdatePage{"sre", "k"},
                                    AcknowledgePage{"sre", "k"},
                                    ResolvePage{"sre", "k"}};
  ASSERT_EQ(effects.size(), std::variant_size_v<Effect>);
  for (const auto& effect : effects) {
    OutboxEntry entry;
    entry.id = EntryId{7};
    entry.incident = IncidentId{"i"};
    entry.receiver = receiver_of(effect);
    entry.effect = effect;
    entry.state = EntryState::dead;
    entry.attempts = 3;
    entry.ambiguous = true;
    entry.created = wall(1);
    entry.first_attempt = wall(2);
    entry.not_before = steady(3);
    entry.last_error = "503";
    const auto back = json::decode_entry(json::encode(entry));
    ASSERT_TRUE(back) << back.error().detail;
    EXPECT_EQ(*back, entry) << effect_name(effect);
    const auto alone = json::decode_effect(json::encode(effect));
    ASSERT_TRUE(alone) << alone.error().detail;
    EXPECT_EQ(*alone, effect);
  }
}

TEST(StoredJson, LinesAndSummariesComeBackAsTheyWere) {
  const TimelineLine line{IncidentId{"i"}, wall(1), TimelineKind::message, "jane", "text", 12};
  const auto back = json::decode_timeline_line(json::encode(line));
  ASSERT_TRUE(back) << back.error().detail;
  EXPECT_EQ(*back, line);
  const auto summary = json::decode_summary(json::encode(full_incident().summary));
  ASSERT_TRUE(summary) << summary.error().detail;
  EXPECT_EQ(*summary, full_incident().summary);
}

TEST(StoredJson, UnknownKeysArePassedOverAndMissingOnesAreDefaults) {
  const auto back = json::decode_incident(R"({"id":"x","a_key_of_the_future":[1,2,{"b":3}]})");
  ASSERT_TRUE(back) << back.error().detail;
  EXPECT_EQ(back->id.value, "x");
  EXPECT_EQ(back->generation, 1);
}

TEST(StoredJson, FaultsNameTheirPath) {
  const auto fault = [](std::string_view text) {
    const auto result = json::decode_incident(text);
    return result ? std::string{"no fault"} : result.error().detail;
  };
  EXPECT_EQ(fault(R"({"state":"sleeping"})"), "incident: state is not a known word");
  EXPECT_EQ(fault(R"({"members":[{},{"since":"x"}]})"),
            "incident: members.[1].since is not a whole number that fits");
  EXPECT_EQ(fault(R"({"generation":1e99})"),
            "incident: generation is not a whole number that fits");
  EXPECT_EQ(fault(R"([])"), "incident: is not an object");
  EXPECT_TRUE(fault("{").starts_with("incident: not JSON"));
  EXPECT_TRUE(fault(std::string(100'000, '[')).starts_with("incident: not JSON"));
  EXPECT_FALSE(json::decode_effect(R"({"name":"launch_rocket"})"));
  EXPECT_EQ(json::decode_incident("").error().code, Errc::malformed);
}

TEST(ShownJson, AListedIncidentHasTheKeysItsReadersRelyOn) {
  const auto map = json::incident_object(full_incident());
  EXPECT_EQ(map.at("id").as_string(), "01jd3k7m-x7q2p");
  EXPECT_EQ(map.at("state").as_string(), "mitigated");
  EXPECT_EQ(map.at("severity").as_string(), "warning");
  EXPECT_EQ(map.at("topic").as_string(), "nginx");
  EXPECT_EQ(map.at("host").as_string(), "web-1");
  EXPECT_EQ(map.at("opened_at").as_string(), "2023-11-14T22:13:22.000Z");
  EXPECT_EQ(map.at("channel").at("name").as_string(), "issue-nginx-2211");
  EXPECT_EQ(map.at("channel").at("id").as_string(), "C1");
  EXPECT_EQ(map.at("page").at("key").as_string(), "tocsin/production/web-1/nginx/x/g1");
  EXPECT_EQ(map.at("page").at("state").as_string(), "acknowledged");
  EXPECT_EQ(map.at("alerts").as_array().at(0).at("check").as_string(), "nginx");
  EXPECT_EQ(map.at("summary").at("component").as_string(), "nginx");
  EXPECT_EQ(map.at("summary").at("type").as_string(), "UNKNOWN");
  EXPECT_EQ(map.at("summary").as_object().size(), summary_fields);
}

TEST(ShownJson, WhatIsNotThereIsNull) {
  const auto map = json::incident_object(Incident{});
  EXPECT_TRUE(map.at("acknowledged_at").is_null());
  EXPECT_TRUE(map.at("page").at("key").is_null());
  EXPECT_EQ(map.at("page").at("state").as_string(), "none");
}

TEST(ShownJson, TheDetailHasEvidenceTimelineAndPostMortem) {
  const std::vector<TimelineLine> lines{
      {IncidentId{"i"}, wall(1), TimelineKind::opened, "", "opened", 1},
      {IncidentId{"i"}, wall(2), TimelineKind::message, "jane", "hm", 2}};
  const auto map = json::incident_detail_object(full_incident(), lines);
  EXPECT_EQ(map.at("timeline").as_array().size(), 2u);
  EXPECT_EQ(map.at("timeline").at(1).at("by").as_string(), "jane");
  EXPECT_EQ(map.at("alerts").at(0).at("evidence").at("lines").as_array().size(), 2u);
  EXPECT_EQ(map.at("pages").as_array().size(), 2u);
  EXPECT_EQ(map.at("escalation").at(0).at("taken").as_bool(), true);
  EXPECT_EQ(map.at("escalation").at(1).at("after").as_string(), "30m");
  EXPECT_EQ(map.at("root_cause").as_string(), "oom");
  EXPECT_EQ(map.at("summary_set_by").at("component").as_string(), "jane");
}

TEST(ShownJson, AnOutboxEntrySaysWhenItsTurnComes) {
  OutboxEntry entry;
  entry.id = EntryId{9};
  entry.receiver = ReceiverId{"pagerduty/sre"};
  entry.effect = TriggerPage{"sre", "the-key", false};
  entry.not_before = steady(100);
  const auto map = json::outbox_object(entry, steady(90));
  EXPECT_EQ(map.at("id").to_number<int>(), 9);
  EXPECT_EQ(map.at("effect").as_string(), "trigger_page");
  EXPECT_EQ(map.at("key").as_string(), "the-key");
  EXPECT_DOUBLE_EQ(map.at("retry_in").as_double(), 10.0);
  EXPECT_TRUE(json::outbox_object(entry, steady(100)).at("retry_in").is_null());
}

}  // namespace
}  // namespace tocsin
