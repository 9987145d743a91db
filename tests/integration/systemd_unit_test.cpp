// A real systemd: a service that is killed, one that loops, units that are not there, one that is
// stopped, what a failed one drags along, and buses that are dead or good for nothing.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <boost/json/serialize.hpp>
#include <filesystem>

#include "tests/integration/agent.hpp"
#include "tests/integration/scripted_server.hpp"
#include "tests/integration/user_systemd.hpp"

namespace tocsin::integration {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;

constexpr const char* web = "tocsin-web.service";

/// Why a check is not ok, as the API has it.
std::string why(const Agent& agent, std::string_view check) {
  for (const auto& each : items(agent.get("/api/v1/checks").json()))
    if (text_at(each, "name") == check) return text_at(each, "why");
  return {};
}

class SystemdUnit : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto hindrance = UserSystemd::hindrance();
    if (!hindrance.empty()) GTEST_SKIP() << "SYSTEMD IS NOT TESTED: " << hindrance;
    service("tocsin-web", "ExecStart=/bin/sleep 3600\n");
    systemd_.start();
    start(web);
  }

  void service(const std::string& name, const std::string& settings,
               const std::string& of_unit = "") const {
    systemd_.write(name + ".service",
                   "[Unit]\nDefaultDependencies=no\n" + of_unit + "[Service]\n" + settings);
  }
  void start(const std::string& unit) const {
    const auto started = systemd_.control({"start", unit});
    EXPECT_EQ(started.code, 0) << started.errors;
  }

  /// One check, by the name of `units`.
  void watch(const std::string& keys, const std::string& bus, const std::string& hold = "500ms") {
    agent_.configure(
        "checks:\n  - name: units\n    type: systemd_unit\n    every: 300ms\n    bus: " + bus +
            "\n" + keys + "    critical: up < 1 for " + hold + "\n    clear: up >= 1\n",
        "  recover_hold: 1s\n");
    agent_.start();
  }
  bool has_sample(double value, const std::string& name, const std::string& instance = "") const {
    return eventually([&] { return sample(name, instance) == value; });
  }
  /// A sample as the API shows it, -1 when there is none.
  double sample(const std::string& name, const std::string& instance = "") const {
    for (const auto& check : items(agent_.get("/api/v1/checks").json()))
      for (const auto& each : items(at(check, "samples")))
        if (text_at(each, "name") == name && text_at(each, "instance") == instance)
          return at(each, "value").to_number<double>();
    return -1;
  }
  /// The open incident once its evidence is there.
  json::value breach() {
    const auto id = text_at(agent_.wait_for_incident("units", "open", 40s), "id");
    json::value incident;
    EXPECT_TRUE(eventually([&] {
      incident = agent_.incident(id);
      return !items(at(incident, "alerts", 0, "evidence", "lines")).empty();
    })) << json::serialize(incident);
    return incident;
  }
  static std::string evidence_of(const json::value& incident, std::size_t line) {
    return text_at(incident, "alerts", 0, "evidence", "lines", line);
  }
  static std::string cause_of(const json::value& incident) {
    return text_at(incident, "summary", "probable_cause");
  }

  UserSystemd systemd_;
  FakeReceivers receivers_;
  Agent agent_{&receivers_};
};

TEST_F(SystemdUnit, AServiceThatIsKilledPagesWithTheSignalAndRecovers) {
  watch("    unit: tocsin-web\n", systemd_.own_socket());
  ASSERT_TRUE(has_sample(1, "up", web));
  EXPECT_EQ(sample("state", web), 1);
  EXPECT_EQ(sample("restarts", web), 0);
  EXPECT_GE(sample("active_seconds", web), 0);
  EXPECT_LT(sample("active_seconds", web), 60);
  const auto pid = systemd_.main_pid(web);
  ::kill(pid, SIGKILL);
  const auto incident = breach();
  EXPECT_THAT(text_at(incident, "title"),
              HasSubstr("CRITICAL: units on web-1: up 0 < 1 (tocsin-web.service)"));
  EXPECT_THAT(evidence_of(incident, 0),
              MatchesRegex("tocsin-web.service failed .* ago: its main process \\(pid " +
                           std::to_string(pid) + "\\) was killed by signal 9 \\(KILL\\)"));
  EXPECT_EQ(cause_of(incident), evidence_of(incident, 0));
  EXPECT_EQ(sample("state", web), 5);
  EXPECT_EQ(sample("failed"), 1);
  ASSERT_TRUE(receivers_.wait_until(
      [](const json::value& state) { return !items(at(state, "pagerduty", "events")).empty(); }));
  EXPECT_THAT(json::serialize(at(receivers_.state(), "pagerduty", "events", 0, "body")),
              HasSubstr("was killed by signal 9 (KILL)"));

  start(web);
  const auto over = agent_.wait_for_incident("units", "resolved", 40s);
  EXPECT_EQ(text_at(over, "summary", "recovery_estimate"), "recovered");
  EXPECT_EQ(sample("up", web), 1);
}

TEST_F(SystemdUnit, ALoopThatSystemdGivesUpIsSaidToBeOne) {
  const auto script = systemd_.folder().write(
      "loop.sh", "[ -e " + (systemd_.folder() / "well") + " ] && exec sleep 3600\nexit 3\n");
  systemd_.folder().write("well", "");
  service("tocsin-loop", "ExecStart=/bin/sh " + script + "\nRestart=on-failure\nRestartSec=400ms\n",
          "StartLimitBurst=4\nStartLimitIntervalSec=60\n");
  systemd_.reload();
  start("tocsin-loop.service");
  watch("    unit: tocsin-loop\n", systemd_.own_socket(), "4s");
  ASSERT_TRUE(has_sample(1, "up", "tocsin-loop.service"));
  std::filesystem::remove(systemd_.folder() / "well");
  ::kill(systemd_.main_pid("tocsin-loop.service"), SIGKILL);
  const auto incident = breach();
  EXPECT_THAT(text_at(incident, "title"), HasSubstr("up 0 < 1 (tocsin-loop.service)"));
  ASSERT_TRUE(has_sample(5, "state", "tocsin-loop.service"));
  EXPECT_TRUE(has_sample(4, "restarts", "tocsin-loop.service"));
  EXPECT_THAT(evidence_of(incident, 0),
              MatchesRegex("tocsin-loop.service failed .* ago: its main process \\(pid [0-9]+\\) "
                           "exited with status 3; systemd has given up starting it \\(4 starts in "
                           "1m are its limit\\); started again by systemd 4x in the last 10m"));

  systemd_.folder().write("well", "");
  systemd_.control({"reset-failed", "tocsin-loop.service"});
  start("tocsin-loop.service");
  agent_.wait_for_incident("units", "resolved", 40s);
  EXPECT_EQ(sample("restarts", "tocsin-loop.service"), 4) << "they were, and still count";
}

TEST_F(SystemdUnit, UnitsThatAreMissingMaskedOrSkippedAreDownAndOthersAreNot) {
  service("tocsin-batch", "Type=oneshot\nExecStart=/bin/true\n");
  service("tocsin-setup", "Type=oneshot\nRemainAfterExit=yes\nExecStart=/bin/true\n");
  service("tocsin-skipped", "ExecStart=/bin/sleep 3600\n", "ConditionPathExists=/nowhere\n");
  systemd_.write("tocsin-batch.timer", "[Unit]\nDefaultDependencies=no\n[Timer]\nOnActiveSec=1h\n");
  systemd_.write("tocsin-door.socket",
                 "[Unit]\nDefaultDependencies=no\n[Socket]\nListenStream=%t/door\nService=" +
                     std::string{web} + "\n");
  // systemd forgets a unit that does not run and that nobody wants.
  systemd_.write("tocsin-all.target",
                 "[Unit]\nDefaultDependencies=no\nWants=tocsin-skipped.service\n");
  std::filesystem::create_symlink("/dev/null", systemd_.folder() / "units/tocsin-masked.service");
  systemd_.reload();
  for (const auto* unit :
       {"tocsin-batch.service", "tocsin-setup.service", "tocsin-all.target", "tocsin-batch.timer"})
    start(unit);
  watch(
      "    unit: [tocsin-gone, tocsin-masked, tocsin-skipped, tocsin-batch, tocsin-setup, "
      "tocsin-batch.timer, tocsin-w*, \"no-*.mount\"]\n",
      systemd_.own_socket());
  ASSERT_TRUE(has_sample(0, "up", "tocsin-gone.service"));
  EXPECT_EQ(sample("up", "tocsin-masked.service"), 0);
  EXPECT_EQ(sample("up", "tocsin-skipped.service"), 0);
  EXPECT_EQ(sample("up", "tocsin-batch.service"), 1) << "it has run and is done";
  EXPECT_EQ(sample("up", "tocsin-setup.service"), 1);
  EXPECT_EQ(sample("up", "tocsin-batch.timer"), 1);
  EXPECT_EQ(sample("up", web), 1);
  EXPECT_EQ(sample("up", "no-*.mount"), 0);
  EXPECT_EQ(sample("state", "tocsin-gone.service"), -1);
  EXPECT_EQ(sample("units"), 6);
  const auto incident = breach();
  EXPECT_EQ(evidence_of(incident, 0),
            "systemd has no unit tocsin-gone.service: it is not installed, was removed or has "
            "another name");
  EXPECT_EQ(evidence_of(incident, 1),
            "tocsin-masked.service is masked: it cannot be started before `systemctl unmask`");
  EXPECT_THAT(evidence_of(incident, 2),
              HasSubstr("systemd skipped it, for a Condition…= of it does not hold"));
  EXPECT_EQ(evidence_of(incident, 3), "systemd has loaded no unit that fits \"no-*.mount\"");
}

TEST_F(SystemdUnit, AFailedBatchAndWhatNeedsItAreDown) {
  service("tocsin-migrate", "Type=oneshot\nExecStart=/bin/sh -c 'exit 7'\n");
  service("tocsin-app", "ExecStart=/bin/sleep 3600\n",
          "Requires=tocsin-migrate.service\nAfter=tocsin-migrate.service\n");
  service("tocsin-absent", "ExecStart=/nowhere/at/all\n");
  systemd_.reload();
  systemd_.control({"start", "tocsin-app.service"});
  systemd_.control({"start", "tocsin-absent.service"});
  watch("    unit: [tocsin-app, tocsin-migrate, tocsin-absent]\n", systemd_.own_socket());
  const auto incident = breach();
  EXPECT_THAT(evidence_of(incident, 0),
              HasSubstr("; it needs tocsin-migrate.service, which failed"));
  EXPECT_THAT(evidence_of(incident, 1),
              ContainsRegex("tocsin-migrate.service failed .*exited with status 7$"));
  EXPECT_THAT(evidence_of(incident, 2),
              HasSubstr("exited with status 203: its program could not be executed"));
}

TEST_F(SystemdUnit, ABusWithADaemonIsAskedAsWellAndItsDeathIsNotTheServices) {
  systemd_.start_bus();
  watch("    unit: tocsin-web\n", systemd_.bus_socket());
  ASSERT_TRUE(has_sample(1, "up", web));
  // systemd would start the daemon again for whoever comes.
  systemd_.control({"stop", "dbus.socket", "dbus.service"});
  ASSERT_TRUE(
      eventually([&] { return why(agent_, "units").find("failed: ") != std::string::npos; }));
  EXPECT_THAT(why(agent_, "units"), HasSubstr("the units' states are not known: connect to " +
                                              systemd_.bus_socket() + " failed: "));
  start("dbus.service");
  ASSERT_TRUE(has_sample(1, "up", web));
  EXPECT_TRUE(items(agent_.incidents()).empty()) << "a bus may be started again";

  ::kill(systemd_.main_pid(web), SIGTERM);
  const auto down = breach();
  EXPECT_THAT(evidence_of(down, 0), HasSubstr("tocsin-web.service is stopped"));
}

TEST_F(SystemdUnit, WhatItSaidLastIsReadInTheJournal) {
  service("tocsin-talker",
          "ExecStart=/bin/sh -c 'echo reading settings; echo token=hunter2hunter2 is refused >&2; "
          "exit 1'\n");
  systemd_.reload();
  agent_.start_by(systemd_.inside());
  systemd_.control({"start", "tocsin-talker.service"});
  watch("    unit: [tocsin-talker, tocsin-web]\n", systemd_.own_socket());
  const auto incident = breach();
  EXPECT_THAT(evidence_of(incident, 0), ContainsRegex("tocsin-talker.service failed .*status 1$"));
  EXPECT_EQ(evidence_of(incident, 1), "the journal's last lines on tocsin-talker.service:");
  EXPECT_THAT(evidence_of(incident, 2), ContainsRegex("sh\\[[0-9]+\\]: reading settings"));
  EXPECT_THAT(evidence_of(incident, 3), HasSubstr("token=<redacted> is refused"));
  EXPECT_THAT(json::serialize(receivers_.state()), Not(HasSubstr("hunter2")));
}

struct BadBus {
  std::string name;
  ScriptedServer::Script script;
  std::string told;
};

const std::string let_in = "DATA\r\nOK 0123456789abcdef0123456789abcdef\r\n";

std::vector<BadBus> bad_buses() {
  // A signal that nobody asked for, and the head of an answer of a hundred megabytes.
  const std::string signal{
      "l\4\1\1\0\0\0\0\1\0\0\0\x1f\0\0\0\1\1o\0\1\0\0\0/\0\0\0\0\0\0\0\2\1s\0\3\0\0\0a.b\0\0\0\0\0",
      48};
  const std::string giant{"l\2\1\1\0\0\x40\6\1\0\0\0\x08\0\0\0\5\1u\0\1\0\0\0", 24};
  const auto after_login = [](const std::string& once, const std::string& ever) {
    return [=](const Peer& peer) {
      if (!peer.hear() || !peer.say(let_in + once)) return;
      if (ever.empty()) return peer.wait();
      while (peer.say(ever)) continue;
    };
  };
  std::string signals;
  for (int i = 0; i < 300; ++i) signals += signal;
  return {
      {"silent", [](const Peer& peer) { peer.wait(); },
       "took the connection and did not answer in time"},
      {"lets-in", after_login("", ""), "did not let tocsin in in time"},
      {"drips",
       [](const Peer& peer) {
         if (!peer.hear()) return;
         for (const char byte : let_in + std::string(1000, 'l')) {
           if (!peer.say(std::string(1, byte))) return;
           std::this_thread::sleep_for(100ms);
         }
       },
       "did not let tocsin in in time"},
      {"closes", [](const Peer& peer) { peer.hear(); },
       "closed the connection before it let tocsin in"},
      {"other",
       [](const Peer& peer) {
         while (peer.say("HTTP/1.1 400 Bad\r\n")) continue;
       },
       "the units' states are not known: "},
      {"signals", after_login("", signals), "the units' states are not known: "},
      {"giant", after_login(giant, std::string(1u << 16, 'x')),
       "says more than the 2 MiB that a look at units may take"},
  };
}

TEST(SystemdPeers, ThatMisbehaveCostTheirOwnCheckOneTimeout) {
  std::vector<std::unique_ptr<ScriptedServer>> servers;
  const Folder sockets;
  Agent agent;
  const auto buses = bad_buses();
  std::string checks = "checks:\n  - {name: load, type: load, every: 200ms}\n";
  for (const auto& bus : buses) {
    const auto place = sockets / bus.name;
    servers.push_back(std::make_unique<ScriptedServer>(bus.script, place));
    checks += "  - {name: " + bus.name +
              ", type: systemd_unit, every: 1s, timeout: 900ms, bus: " + place + ", unit: nginx}\n";
  }
  agent.configure(checks);
  agent.start();
  const auto first = kilobytes(agent.program().pid(), "VmRSS:");
  for (const auto& bus : buses) {
    EXPECT_TRUE(eventually([&] { return !why(agent, bus.name).empty(); }));
    EXPECT_THAT(why(agent, bus.name), HasSubstr(bus.told)) << bus.name;
  }
  const auto runs = [&](const std::string& name) {
    double all = 0;
    for (const auto* outcome : {"measured", "failed", "timed_out"}) {
      const auto count = agent.metric("tocsin_check_runs_total{check=\"" + name + "\",outcome=\"" +
                                      outcome + "\"}");
      if (count > 0) all += count;
    }
    return all;
  };
  EXPECT_TRUE(eventually([&] { return runs("silent") >= 5; }));
  EXPECT_GE(runs("load"), 12) << "the others keep their pace";
  EXPECT_LT(kilobytes(agent.program().pid(), "VmHWM:") - first, 24 << 10) << "in KiB";
  const std::filesystem::directory_iterator descriptors{
      "/proc/" + std::to_string(agent.program().pid()) + "/fd"};
  EXPECT_LT(std::distance(begin(descriptors), end(descriptors)), 100);
  agent.stop();
}

}  // namespace
}  // namespace tocsin::integration
