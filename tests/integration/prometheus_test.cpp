// A real Prometheus scrapes the agent, and its own tool finds nothing to say about the metrics.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include "tests/integration/agent.hpp"
#include "tests/integration/target.hpp"

namespace tocsin::integration {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr const char* prometheus = "/usr/bin/prometheus";
constexpr const char* promtool = "/usr/bin/promtool";

class Metrics : public ::testing::Test {
 protected:
  void SetUp() override {
    if (access(prometheus, X_OK) != 0 || access(promtool, X_OK) != 0)
      GTEST_SKIP() << "Prometheus is not installed: apt-get install prometheus";
    target_.breach();
    agent_.configure("checks:\n" + target_.check() +
                     "  - {name: load, type: load, every: 1s, labels: {team: sre}}\n"
                     "  - {name: memory, type: memory, every: 1s}\n"
                     "  - {name: cpu, type: cpu, every: 1s}\n"
                     "  - {name: pressure, type: pressure, every: 1s}\n"
                     "  - {name: disk, type: disk, every: 1s, mount: /}\n"
                     "  - {name: agent, type: process, every: 1s, match: {pidfile: " +
                     (agent_.folder() / "pid") +
                     "}}\n  - {name: page, type: tcp, every: 1s, address: \"127.0.0.1:" +
                     std::to_string(free_port()) +
                     "\"}\n  - {name: site, type: http, every: 1s, url: \"http://127.0.0.1:" +
                     std::to_string(free_port()) + "/\"}\n");
    agent_.start();
    ASSERT_TRUE(eventually([&] { return agent_.get("/-/ready").status == 200; }));
    agent_.wait_for_incident("shop", "open");
  }

  void start_prometheus() {
    const auto config = folder_.write("prometheus.yml",
                                      "global: {scrape_interval: 500ms, scrape_timeout: "
                                      "400ms}\nscrape_configs:\n  - job_name: tocsin\n"
                                      "    static_configs: [{targets: [\"" +
                                          agent_.address() + "\"]}]\n");
    prometheus_address_ = "127.0.0.1:" + std::to_string(free_port());
    prometheus_ = std::make_unique<Program>(std::vector<std::string>{
        prometheus, "--config.file=" + config, "--storage.tsdb.path=" + (folder_ / "data"),
        "--web.listen-address=" + prometheus_address_, "--log.level=info"});
    ASSERT_TRUE(prometheus_->wait_for_line("Server is ready to receive web requests"))
        << prometheus_->text();
  }
  /// The value of an instant query that has one series; "" when it has none.
  std::string query(const std::string& expression) const {
    const auto answer =
        ask_tcp(prometheus_address_, {.target = "/api/v1/query?query=" + expression}).json();
    return text_at(answer, "data", "result", 0, "value", 1);
  }

  Folder folder_;
  Target target_{"shop"};
  FakeReceivers receivers_;
  Agent agent_{&receivers_};
  std::string prometheus_address_;
  std::unique_ptr<Program> prometheus_;
};

TEST_F(Metrics, AreScrapedByPrometheus) {
  start_prometheus();
  EXPECT_TRUE(eventually([&] { return query("up") == "1"; })) << prometheus_->text();
  // ok 0, warning 1, critical 2: the order of a monitoring plugin's exit codes.
  EXPECT_TRUE(eventually([&] { return query("tocsin_check_severity{check=%22shop%22}") == "2"; }));
  EXPECT_TRUE(eventually([&] { return query("tocsin_check_up{check=%22site%22}") != ""; }));
  EXPECT_GE(std::atoi(query("tocsin_incidents{state=%22open%22}").c_str()), 1);
  EXPECT_EQ(query("tocsin_durable"), "1");
  EXPECT_NE(query("tocsin_load_load1{team=%22sre%22}"), "") << "the labels that are configured";
  target_.mend();
  EXPECT_TRUE(eventually([&] { return query("tocsin_check_severity{check=%22shop%22}") == "0"; }));
}

TEST_F(Metrics, LeavePromtoolNothingToSay) {
  const auto metrics = agent_.get("/metrics");
  ASSERT_EQ(metrics.status, 200);
  EXPECT_THAT(metrics.headers.at("content-type"), StartsWith("text/plain; version=0.0.4"));
  // promtool reads standard input, which is what a shell is for.
  const auto file = folder_.write("metrics.txt", metrics.body);
  const auto answer =
      run({"/bin/sh", "-c", "exec " + std::string{promtool} + " check metrics < " + file});
  EXPECT_EQ(answer.code, 0);
  EXPECT_EQ(answer.output + answer.errors, "") << metrics.body;
}

TEST_F(Metrics, ComeAsOpenMetricsWhenAskedTo) {
  const auto metrics = ask_tcp(
      agent_.address(),
      {.target = "/metrics",
       .headers = {{"accept", "application/openmetrics-text;version=1.0.0,text/plain;q=0.5"}}});
  EXPECT_EQ(metrics.status, 200);
  EXPECT_THAT(metrics.headers.at("content-type"),
              StartsWith("application/openmetrics-text; version=1.0.0"));
  EXPECT_THAT(metrics.body, EndsWith("# EOF\n"));
  EXPECT_THAT(metrics.body, HasSubstr("tocsin_check_runs_total{"));
}

TEST_F(Metrics, HoldTheMetricsThatAreDocumented) {
  std::istringstream page{agent_.command({"docs", "metrics"}).output};
  const auto body = agent_.get("/metrics").body;
  int found = 0;
  for (std::string line; std::getline(page, line) && line != "## Samples";) {
    if (!line.starts_with("| `tocsin_")) continue;
    const auto name = line.substr(3, line.find('`', 3) - 3);
    EXPECT_THAT(body, HasSubstr("# TYPE " + name.substr(0, name.find('{')))) << line;
    ++found;
  }
  EXPECT_GE(found, 15);
}

}  // namespace
}  // namespace tocsin::integration
