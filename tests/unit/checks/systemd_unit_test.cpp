#include "checks/systemd_unit.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/checks/fake_systemd.hpp"
#include "tests/unit/checks/made_check.hpp"
#include "tocsin/base/limits.hpp"

namespace tocsin {
namespace {

using namespace std::chrono_literals;
using namespace checks_test;
using checks::UnitValue;
using fakes::value_of;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

UnitValue number(std::uint64_t value) { return value; }
UnitValue whole(std::int64_t value) { return value; }
UnitValue text(std::string value) { return value; }

struct Systemd {
  FakeSystemd systemd{};
  fakes::FakeHost host{&systemd};

  FakeUnit& has(const std::string& name, const std::string& active = "active",
                const std::string& sub = "running") {
    auto& unit = systemd.units.emplace_back(FakeUnit{.name = name, .active = active, .sub = sub});
    unit.properties = {{"Type", text("simple")},
                       {"RemainAfterExit", false},
                       {"Result", text("success")},
                       {"NRestarts", number(0)}};
    return unit;
  }
  /// Microseconds of the host's clock, so long ago.
  UnitValue ago(Duration passed) const {
    return number(static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(
                                                 (host.clock.steady() - passed).time_since_epoch())
                                                 .count()));
  }
};

std::unique_ptr<Check> watching(Node units) {
  return made(systemd_unit_check(), map_of({{"unit", std::move(units)}}));
}

TEST(SystemdUnitCheck, ActiveUnitsAreUp) {
  Systemd world;
  world.host.clock.advance(1h);
  auto& nginx = world.has("nginx.service");
  nginx.properties["ActiveEnterTimestampMonotonic"] = world.ago(90s);
  nginx.properties["MemoryCurrent"] = number(5u << 20);
  nginx.properties["TasksCurrent"] = number(3);
  auto& timer = world.has("backup.timer", "active", "waiting");
  timer.properties.clear();
  const auto check = watching(list_of({"nginx", "backup.timer"}));
  const auto samples = world.host.run(*check);
  ASSERT_TRUE(samples) << samples.error().detail;
  EXPECT_THAT(names_of(*check, *samples),
              ElementsAre("total_seconds", "units", "unwatched", "failed", "up[nginx.service]",
                          "state[nginx.service]", "restarts[nginx.service]",
                          "active_seconds[nginx.service]", "memory_bytes[nginx.service]",
                          "tasks[nginx.service]", "up[backup.timer]", "state[backup.timer]"));
  EXPECT_EQ(value_of(*check, *samples, "up", "nginx.service"), 1);
  EXPECT_EQ(value_of(*check, *samples, "state", "nginx.service"), 1);
  EXPECT_EQ(value_of(*check, *samples, "active_seconds", "nginx.service"), 90);
  EXPECT_EQ(value_of(*check, *samples, "memory_bytes", "nginx.service"), 5 << 20);
  EXPECT_EQ(value_of(*check, *samples, "tasks", "nginx.service"), 3);
  EXPECT_EQ(value_of(*check, *samples, "units"), 2);
  EXPECT_THAT(world.host.evidence(*check).lines, IsEmpty());
  EXPECT_EQ(world.systemd.open_now, 0) << "no connection is left";
}

TEST(SystemdUnitCheck, AsksTheBusAndWhereThereIsNoneSystemdItself) {
  Systemd world;
  world.has("nginx.service");
  ASSERT_TRUE(world.host.run(*watching(word("nginx"))));
  EXPECT_EQ(world.systemd.opened.at(0).unix_socket, "/run/dbus/system_bus_socket");
  EXPECT_LT(world.systemd.opened.at(0).deadline, world.host.clock.steady() + 5s);
  EXPECT_EQ(world.systemd.count("Hello"), 1);

  const auto own = made(systemd_unit_check(),
                        map_of({{"unit", word("nginx")}, {"bus", word("/tmp/x/systemd/private")}}));
  ASSERT_TRUE(world.host.run(*own));
  EXPECT_EQ(world.systemd.opened.at(1).unix_socket, "/tmp/x/systemd/private");
  EXPECT_EQ(world.systemd.count("Hello"), 1) << "systemd's own socket is no bus";

  world.systemd.fail(NetPhase::connect, Errc::unreachable,
                     "connect to the first failed: No such file or directory");
  const auto outcome = world.host.run(*watching(word("nginx")));
  ASSERT_FALSE(outcome);
  EXPECT_EQ(world.systemd.opened.size(), 4u);
  EXPECT_EQ(world.systemd.opened.at(3).unix_socket, "/run/systemd/private");
  EXPECT_EQ(outcome.error().detail,
            "the units' states are not known: connect to the first failed: No such file or "
            "directory");
  ASSERT_FALSE(world.host.run(*own));
  EXPECT_EQ(world.systemd.opened.size(), 5u) << "who names a socket means that one";
}

TEST(SystemdUnitCheck, WhatIsUpDependsOnWhatTheUnitIsFor) {
  struct Row {
    std::string active, sub, type, result, load;
    bool remains;
    double up;
  };
  const Row table[] = {
      {"active", "running", "simple", "success", "loaded", false, 1},
      {"active", "exited", "oneshot", "success", "loaded", true, 1},
      {"active", "running", "simple", "success", "not-found", false, 1},
      {"reloading", "reload", "notify", "success", "loaded", false, 1},
      {"refreshing", "x", "simple", "success", "loaded", false, 1},
      {"activating", "start", "notify", "success", "loaded", false, 0},
      {"activating", "start", "oneshot", "success", "loaded", false, 1},
      {"activating", "start", "oneshot", "success", "loaded", true, 0},
      {"activating", "auto-restart", "simple", "exit-code", "loaded", false, 0},
      {"activating", "auto-restart", "oneshot", "exit-code", "loaded", false, 0},
      {"activating", "auto-restart-queued", "oneshot", "success", "loaded", false, 0},
      {"deactivating", "stop-sigterm", "simple", "success", "loaded", false, 0},
      {"deactivating", "stop-post", "oneshot", "success", "loaded", false, 1},
      {"deactivating", "stop-post", "oneshot", "exit-code", "loaded", false, 0},
      {"inactive", "dead", "simple", "success", "loaded", false, 0},
      {"inactive", "dead", "oneshot", "success", "loaded", false, 1},
      {"inactive", "dead", "oneshot", "exec-condition", "loaded", false, 1},
      {"inactive", "dead", "oneshot", "success", "loaded", true, 0},
      {"inactive", "dead", "oneshot", "success", "masked", false, 0},
      {"inactive", "dead", "", "", "masked", false, 0},
      {"inactive", "dead", "oneshot", "success", "bad-setting", false, 0},
      {"failed", "failed", "oneshot", "exit-code", "loaded", false, 0},
      {"failed", "failed", "simple", "signal", "loaded", false, 0},
      {"maintenance", "cleaning", "simple", "success", "loaded", false, 0},
      {"daydreaming", "x", "oneshot", "success", "loaded", false, 0},
  };
  for (const auto& row : table) {
    Systemd world;
    auto& unit = world.has("a.service", row.active, row.sub);
    unit.load = row.load;
    unit.properties["Type"] = text(row.type);
    unit.properties["RemainAfterExit"] = row.remains;
    unit.properties["Result"] = text(row.result);
    const auto check = watching(word("a"));
    const auto samples = world.host.run(*check);
    ASSERT_TRUE(samples);
    EXPECT_EQ(value_of(*check, *samples, "up", "a.service"), row.up)
        << row.active << " " << row.sub << " " << row.type << " " << row.result << " " << row.load
        << " " << row.remains;
  }
}

TEST(SystemdUnitCheck, AUnitThatIsNotThereIsDownAndSaidToBe) {
  Systemd world;
  world.has("web.service");
  const auto check = watching(list_of({"web", "nginx", "app-*", "w*"}));
  const auto samples = world.host.run(*check);
  ASSERT_TRUE(samples);
  EXPECT_EQ(value_of(*check, *samples, "up", "web.service"), 1);
  EXPECT_EQ(value_of(*check, *samples, "up", "nginx.service"), 0);
  EXPECT_EQ(value_of(*check, *samples, "state", "nginx.service"), std::nullopt);
  EXPECT_EQ(value_of(*check, *samples, "up", "app-*.service"), 0);
  EXPECT_EQ(value_of(*check, *samples, "units"), 1);
  const auto evidence = world.host.evidence(*check);
  EXPECT_THAT(evidence.lines,
              ElementsAre("systemd has no unit nginx.service: it is not installed, was removed or "
                          "has another name",
                          "systemd has loaded no unit that fits \"app-*.service\""));
  EXPECT_THAT(evidence.probable_cause, HasSubstr("no unit nginx.service"));
  EXPECT_THAT(world.host.processes.requests, IsEmpty()) << "what is not there has no journal";
}

TEST(SystemdUnitCheck, AGlobTakesWhatIsLoadedButForTheExceptions) {
  Systemd world;
  for (const auto* name : {"app-b.service", "app-a.service", "app-canary.service", "db.service"})
    world.has(name);
  auto& mentioned = world.has("app-gone.service", "inactive", "dead");
  mentioned.load = "not-found";
  const auto check =
      made(systemd_unit_check(),
           map_of({{"unit", list_of({"app-b", "app-*"})}, {"except", word("*-canary")}}));
  const auto samples = world.host.run(*check);
  ASSERT_TRUE(samples);
  EXPECT_EQ(value_of(*check, *samples, "units"), 2);
  EXPECT_EQ(value_of(*check, *samples, "up", "app-a.service"), 1);
  EXPECT_EQ(value_of(*check, *samples, "up", "app-canary.service"), std::nullopt);
  EXPECT_EQ(value_of(*check, *samples, "up", "app-gone.service"), std::nullopt);
  EXPECT_EQ(std::count_if(samples->begin(), samples->end(),
                          [](const auto& sample) { return sample.instance == "app-b.service"; }),
            3)
      << "once, though it is meant twice";
}

TEST(SystemdUnitCheck, OfVeryManyUnitsTheFirstAreWatchedAndTheRestCounted) {
  Systemd world;
  for (int i = 999; i >= 0; --i) world.has("u-" + std::to_string(1000 + i) + ".service");
  const auto check = watching(word("u-*"));
  const auto samples = world.host.run(*check);
  ASSERT_TRUE(samples);
  EXPECT_LE(samples->size(), limits::samples_per_run);
  EXPECT_EQ(value_of(*check, *samples, "units"), 64);
  EXPECT_EQ(value_of(*check, *samples, "unwatched"), 936);
  EXPECT_EQ(value_of(*check, *samples, "up", "u-1000.service"), 1);
  EXPECT_EQ(value_of(*check, *samples, "up", "u-1064.service"), std::nullopt);
}

TEST(SystemdUnitCheck, RestartsAreCountedWithinTenMinutes) {
  Systemd world;
  auto& unit = world.has("a.service");
  const auto check = watching(word("a"));
  const auto restarts_at = [&](std::uint64_t counter) {
    unit.properties["NRestarts"] = number(counter);
    const auto samples = world.host.run(*check);
    EXPECT_TRUE(samples);
    return value_of(*check, *samples, "restarts", "a.service");
  };
  EXPECT_EQ(restarts_at(40), 0) << "what was before is not known to be lately";
  EXPECT_EQ(restarts_at(42), 2);
  world.host.clock.advance(5min);
  EXPECT_EQ(restarts_at(1), 3) << "somebody started it, and it was started again since";
  EXPECT_THAT(world.host.evidence(*check).lines,
              ElementsAre("a.service is active; started again by systemd 3x in the last 10m"));
  world.host.clock.advance(5min);
  EXPECT_EQ(restarts_at(1), 1);
  EXPECT_EQ(restarts_at(1'000'000), static_cast<double>(limits::restarts_counted));
  unit.properties.erase("NRestarts");
  EXPECT_EQ(world.host.run(*check) ? 1 : 0, 1) << "an older systemd does not count";
}

TEST(SystemdUnitCheck, EvidenceSaysHowItEndedAndWhatTheJournalHas) {
  Systemd world;
  world.host.clock.advance(1h);
  auto& unit = world.has("web.service", "failed", "failed");
  unit.properties["Result"] = text("exit-code");
  unit.properties["NRestarts"] = number(4);
  unit.properties["Restart"] = text("on-failure");
  unit.properties["StartLimitBurst"] = number(5);
  unit.properties["StartLimitIntervalUSec"] = number(10'000'000);
  unit.properties["ExecMainPID"] = number(812);
  unit.properties["ExecMainCode"] = whole(1);
  unit.properties["ExecMainStatus"] = whole(3);
  unit.properties["StatusText"] = text("connecting with password=hunter2");
  unit.properties["StateChangeTimestampMonotonic"] = world.ago(3min);
  world.host.processes.answer(
      "journalctl", 0,
      "-- Boot 1 --\nT web[812]: reading settings\nT web[812]: token=hunter2 refused\n");
  const auto check = watching(word("web"));
  const auto samples = world.host.run(*check);
  ASSERT_TRUE(samples);
  EXPECT_EQ(value_of(*check, *samples, "failed"), 1);
  EXPECT_EQ(value_of(*check, *samples, "state", "web.service"), 5);
  const auto evidence = world.host.evidence(*check);
  EXPECT_THAT(
      evidence.lines,
      ElementsAre("web.service failed 3m ago: its main process (pid 812) exited with "
                  "status 3; systemd has given up starting it (5 starts in 10s are its "
                  "limit)",
                  "it says of itself: \"connecting with password=<redacted>\"",
                  "the journal's last lines on web.service:", "\"T web[812]: reading settings\"",
                  "\"T web[812]: token=<redacted> refused\""));
  EXPECT_EQ(evidence.probable_cause, evidence.lines[0]);
  const auto& command = world.host.processes.requests.at(0).command;
  EXPECT_THAT(command, AllOf(Contains("--unit=web.service"), Contains("--lines=5")));
  EXPECT_LE(world.host.processes.requests.at(0).deadline,
            world.host.clock.steady() + limits::evidence_wait);
}

TEST(SystemdUnitCheck, EvidenceDoesWithoutAJournal) {
  Systemd world;
  world.has("web.service", "inactive", "dead");
  const auto check = watching(word("web"));
  ASSERT_TRUE(world.host.run(*check));
  EXPECT_THAT(
      world.host.evidence(*check).lines,
      ElementsAre("web.service is stopped: systemd knows of no start, or has forgotten one that "
                  "ended without a fault"));
  world.host.processes.answer("journalctl", 1, "no");
  EXPECT_EQ(world.host.evidence(*check).lines.size(), 1u);
  world.host.processes.answer("journalctl", 0, "-- No entries --\n");
  EXPECT_EQ(world.host.evidence(*check).lines.size(), 1u);
  world.host.processes.hang("journalctl");
  EXPECT_EQ(world.host.evidence(*check).lines.size(), 1u);
}

TEST(SystemdUnitCheck, WhatAUnitNeedsAndCannotHaveIsNamed) {
  Systemd world;
  auto& app = world.has("app.service", "inactive", "dead");
  app.properties["Requires"] = std::vector<std::string>{"db.service", "gone.service", "ok.service"};
  app.properties["BindsTo"] = std::vector<std::string>{"data.mount"};
  world.has("db.service", "failed", "failed");
  world.has("ok.service");
  world.has("data.mount", "inactive", "dead").load = "masked";
  const auto check = watching(word("app"));
  ASSERT_TRUE(world.host.run(*check));
  EXPECT_THAT(world.host.evidence(*check).lines.at(0),
              HasSubstr("; it needs data.mount, which is masked; it needs db.service, which "
                        "failed; it needs gone.service, which is not there"));
}

TEST(SystemdUnitCheck, ABusThatCannotBeAskedLeavesTheStateUnknown) {
  Systemd world;
  world.has("a.service");
  world.has("b.service", "failed", "failed");
  const auto check = watching(list_of({"a", "b"}));
  ASSERT_TRUE(world.host.run(*check));
  world.host.clock.advance(12s);
  world.systemd.swallows = "ListUnitsByNames";
  const auto outcome = world.host.run(*check);
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, Errc::timed_out);
  EXPECT_EQ(outcome.error().detail,
            "the units' states are not known: systemd, asked over /run/dbus/system_bus_socket, did "
            "not answer in time");
  const auto evidence = world.host.evidence(*check);
  EXPECT_THAT(evidence.lines, ElementsAre(HasSubstr("did not answer in time"),
                                          "last heard of 12s ago with 1 of 2 watched units up; "
                                          "whether they still are is not known"));
  EXPECT_THAT(evidence.probable_cause, HasSubstr("did not answer in time"));
  world.systemd.swallows.clear();
  ASSERT_TRUE(world.host.run(*check));
  EXPECT_THAT(world.host.evidence(*check).lines.at(0), HasSubstr("b.service failed"));
  EXPECT_EQ(world.systemd.open_now, 0);
}

TEST(SystemdUnitCheck, EachFaultOfTheOtherSideHasItsSentence) {
  struct Row {
    std::function<void(FakeSystemd&)> spoil;
    Errc code;
    std::string sentence;
  };
  const Row table[] = {
      {[](auto& it) { it.peer = [](auto) { return ""; }; }, Errc::timed_out,
       "took the connection and did not answer in time"},
      {[](auto& it) { it.peer = [](auto) { return "DA"; }; }, Errc::timed_out,
       "did not let tocsin in in time"},
      {[](auto& it) { it.lets_in = false; }, Errc::refused, "does not let the user in"},
      {[](auto& it) { it.greeting = "220 mail.example.com ESMTP\r\n", it.lets_in = false; },
       Errc::refused, "does not let the user in"},
      {[](auto& it) { it.closes = true, it.peer = [](auto) { return ""; }; }, Errc::disconnected,
       "closed the connection before it let tocsin in"},
      {[](auto& it) { it.deaf = true; }, Errc::disconnected, "before it let tocsin in"},
      {[](auto& it) { it.swallows = "Hello"; }, Errc::timed_out, "did not let tocsin in in time"},
      {[](auto& it) { it.swallows = "Get"; }, Errc::timed_out, "did not answer in time"},
      {[](auto& it) { it.swallows = "Get", it.closes = true; }, Errc::disconnected,
       "closed the connection"},
      {[](auto& it) { it.list_error = "org.freedesktop.DBus.Error.ServiceUnknown"; },
       Errc::unreachable, "there is no systemd on the bus"},
      {[](auto& it) {
         it.list_error = "org.freedesktop.DBus.Error.AccessDenied";
         it.list_words = "not for you";
       },
       Errc::refused, "would not tell of its units: \"not for you\""},
      {[](auto& it) { it.list_signature = "a(ssssssousu)"; }, Errc::protocol,
       "in a form that is not systemd's"},
      {[](auto& it) { it.leaves_out = 1; }, Errc::protocol, "was asked for 1 units and told of 0"},
      {[](auto& it) { it.swallows = "Get", it.endless = std::string(4096, 'x'); }, Errc::protocol,
       "does not speak D-Bus as it should"},
  };
  for (const auto& row : table) {
    Systemd world;
    world.has("a.service");
    row.spoil(world.systemd);
    const auto outcome = world.host.run(*watching(word("a")));
    ASSERT_FALSE(outcome) << row.sentence;
    EXPECT_THAT(outcome.error().detail, HasSubstr(row.sentence));
    EXPECT_EQ(outcome.error().code, row.code) << row.sentence;
    EXPECT_LE(world.systemd.heard, checks::SystemdBus::heard_bytes_max + 4096);
    EXPECT_EQ(world.systemd.open_now, 0) << row.sentence;
  }
}

TEST(SystemdUnitCheck, EndlessSignalsAndEndlessAnswersAreCutShort) {
  DbusWriter nothing;
  // Nobody asked what these answer.
  const auto noise = dbus_reply(4711, "", nothing);
  std::string huge = dbus_reply(2, "s", nothing);
  const std::uint32_t claimed = 8u << 20;
  std::memcpy(huge.data() + 4, &claimed, sizeof claimed);
  const std::pair<std::string, std::string> table[] = {{"", noise},
                                                       {huge, std::string(64u << 10, 'x')}};
  for (const auto& [start, endless] : table) {
    Systemd world;
    world.has("a.service");
    world.systemd.swallows = "ListUnitsByNames";
    world.systemd.endless = start + endless;
    world.systemd.piece = limits::conversation_piece_bytes;
    const auto outcome = world.host.run(*watching(word("a")));
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().code, Errc::too_large);
    EXPECT_THAT(outcome.error().detail, HasSubstr("says more than the 2 MiB"));
    EXPECT_LE(world.systemd.heard,
              checks::SystemdBus::heard_bytes_max + limits::conversation_piece_bytes);
  }
}

TEST(SystemdUnitCheck, AnswersThatComeByteByByteAreTheSame) {
  Systemd world;
  world.has("a.service");
  world.systemd.piece = 1;
  const auto check = watching(word("a"));
  const auto samples = world.host.run(*check);
  ASSERT_TRUE(samples) << samples.error().detail;
  EXPECT_EQ(value_of(*check, *samples, "up", "a.service"), 1);
}

TEST(SystemdUnitCheck, PropertiesOfAnotherKindAreLeftOut) {
  Systemd world;
  auto& unit = world.has("a.service");
  for (const auto* name : {"MemoryCurrent", "TasksCurrent", "NRestarts", "Type", "RemainAfterExit",
                           "ActiveEnterTimestampMonotonic", "Result"})
    unit.properties[name] = UnitValue{};
  auto& other = world.has("b.service");
  other.properties["MemoryCurrent"] = number(std::numeric_limits<std::uint64_t>::max());
  other.properties["ActiveEnterTimestampMonotonic"] =
      number(std::numeric_limits<std::uint64_t>::max() - 1);
  const auto check = watching(list_of({"a", "b"}));
  const auto samples = world.host.run(*check);
  ASSERT_TRUE(samples);
  EXPECT_THAT(
      names_of(*check, *samples),
      ElementsAre("total_seconds", "units", "unwatched", "failed", "up[a.service]",
                  "state[a.service]", "up[b.service]", "state[b.service]", "restarts[b.service]"));
}

TEST(SystemdUnitCheck, BadParametersAreComplainedOf) {
  std::vector<std::string> many(65, "a");
  const std::pair<Node, std::string> table[] = {
      {map_of({}), "unit"},
      {map_of({{"unit", list_of({})}}), "expected 1 to 64 names of units"},
      {map_of({{"unit", list_of(many)}}), "expected 1 to 64 names of units"},
      {map_of({{"unit", word("/home")}}), "systemd-escape"},
      {map_of({{"unit", word("a")}, {"except", word("worker@")}}), "a template is no unit"},
      {map_of({{"unit", word("a")}, {"bus", word("system")}}), "expected a socket's absolute path"},
  };
  for (const auto& [map, sentence] : table) {
    const auto complaints = complaints_of(systemd_unit_check(), map);
    ASSERT_FALSE(complaints.empty()) << sentence;
    EXPECT_THAT(complaints, Contains(HasSubstr(sentence)));
  }
}

}  // namespace
}  // namespace tocsin
