#include "checks/exec.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <limits>

#include "agent/runtime/processes.hpp"
#include "agent/runtime/real_clock.hpp"
#include "checks/perfdata.hpp"
#include "checks/range.hpp"
#include "tests/unit/checks/made_check.hpp"

namespace tocsin {
namespace {

using namespace std::chrono_literals;
using checks::parse_plugin_output;
using checks::parse_range;
using checks_test::complaints_of;
using checks_test::list_of;
using checks_test::made;
using checks_test::map_of;
using checks_test::word;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(Range, FollowsTheGuidelines) {
  struct Row {
    const char* text;
    std::vector<double> good, bad;
  };
  const Row table[] = {
      {"10", {0, 5, 10}, {-0.1, 10.1}},
      {"10:", {10, 1e12}, {9.99, -1}},
      {"~:10", {-1e12, 10}, {10.01}},
      {"10:20", {10, 15, 20}, {9.9, 20.1}},
      {"@10:20", {9.9, 20.1}, {10, 15, 20}},
      {"@10", {-1, 11}, {0, 10}},
      {":10", {0, 10}, {-1, 11}},
      {"@~:0", {0.1}, {0, -5}},
      {"-5:-1", {-5, -1}, {0, -6}},
      {"~:", {-1e300, 1e300}, {}},
      {"1.5:2.5e1", {1.5, 25}, {1.4, 26}},
      {"0", {0}, {1, -1}},
      {"5:5", {5}, {4, 6}},
  };
  for (const auto& row : table) {
    const auto range = parse_range(row.text);
    ASSERT_TRUE(range) << row.text;
    for (const double value : row.good) EXPECT_FALSE(range->alerts(value)) << row.text << value;
    for (const double value : row.bad) EXPECT_TRUE(range->alerts(value)) << row.text << value;
    EXPECT_FALSE(range->alerts(std::numeric_limits<double>::quiet_NaN()));
  }
}

TEST(Range, IsRefusedWhenItIsNone) {
  for (const auto* text : {"", "@", "~", "20:10", "a", "10:b", "1,5", "10:20:30", "inf", "~:inf",
                           "10 ", " 10", "@@1", "1:~", "0x10", "--1", "nan:"})
    EXPECT_FALSE(parse_range(text)) << text;
}

std::vector<std::pair<std::string, double>> values_of(std::string_view text) {
  checks::PluginOutput out;
  checks::parse_perfdata(text, out);
  std::vector<std::pair<std::string, double>> values;
  for (const auto& value : out.values) values.emplace_back(value.label, value.value);
  return values;
}

TEST(Perfdata, IsReadInBaseUnits) {
  const std::pair<const char*, std::pair<std::string, double>> table[] = {
      {"time=0.5s", {"time", 0.5}},
      {"t=250ms;1;2;0;", {"t", 0.25}},
      {"t=5us", {"t", 5e-6}},
      {"t=5ns", {"t", 5e-9}},
      {"used=42%;80;90", {"used", 0.42}},
      {"size=1B", {"size", 1}},
      {"size=2KB", {"size", 2048}},
      {"size=1MB", {"size", 1048576}},
      {"size=1GB", {"size", 1073741824}},
      {"size=1TB", {"size", 1099511627776}},
      {"requests=77c", {"requests", 77}},
      {"load1=0.260;5.000;4.000;0;", {"load1", 0.26}},
      {"'a b'=1", {"a b", 1}},
      {"'it''s'=1", {"it's", 1}},
      {"'/'=1MB;2;3;0;4", {"/", 1048576}},
      {"x=-1.5e3", {"x", -1500}},
      {"x=+2", {"x", 2}},
      {"x=.5", {"x", 0.5}},
      {"x=5parsecs", {"x", 5}},
  };
  for (const auto& [text, expected] : table) {
    const auto values = values_of(text);
    ASSERT_EQ(values.size(), 1u) << text;
    EXPECT_EQ(values[0].first, expected.first) << text;
    EXPECT_DOUBLE_EQ(values[0].second, expected.second) << text;
  }
}

TEST(Perfdata, WhatIsNotOfTheFormIsPassedOver) {
  checks::PluginOutput out;
  checks::parse_perfdata("good=1 bad=1,23 =3 noequals 'open=4 x=inf y= z=0x1F late=2", out);
  ASSERT_EQ(out.values.size(), 2u);
  EXPECT_EQ(out.values[0].label, "good");
  EXPECT_EQ(out.values[1].label, "late");
  EXPECT_EQ(out.unreadable, 7u);
}

TEST(Perfdata, UndeterminedIsNotANumberAndTheFirstOfALabelCounts) {
  const auto values = values_of("a=U b=1 b=2");
  ASSERT_EQ(values.size(), 2u);
  EXPECT_TRUE(std::isnan(values[0].second));
  EXPECT_DOUBLE_EQ(values[1].second, 1);
}

TEST(Perfdata, IsBounded) {
  std::string text;
  for (int i = 0; i < 2000; ++i) text += "l" + std::to_string(i) + "=1 ";
  EXPECT_EQ(values_of(text).size(), 500u);
}

TEST(PluginOutput, IsTakenApart) {
  const auto out = parse_plugin_output(
      "DISK OK - free: 1 MB | /=2MB;3;4;0;5\nmore text\n\nlast words | /boot=1MB\n/home=2MB "
      "/var=3MB\n");
  EXPECT_EQ(out.first_line, "DISK OK - free: 1 MB");
  EXPECT_THAT(out.long_lines, ElementsAre("more text", "last words"));
  ASSERT_EQ(out.values.size(), 4u);
  EXPECT_EQ(out.values[0].critical, (checks::Range{0, 4, false}));
  EXPECT_EQ(out.values[3].label, "/var");
}

TEST(PluginOutput, AnyBytesAreTaken) {
  EXPECT_EQ(parse_plugin_output("").first_line, "");
  EXPECT_EQ(parse_plugin_output("|").values.size(), 0u);
  EXPECT_EQ(parse_plugin_output("a\xff\x01|'").first_line, "a\xef\xbf\xbd");
}

struct ExecHost : fakes::FakeHost {
  std::unique_ptr<Check> check{
      made(exec_check(), map_of({{"command", list_of({"/opt/check_it", "-w", "1"})}}))};
};

TEST(Exec, VerdictAndNumbersBecomeSamples) {
  ExecHost host;
  host.processes.answer("/opt/check_it", 2, "BAD - it is 'broken' | depth=7 lag=30ms\n");
  const auto samples = host.run(*host.check);
  ASSERT_TRUE(samples) << samples.error().detail;
  EXPECT_EQ(fakes::value_of(*host.check, *samples, "state"), 2);
  EXPECT_TRUE(fakes::value_of(*host.check, *samples, "seconds"));
  EXPECT_EQ(fakes::value_of(*host.check, *samples, "perfdata", "depth"), 7);
  EXPECT_EQ(fakes::value_of(*host.check, *samples, "perfdata", "lag"), 0.03);
  EXPECT_THAT(host.processes.requests.at(0).command, ElementsAre("/opt/check_it", "-w", "1"));
}

TEST(Exec, NumbersMayBeLeftOut) {
  fakes::FakeHost host;
  const auto check = made(exec_check(), map_of({{"command", list_of({"/opt/check_it"})},
                                                {"perfdata", word("false")},
                                                {"environment", map_of({{"A", word("b")}})}}));
  host.processes.answer("/opt/check_it", 0, "OK | depth=7\n");
  EXPECT_EQ(host.run(*check)->size(), 2u);
  EXPECT_THAT(host.processes.requests.at(0).environment, ElementsAre("A=b"));
}

TEST(Exec, WhatIsNoVerdictIsAnError) {
  struct Row {
    CommandOutcome outcome;
    Errc code;
    std::string sentence;
  };
  const Row table[] = {
      {{.exit_code = 3, .output = "UNKNOWN - no such device\n"},
       Errc::refused,
       "check_it says UNKNOWN: UNKNOWN - no such device"},
      {{.exit_code = 3}, Errc::refused, "it printed nothing"},
      {{.exit_code = 127, .error_output = "not found\n"},
       Errc::protocol,
       "check_it ended with exit code 127, which is no plugin state (0 to 3): not found"},
      {{.exit_code = 0, .signal = 9, .output = "half"}, Errc::protocol, "ended by signal 9: half"},
      {{.exit_code = 0, .signal = 15, .timed_out = true}, Errc::timed_out, "without a verdict"},
  };
  for (const auto& row : table) {
    ExecHost host;
    host.processes.answer("/opt/check_it", row.outcome);
    const auto samples = host.run(*host.check);
    ASSERT_FALSE(samples) << row.sentence;
    EXPECT_EQ(samples.error().code, row.code);
    EXPECT_THAT(samples.error().detail, HasSubstr(row.sentence));
  }
  ExecHost absent;
  EXPECT_EQ(absent.run(*absent.check).error().code, Errc::missing);
}

TEST(Exec, EvidenceIsWhatThePluginSaid) {
  ExecHost host;
  CommandOutcome outcome{.exit_code = 2,
                         .output = "CRIT - full | used=97%;80;90 free=1GB\nmost in /var/log\n",
                         .error_output = "warning: slow\n"};
  host.processes.answer("/opt/check_it", outcome);
  ASSERT_TRUE(host.run(*host.check));
  const auto evidence = host.evidence(*host.check);
  EXPECT_THAT(evidence.lines,
              ElementsAre("CRIT - full", "used is 97%: beyond its own critical range",
                          "most in /var/log", "stderr: warning: slow"));
  EXPECT_EQ(evidence.probable_cause, "CRIT - full");
}

TEST(Exec, EvidenceIsBounded) {
  ExecHost host;
  std::string output = "CRIT " + std::string(60'000, 'x') + "\n";
  for (int i = 0; i < 1000; ++i) output += "line\n";
  host.processes.answer("/opt/check_it", 2, output);
  ASSERT_TRUE(host.run(*host.check));
  const auto evidence = host.evidence(*host.check);
  EXPECT_EQ(evidence.lines.size(), limits::evidence_lines);
  EXPECT_LE(evidence.lines[0].size(), limits::evidence_line_characters + 2);
}

TEST(Exec, BadParametersAreComplainedOf) {
  EXPECT_THAT(complaints_of(exec_check(), map_of({})), Not(IsEmpty()));
  EXPECT_THAT(complaints_of(exec_check(), map_of({{"command", list_of({})}})),
              ElementsAre(HasSubstr("expected the program first")));
  EXPECT_THAT(complaints_of(exec_check(), map_of({{"command", list_of({"x"})},
                                                  {"environment", map_of({{"A=B", word("c")}})}})),
              ElementsAre(HasSubstr("a variable's name")));
}

/// Real plugins, run by the real processes.
class RealPlugins : public ::testing::Test {
 protected:
  static constexpr const char* folder = "/usr/lib/nagios/plugins/";
  void SetUp() override {
    if (::access("/usr/lib/nagios/plugins/check_dummy", X_OK) != 0)
      GTEST_SKIP() << "monitoring-plugins-basic is not installed: real plugins were NOT tested";
  }

  asio::awaitable<void> run_once(Check& check, CheckContext& context) {
    auto running = check.run(context);
    result = co_await std::move(running);
  }

  Result<Samples> run(Check& check, Duration timeout = 10s) {
    CheckContext context{host.files,        clock,
                         host.no_network,   processes,
                         host.helper,       host.pressure,
                         host.kernel_clock, host.memory,
                         host.nudge,        clock.steady() + timeout};
    fakes::run_to_end(host.loop, run_once(check, context));
    return result;
  }

  static std::unique_ptr<Check> plugin(std::vector<std::string> command) {
    command.front() = folder + command.front();
    return made(exec_check(), map_of({{"command", list_of(std::move(command))}}));
  }

  fakes::FakeHost host;
  runtime::RealClock clock;
  runtime::RealProcesses processes{host.loop.get_executor(), clock};
  Result<Samples> result{Samples{}};
};

TEST_F(RealPlugins, StatesAreTheirExitCodes) {
  for (const int state : {0, 1, 2}) {
    const auto check = plugin({"check_dummy", std::to_string(state), "as told"});
    const auto samples = run(*check);
    ASSERT_TRUE(samples) << samples.error().detail;
    EXPECT_EQ(fakes::value_of(*check, *samples, "state"), state);
    EXPECT_THAT(host.evidence(*check).lines.at(0), HasSubstr("as told"));
  }
  const auto check = plugin({"check_dummy", "3", "as told"});
  const auto samples = run(*check);
  ASSERT_FALSE(samples);
  EXPECT_THAT(samples.error().detail, HasSubstr("check_dummy says UNKNOWN: UNKNOWN: as told"));
}

TEST_F(RealPlugins, TheirNumbersAreRead) {
  const auto load = plugin({"check_load", "-w", "900,900,900", "-c", "999,999,999"});
  const auto samples = run(*load);
  ASSERT_TRUE(samples) << samples.error().detail;
  for (const auto* label : {"load1", "load5", "load15"})
    EXPECT_TRUE(fakes::value_of(*load, *samples, "perfdata", label)) << label;

  const auto processes_check = plugin({"check_procs", "-c", "1:"});
  const auto counted = run(*processes_check);
  ASSERT_TRUE(counted) << counted.error().detail;
  EXPECT_GE(fakes::value_of(*processes_check, *counted, "perfdata", "procs"), 1);

  const auto disk = plugin({"check_disk", "-w", "1", "-c", "1", "-p", "/"});
  const auto measured = run(*disk);
  ASSERT_TRUE(measured) << measured.error().detail;
  EXPECT_GT(fakes::value_of(*disk, *measured, "perfdata", "/").value_or(0), 1e6);
}

TEST_F(RealPlugins, ARefusedConnectionIsTheirVerdict) {
  const auto check = plugin({"check_tcp", "-H", "127.0.0.1", "-p", "1"});
  const auto samples = run(*check);
  ASSERT_TRUE(samples) << samples.error().detail;
  EXPECT_EQ(fakes::value_of(*check, *samples, "state"), 2);
}

TEST_F(RealPlugins, AMissingOneIsAnErrorAndAHangingOneIsEnded) {
  EXPECT_EQ(run(*plugin({"check_absent"})).error().code, Errc::missing);
  const auto sleeper = made(exec_check(), map_of({{"command", list_of({"sleep", "60"})}}));
  const auto ended = run(*sleeper, 200ms);
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().code, Errc::timed_out);
}

}  // namespace
}  // namespace tocsin
