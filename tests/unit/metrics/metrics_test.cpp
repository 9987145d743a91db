#include <stdlib.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>

#include <gtest/gtest.h>

#include "agent/metrics/exposition.hpp"
#include "agent/metrics/instruments.hpp"
#include "agent/metrics/metric_name.hpp"
#include "agent/metrics/sample_families.hpp"

namespace tocsin::metrics {
namespace {

using namespace std::chrono_literals;

SampleSpec spec(std::string name, Unit unit, std::string instance_label = "") {
  return {std::move(name), unit, "What it is.", std::move(instance_label), false};
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(MetricName, UnitsAreBaseAndSaidOnce) {
  const struct {
    const char* type;
    const char* sample;
    Unit unit;
    const char* expected;
  } cases[] = {
      {"memory", "available_ratio", Unit::ratio, "tocsin_memory_available_ratio"},
      {"memory", "available_bytes", Unit::bytes, "tocsin_memory_available_bytes"},
      {"memory", "available", Unit::bytes, "tocsin_memory_available_bytes"},
      {"load", "load1", Unit::none, "tocsin_load_load1"},
      {"disk", "hours_to_full", Unit::hours, "tocsin_disk_to_full_seconds"},
      {"tls", "certificate_days", Unit::days, "tocsin_tls_certificate_seconds"},
      {"http", "total_seconds", Unit::seconds, "tocsin_http_total_seconds"},
      {"exec", "seconds", Unit::seconds, "tocsin_exec_seconds"},
      {"memory", "swap_in_bytes_per_second", Unit::bytes_per_second,
       "tocsin_memory_swap_in_bytes_per_second"},
      {"memory", "swap_in", Unit::bytes_per_second, "tocsin_memory_swap_in_bytes_per_second"},
      {"queue", "in_per_second", Unit::per_second, "tocsin_queue_in_per_second"},
      {"process", "count", Unit::none, "tocsin_process_number"},
      {"process", "restarts", Unit::none, "tocsin_process_restarts"},
      {"log", "error_matches", Unit::none, "tocsin_log_error_matches"},
      {"x", "path_d_m_ms", Unit::none, "tocsin_x_path_day_minute_in_thousandths"},
      {"x", "milliseconds", Unit::none, "tocsin_x_millisecond"},
      {"x", "requests_total", Unit::none, "tocsin_x_requests_overall"},
      {"x", "Weird-Name:here", Unit::none, "tocsin_x_weird_name_here"}};
  for (const auto& one : cases)
    EXPECT_EQ(metric_name(one.type, spec(one.sample, one.unit)), one.expected);
}

TEST(LabelName, ConfiguredLabelsNeverHideOurs) {
  EXPECT_EQ(label_name("team", "mount"), "team");
  EXPECT_EQ(label_name("check", "mount"), "configured_check");
  EXPECT_EQ(label_name("mount", "mount"), "configured_mount");
  EXPECT_EQ(label_name("le", ""), "configured_le");
  EXPECT_EQ(label_name("a-b.c", ""), "a_b_c");
  EXPECT_EQ(label_name("1st", ""), "configured_1st");
}

TEST(Negotiation, OpenMetricsOnlyWhenItIsPreferred) {
  EXPECT_EQ(format_for(""), Format::text);
  EXPECT_EQ(format_for("*/*"), Format::text);
  EXPECT_EQ(format_for("text/plain;version=0.0.4"), Format::text);
  EXPECT_EQ(format_for("application/openmetrics-text; version=0.0.1"), Format::text);
  EXPECT_EQ(format_for("text/plain;q=0.9,application/openmetrics-text;version=1.0.0;q=0.5"),
            Format::text);
  // What Prometheus sends.
  EXPECT_EQ(
      format_for("application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,"
                 "application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;q=0.3,"
                 "text/plain;version=0.0.4;q=0.2,*/*;q=0.1"),
      Format::openmetrics);
  EXPECT_EQ(format_for(";;,,q=x;,application/openmetrics-text;q=abc"), Format::text);
}

TEST(Numbers, AreWrittenAsPrometheusReadsThem) {
  const auto written = [](double value) {
    std::string out;
    append_number(out, value);
    return out;
  };
  EXPECT_EQ(written(0), "0");
  EXPECT_EQ(written(0.1), "0.1");
  EXPECT_EQ(written(-2.5), "-2.5");
  EXPECT_EQ(written(std::nan("")), "NaN");
  EXPECT_EQ(written(INFINITY), "+Inf");
  EXPECT_EQ(written(-INFINITY), "-Inf");
  EXPECT_EQ(std::stod(written(std::numeric_limits<double>::max())),
            std::numeric_limits<double>::max());
}

struct CheckData {
  std::string name, type;
  std::map<std::string, std::string> labels{};
  std::vector<SampleSpec> specs{};
  Samples samples{};
  CheckView view(bool measured = true) const {
    return {name,
            type,
            labels,
            specs,
            measured ? &samples : nullptr,
            Severity::critical,
            WallTime{1'700'000'000s}};
  }
};

std::string written(const std::vector<CheckView>& checks, Format format = Format::text) {
  std::string out;
  SampleFamilies{}.append(out, checks, format);
  return out;
}

TEST(SampleFamilies, OneFamilyHoldsTheSeriesOfAllChecks) {
  const CheckData root{
      "root",
      "disk",
      {{"team", "sre \"x\"\n\\"}, {"mount", "evil"}},
      {spec("free_bytes", Unit::bytes, "mount"), spec("hours_to_full", Unit::hours, "mount")},
      {{0, 10, "/"}, {1, 2, "/"}}};
  const CheckData data{
      "data", "disk", {}, {spec("free_bytes", Unit::bytes, "mount")}, {{0, 5.5, "/data"}}};
  EXPECT_EQ(written({data.view(), root.view()}),
            "# HELP tocsin_disk_free_bytes What it is.\n"
            "# TYPE tocsin_disk_free_bytes gauge\n"
            "tocsin_disk_free_bytes{check=\"data\",mount=\"/data\"} 5.5\n"
            "tocsin_disk_free_bytes{check=\"root\",configured_mount=\"evil\",team=\"sre "
            "\\\"x\\\"\\n\\\\\",mount=\"/\"} 10\n"
            "# HELP tocsin_disk_to_full_seconds What it is.\n"
            "# TYPE tocsin_disk_to_full_seconds gauge\n"
            "tocsin_disk_to_full_seconds{check=\"root\",configured_mount=\"evil\",team=\"sre "
            "\\\"x\\\"\\n\\\\\",mount=\"/\"} 7200\n");
  EXPECT_EQ(written({root.view(false)}), "") << "what could not be measured has no series";
}

TEST(SampleFamilies, StrangeInputNeverMakesTwoSeriesOfOneName) {
  const CheckData strange{
      "x",
      "exec",
      {{"a-b", "1"}, {"a.b", "2"}},
      {spec("perf", Unit::none, "label"), spec("d", Unit::none), spec("day", Unit::none)},
      {{0, 1, "a\xff"}, {0, 2, "a\xfe"}, {1, 3, ""}, {1, 4, "again"}, {2, 5, ""}, {99, 1, ""}}};
  const auto text = written({strange.view()});
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 2 * 2 + 2) << text;
  EXPECT_TRUE(has(text, "tocsin_exec_day{check=\"x\",a_b=\"1\"} 3\n")) << text;
}

class ExpositionTest : public ::testing::Test {
 protected:
  ExpositionTest() {
    instruments_.expect_checks({"nginx", "root"});
    instruments_.expect_receivers({"slack", "pagerduty/sre"});
    instruments_.check_ran("nginx", "measured", 3ms, 1ms);
    instruments_.check_ran("nginx", "timed_out", 3ms, 1ms);
    instruments_.incident_opened("nginx");
    instruments_.delivered("pagerduty/sre", "retry", 120ms);
    instruments_.paged(4ms);
    for (const char* name : {"load1", "load1_per_core", "count", "restarts", "state", "total", "d",
                             "ms", "bucket", "sum"}) {
      root_.specs.push_back(spec(name, Unit::none));
    }
    root_.specs.push_back(spec("hours_to_full", Unit::hours));
    root_.specs.push_back(spec("certificate_days", Unit::days));
    root_.specs.push_back(spec("swap_in_bytes_per_second", Unit::bytes_per_second));
    root_.specs.push_back(spec("free_bytes", Unit::bytes, "mount"));
    root_.specs.push_back(spec("total_seconds", Unit::seconds));
    for (std::size_t i = 0; i < root_.specs.size(); ++i) {
      root_.samples.push_back({static_cast<std::uint16_t>(i), 1.5, "/a \"b\"\n"});
    }
    root_.samples[0].value = std::nan("");
    root_.samples[1].value = INFINITY;
  }
  std::string exposed(Format format = Format::text) {
    AgentView view;
    view.checks.push_back(nginx_.view(false));
    view.checks.push_back(root_.view());
    view.alerts_by_severity = {{"critical", 2}, {"warning", 0}};
    view.incidents_by_state = {{"open", 1}};
    view.outbox["slack"] = {3, 90};
    view.durable = false;
    return instruments_.expose(view, format);
  }

  Instruments instruments_{"0.1.0", "abc"};
  CheckData nginx_{"nginx", "process", {}, {}, {}};
  CheckData root_{"root", "disk", {{"team", "sre"}}, {}, {}};
};

TEST_F(ExpositionTest, HasEveryMetricOfTheAgentFromTheStart) {
  const auto text = exposed();
  for (const char* line :
       {"tocsin_check_up{check=\"nginx\"} 0\n", "tocsin_check_up{check=\"root\"} 1\n",
        "tocsin_check_severity{check=\"root\"} 2\n",
        "tocsin_check_duration_seconds_bucket{check=\"nginx\",le=\"0.01\"} 2\n",
        "tocsin_check_duration_seconds_bucket{check=\"root\",le=\"+Inf\"} 0\n",
        "tocsin_check_last_run_timestamp_seconds{check=\"root\"} 1700000000\n",
        "tocsin_alerts{severity=\"critical\"} 2\n", "tocsin_incidents{state=\"open\"} 1\n",
        "tocsin_incidents_opened_total{topic=\"nginx\"} 1\n",
        "tocsin_outbox_entries{receiver=\"slack\"} 3\n",
        "tocsin_outbox_entries{receiver=\"pagerduty/sre\"} 0\n",
        "tocsin_outbox_oldest_entry_age_seconds{receiver=\"slack\"} 90\n",
        "tocsin_delivery_duration_seconds_count{receiver=\"pagerduty/sre\"} 1\n",
        "tocsin_breach_to_page_seconds_count 1\n", "tocsin_schedule_lag_seconds_count 2\n",
        "tocsin_durable 0\n", "tocsin_config_last_reload_successful 1\n",
        "tocsin_disk_load1{check=\"root\",team=\"sre\"} NaN\n",
        "tocsin_disk_load1_per_core{check=\"root\",team=\"sre\"} +Inf\n"}) {
    EXPECT_TRUE(has(text, line)) << line;
  }
  for (const auto& doc : Instruments::documentation()) {
    EXPECT_TRUE(has(text, "# TYPE " + std::string{doc.name} + " " + std::string{doc.type} + "\n"))
        << doc.name;
  }
  EXPECT_TRUE(text.ends_with('\n'));
  EXPECT_FALSE(has(text, "# EOF"));
}

TEST_F(ExpositionTest, OpenMetricsHasItsOwnWays) {
  const auto text = exposed(Format::openmetrics);
  EXPECT_TRUE(has(text, "# TYPE tocsin_check_runs counter\n"));
  EXPECT_TRUE(has(text, "tocsin_check_runs_total{"));
  EXPECT_TRUE(has(text, "le=\"1.0\"} "));
  EXPECT_TRUE(text.ends_with("\n# EOF\n"));
}

TEST_F(ExpositionTest, ARemovedCheckLeavesNothing) {
  instruments_.expect_checks({"root"});
  EXPECT_FALSE(has(instruments_.expose({}, Format::text), "check=\"nginx\""));
}

TEST_F(ExpositionTest, PromtoolHasNothingToSay) {
  if (std::system("command -v promtool >/dev/null 2>&1") != 0) {
    std::fprintf(stderr,
                 "promtool is not installed (Debian: prometheus): the exposition was NOT linted\n");
    GTEST_SKIP() << "promtool is not installed";
  }
  std::string folder = (std::filesystem::temp_directory_path() / "tocsin-metrics-XXXXXX").string();
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  std::ofstream{folder + "/metrics"} << exposed();
  const auto command = "promtool check metrics < " + folder + "/metrics > " + folder + "/said 2>&1";
  const int status = std::system(command.c_str());
  std::ifstream in{folder + "/said"};
  const std::string said{std::istreambuf_iterator<char>{in}, {}};
  std::filesystem::remove_all(folder);
  EXPECT_EQ(said, "");
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace tocsin::metrics
