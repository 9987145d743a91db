// The check that asks a Prometheus, beside a real one: what it answers, what it does not, and when
// it is not there.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <boost/json/serialize.hpp>

#include <unistd.h>

#include "tests/integration/agent.hpp"
#include "tests/integration/target.hpp"

namespace tocsin::integration {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr const char* prometheus = "/usr/bin/prometheus";

class PrometheusQuery : public ::testing::Test {
 protected:
  void SetUp() override {
    if (access(prometheus, X_OK) != 0)
      GTEST_SKIP() << "Prometheus is not installed: apt-get install prometheus";
    address_ = "127.0.0.1:" + std::to_string(free_port());
  }
  /// An element of `checks:` that asks our Prometheus, with its topic as its name.
  std::string check(const std::string& name, const std::string& query,
                    const std::string& rule) const {
    return "  - name: " + name + "\n    type: prometheus\n    every: 300ms\n    timeout: 250ms\n" +
           "    url: http://" + address_ + "\n    query: '" + query + "'\n    critical: " + rule +
           "\n    clear: value < 1\n";
  }
  void start_agent(const std::string& checks) {
    agent_.configure("checks:\n" + target_.check() + checks, "  recover_hold: 1s\n");
    agent_.start();
  }
  /// One that scrapes `target`: the agent, as a rule, whose metrics the test can change.
  void start_prometheus(const std::string& target) {
    const auto config = folder_.write("prometheus.yml",
                                      "global: {scrape_interval: 300ms, scrape_timeout: "
                                      "250ms}\nscrape_configs:\n  - job_name: tocsin\n"
                                      "    static_configs: [{targets: [\"" +
                                          target + "\"]}]\n");
    prometheus_ = std::make_unique<Program>(std::vector<std::string>{
        prometheus, "--config.file=" + config, "--storage.tsdb.path=" + (folder_ / "data"),
        "--web.listen-address=" + address_, "--log.level=info"});
    ASSERT_TRUE(prometheus_->wait_for_line("Server is ready to receive web requests"))
        << prometheus_->text();
  }
  std::string detail(const json::value& incident) const {
    return json::serialize(agent_.incident(text_at(incident, "id")));
  }

  Folder folder_;
  Target target_{"shop"};
  Agent agent_;
  std::string address_;
  std::unique_ptr<Program> prometheus_;
};

TEST_F(PrometheusQuery, AValueBeyondItsThresholdOpensAnIncidentAndItsFallEndsIt) {
  start_agent(check("errors", "tocsin_exec_state", "value > 1"));
  start_prometheus(agent_.address());
  const auto series =
      "tocsin_prometheus_value{check=\"errors\",series=\"check=shop, instance=" + agent_.address() +
      ", job=tocsin\"}";
  ASSERT_TRUE(eventually([&] { return agent_.metric(series) == 0; }))
      << agent_.get("/metrics").body;
  target_.breach();
  const auto open = agent_.wait_for_incident("errors", "open");
  EXPECT_EQ(text_at(open, "severity"), "critical");
  EXPECT_THAT(text_at(open, "alerts", 0, "why"),
              AllOf(HasSubstr("value 2 > 1"), HasSubstr("check=shop")));
  EXPECT_THAT(detail(open),
              AllOf(HasSubstr("asked " + address_ + " for `tocsin_exec_state`"),
                    HasSubstr("2 for check=shop, instance=" + agent_.address() + ", job=tocsin")));
  target_.mend();
  agent_.wait_for_incident("errors", "resolved");
}

TEST_F(PrometheusQuery, SilenceOfPrometheusIsUnknown) {
  start_agent(check("errors", "sum(tocsin_exec_state)", "value > 1"));
  // What cannot be measured is told after a minute.
  const auto silent = agent_.wait_for_incident("errors", "open", 90s);
  EXPECT_EQ(text_at(silent, "severity"), "unknown");
  EXPECT_THAT(text_at(silent, "alerts", 0, "why"),
              HasSubstr("connect to " + address_ + " failed: Connection refused"));
  start_prometheus(agent_.address());
  agent_.wait_for_incident("errors", "resolved");
}

TEST_F(PrometheusQuery, WhatGivesNoNumberIsUnknownAndNotZero) {
  start_prometheus("127.0.0.1:1");
  agent_.configure(
      "checks:\n" + check("typo", "sum(no_such_metric)", "value > 1") +
      check("broken", "sum(up", "value > 1") + check("idle", "vector(0) / 0", "value > 1") +
      check("ranges", "up[1m]", "value > 1") + check("well", "vector(0)", "value > 1"));
  const std::pair<std::string, std::string> table[] = {
      {"typo", "the query gave nothing: `sum(no_such_metric)` on " + address_},
      {"broken", address_ + " refused the query `sum(up` (status 400): bad_data: "},
      {"idle", "the query gave NaN: `vector(0) / 0` on " + address_},
      {"ranges", "is of no use here: it gives ranges"},
  };
  for (const auto& [name, words] : table) {
    const auto answer = agent_.command({"check", name, "--json"});
    EXPECT_EQ(answer.code, 3) << answer.output;
    EXPECT_THAT(answer.output, HasSubstr(words)) << answer.errors;
  }
  EXPECT_EQ(agent_.command({"check", "well"}).code, 0);
}

}  // namespace
}  // namespace tocsin::integration
