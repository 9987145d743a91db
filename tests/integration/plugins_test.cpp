// Real monitoring plugins under the exec check, and one that hangs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include <unistd.h>

#include <boost/json/serialize.hpp>

#include "tests/integration/agent.hpp"
#include "tests/integration/nginx.hpp"

namespace tocsin::integration {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

const std::string plugins{"/usr/lib/nagios/plugins/"};

/// The processes whose command line holds a text that only ours can hold.
std::vector<std::string> processes_with(const std::string& words) {
  std::vector<std::string> found;
  for (const auto& entry : std::filesystem::directory_iterator{"/proc"}) {
    const auto name = entry.path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    if (std::stoi(name) == getpid()) continue;
    if (read_file(entry.path() / "cmdline").find(words) != std::string::npos) found.push_back(name);
  }
  return found;
}

class Plugins : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const auto* plugin : {"check_http", "check_disk", "check_procs"})
      if (access((plugins + plugin).c_str(), X_OK) != 0)
        GTEST_SKIP() << plugin
                     << " is not installed: apt-get install monitoring-plugins-basic "
                        "monitoring-plugins-standard";
  }

  static std::string exec(const std::string& name, const std::string& command,
                          const std::string& more = "") {
    return "  - {name: " + name + ", type: exec, every: 500ms, command: [" + command + "]" + more +
           "}\n";
  }
  /// A check as the API shows it.
  json::value check(const std::string& name) const {
    for (const auto& each : items(agent_.get("/api/v1/checks").json()))
      if (text_at(each, "name") == name) return each;
    return {};
  }
  /// Waits for a check's severity; says what it is otherwise.
  testing::AssertionResult becomes(const std::string& name, const std::string& severity) const {
    json::value last;
    if (eventually([&] { return text_at(last = check(name), "severity") == severity; }))
      return testing::AssertionSuccess();
    return testing::AssertionFailure() << json::serialize(last);
  }
  double sample(const std::string& name, const std::string& label) const {
    const auto all = check(name);
    for (const auto& each : items(at(all, "samples")))
      if (text_at(each, "instance") == label || text_at(each, "name") == label)
        return at(each, "value").to_number<double>();
    return -1;
  }

  FakeReceivers receivers_;
  Agent agent_{&receivers_};
};

TEST_F(Plugins, MeasureRealTargets) {
  if (!Nginx::installed()) GTEST_SKIP() << "nginx is not installed: apt-get install nginx";
  Nginx nginx;
  nginx.start();
  agent_.configure(
      "checks:\n" +
      exec("site",
           plugins + "check_http, -H, 127.0.0.1, -p, \"" + std::to_string(nginx.port()) +
               "\", -w, \"5\", -c, \"10\"",
           ", clear: state == 0") +
      exec("root", plugins + "check_disk, -w, \"1%\", -c, \"0%\", -p, /") +
      exec("crowd", plugins + "check_procs, -w, \"0:0\", -c, \"0:100000\"") +
      exec("nothing", plugins + "check_dummy, \"3\", \"cannot say\"", ", unknown: ok"));
  agent_.start();
  EXPECT_TRUE(becomes("site", "ok"));
  EXPECT_TRUE(becomes("root", "ok"));
  EXPECT_TRUE(becomes("crowd", "warning")) << "there are processes";
  EXPECT_GT(sample("site", "time"), 0);
  EXPECT_GT(sample("site", "size"), 0);
  EXPECT_GT(sample("root", "/"), 0);
  EXPECT_GT(sample("crowd", "procs"), 0);
  EXPECT_THAT(agent_.get("/metrics").body, HasSubstr("tocsin_exec_perfdata{"));

  nginx.kill_master();
  nginx.clear_up();
  EXPECT_TRUE(becomes("site", "critical"));
  const auto incident = agent_.wait_for_incident("site", "open");
  const auto detail = json::serialize(agent_.incident(text_at(incident, "id")));
  EXPECT_THAT(detail, HasSubstr("onnect")) << "the plugin's own words are evidence";
  EXPECT_TRUE(receivers_.wait_until([](const json::value& state) {
    const auto& events = items(at(state, "pagerduty", "events"));
    return std::any_of(events.begin(), events.end(), [](const json::value& event) {
      return text_at(event, "dedup_key").find("/site/") != std::string::npos;
    });
  }));
  nginx.start();
  EXPECT_TRUE(becomes("site", "ok"));
}

TEST_F(Plugins, ThatHangCostTheirOwnCheckOnlyAndLeaveNobodyBehind) {
  // A shell that ignores being asked nicely, with a child of its own: a whole group has to go. The
  // folder's name is in both command lines and in nobody else's.
  const auto script =
      agent_.folder().write("hang.sh", "trap '' TERM HUP INT\n/usr/bin/tail -f \"$1\"\n");
  const auto waited_for = agent_.folder().write("quiet", "");
  agent_.configure("checks:\n" +
                   exec("hung", "/bin/sh, " + script + ", " + waited_for, ", timeout: 300ms") +
                   exec("well", plugins + "check_dummy, \"0\"") +
                   "  - {name: load, type: load, every: 500ms}\n");
  agent_.start();
  EXPECT_TRUE(eventually([&] {
    return agent_.metric("tocsin_check_runs_total{check=\"hung\",outcome=\"timed_out\"}") >= 3;
  })) << agent_.get("/metrics").body;
  EXPECT_THAT(text_at(check("hung"), "why"), HasSubstr("300ms"));
  EXPECT_TRUE(becomes("well", "ok"));
  const auto hung = agent_.metric("tocsin_check_runs_total{check=\"hung\",outcome=\"timed_out\"}");
  for (const auto* name : {"well", "load"}) {
    const auto runs = agent_.metric("tocsin_check_runs_total{check=\"" + std::string{name} +
                                    "\",outcome=\"measured\"}");
    EXPECT_GE(runs + 1, hung) << name << " kept its pace";
  }
  agent_.stop();
  EXPECT_TRUE(eventually([&] { return processes_with(waited_for).empty(); }))
      << testing::PrintToString(processes_with(waited_for));
}

TEST_F(Plugins, OfEarlierRunsAreGoneBeforeTheNextOne) {
  const auto script = agent_.folder().write("hang.sh", "trap '' TERM\n/usr/bin/tail -f \"$1\"\n");
  const auto waited_for = agent_.folder().write("quiet", "");
  agent_.configure("checks:\n" +
                   exec("hung", "/bin/sh, " + script + ", " + waited_for, ", timeout: 200ms"));
  agent_.start();
  EXPECT_TRUE(eventually([&] {
    return agent_.metric("tocsin_check_runs_total{check=\"hung\",outcome=\"timed_out\"}") >= 5;
  }));
  EXPECT_LE(processes_with(waited_for).size(), 4u) << "two shells with their children at most";
  agent_.stop();
  EXPECT_TRUE(eventually([&] { return processes_with(waited_for).empty(); }));
}

TEST_F(Plugins, ThatGoWhenAskedLeaveNoStubbornChild) {
  const auto script =
      agent_.folder().write("hang.sh", "(trap '' TERM; exec /usr/bin/tail -f \"$1\") &\nwait\n");
  const auto waited_for = agent_.folder().write("quiet", "");
  agent_.configure("checks:\n" +
                   exec("hung", "/bin/sh, " + script + ", " + waited_for, ", timeout: 200ms"));
  agent_.start();
  EXPECT_TRUE(eventually([&] {
    return agent_.metric("tocsin_check_runs_total{check=\"hung\",outcome=\"timed_out\"}") >= 5;
  }));
  EXPECT_LE(processes_with(waited_for).size(), 4u);
  agent_.stop();
  EXPECT_TRUE(eventually([&] { return processes_with(waited_for).empty(); }))
      << testing::PrintToString(processes_with(waited_for));
}

TEST_F(Plugins, ThatPrintWithoutEndAreCutOff) {
  agent_.configure("checks:\n" + exec("loud", "/usr/bin/yes", ", timeout: 300ms") +
                   exec("well", plugins + "check_dummy, \"0\""));
  agent_.start();
  EXPECT_TRUE(becomes("well", "ok"));
  EXPECT_TRUE(eventually([&] {
    return agent_.metric("tocsin_check_runs_total{check=\"well\",outcome=\"measured\"}") >= 3;
  }));
  const auto status = read_file("/proc/" + std::to_string(agent_.program().pid()) + "/status");
  const auto at = status.find("VmRSS:");
  ASSERT_NE(at, std::string::npos);
  EXPECT_LT(std::stoi(status.substr(at + 6)), 200'000) << "kB";
}

TEST_F(Plugins, AreNoShell) {
  agent_.configure("checks:\n" + exec("quiet", plugins + "check_dummy, \"0\", \"$(touch " +
                                                   (agent_.folder() / "touched") + "); `id`\""));
  agent_.start();
  EXPECT_TRUE(becomes("quiet", "ok"));
  EXPECT_FALSE(std::filesystem::exists(agent_.folder() / "touched"));
}

}  // namespace
}  // namespace tocsin::integration
