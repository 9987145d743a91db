// A new configuration is taken whole or not at all.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

#include <boost/json/serialize.hpp>

#include "tests/integration/agent.hpp"
#include "tests/integration/target.hpp"

namespace tocsin::integration {
namespace {

using ::testing::HasSubstr;

class Reload : public ::testing::Test {
 protected:
  void SetUp() override {
    agent_.configure(good_, holds_);
    agent_.start();
    ASSERT_TRUE(eventually([&] { return agent_.get("/-/ready").status == 200; }));
  }
  double runs(const std::string& check) const {
    return agent_.metric("tocsin_check_runs_total{check=\"" + check + "\",outcome=\"measured\"}");
  }
  bool goes_on(const std::string& check) const {
    const auto before = runs(check);
    return eventually([&] { return runs(check) > before; });
  }
  std::vector<std::string> names() const {
    std::vector<std::string> out;
    for (const auto& check : items(agent_.get("/api/v1/checks").json()))
      out.push_back(text_at(check, "name"));
    return out;
  }

  Target target_{"shop"}, other_{"stock"};
  const std::string holds_{"  recover_hold: 1s\n"};
  const std::string good_{"checks:\n" + target_.check()};
  const std::string bad_{"checks:\n" + target_.check() +
                         "  - {name: broken, type: load, every: 5}\n"};
  Agent agent_;
};

TEST_F(Reload, ABadFileChangesNothingAndIsAnIncidentOfItsOwn) {
  agent_.configure(bad_, holds_);
  agent_.program().signal(SIGHUP);
  // The header of the configuration, the line of the first check, and then this one.
  const auto line = agent_.program().wait_for_line("tocsin.yaml:");
  ASSERT_TRUE(line) << agent_.program().text();
  EXPECT_THAT(*line,
              ::testing::ContainsRegex("tocsin\\.yaml:[0-9]+:[0-9]+: checks\\[1\\]\\.every: "));
  EXPECT_TRUE(
      eventually([&] { return agent_.metric("tocsin_config_last_reload_successful") == 0; }));
  EXPECT_TRUE(goes_on("shop"));
  EXPECT_THAT(names(), ::testing::ElementsAre("shop"));
  const auto incident = agent_.wait_for_incident("tocsin", "open");
  EXPECT_THAT(text_at(incident, "alerts", 0, "why"), HasSubstr("reload was refused"));
  EXPECT_EQ(text_at(agent_.ask({"status"}), "last_reload_ok"), "false");

  // What was taken before still decides.
  target_.breach();
  agent_.wait_for_incident("shop", "open");

  agent_.configure(good_, holds_);
  agent_.program().signal(SIGHUP);
  EXPECT_TRUE(
      eventually([&] { return agent_.metric("tocsin_config_last_reload_successful") == 1; }));
  agent_.wait_for_incident("tocsin", "resolved");
}

TEST_F(Reload, OverTheControlSocketAnswersWithTheReport) {
  agent_.configure(bad_, holds_);
  const auto refused = agent_.post("/-/reload");
  EXPECT_EQ(refused.status, 400) << refused.body;
  EXPECT_THAT(refused.body, HasSubstr("checks[1].every"));
  EXPECT_EQ(agent_.metric("tocsin_config_last_reload_successful"), 0);
  agent_.configure(good_, holds_);
  EXPECT_EQ(agent_.post("/-/reload").status, 200);
  EXPECT_EQ(agent_.metric("tocsin_config_last_reload_successful"), 1);
  const auto over_tcp = ask_tcp(agent_.address(), {.method = "POST", .target = "/-/reload"});
  EXPECT_GE(over_tcp.status, 401) << "the TCP listener only reads";
  EXPECT_LE(over_tcp.status, 405);
}

TEST_F(Reload, AddsAndRemovesChecks) {
  agent_.configure(good_ + other_.check(), holds_);
  EXPECT_EQ(agent_.post("/-/reload").status, 200);
  EXPECT_THAT(names(), ::testing::ElementsAre("shop", "stock"));
  EXPECT_TRUE(eventually([&] { return runs("stock") > 0; }));
  EXPECT_TRUE(goes_on("shop"));
  other_.breach();
  const auto incident = agent_.wait_for_incident("stock", "open");

  agent_.configure(good_, holds_);
  EXPECT_EQ(agent_.post("/-/reload").status, 200);
  EXPECT_THAT(names(), ::testing::ElementsAre("shop"));
  agent_.wait_for_incident("stock", "resolved");
  EXPECT_THAT(json::serialize(agent_.incident(text_at(incident, "id"))), HasSubstr("configuration"))
      << "the reason is said";
  EXPECT_THAT(agent_.get("/metrics").body,
              ::testing::Not(HasSubstr("tocsin_check_up{check=\"stock\"")));
}

TEST_F(Reload, WhileTheAgentWasDownResolvesWhatNobodyWatchesAnyMore) {
  agent_.configure(good_ + other_.check(), holds_);
  EXPECT_EQ(agent_.post("/-/reload").status, 200);
  other_.breach();
  agent_.wait_for_incident("stock", "open");
  agent_.stop();
  agent_.configure(good_, holds_);
  agent_.start();
  agent_.wait_for_incident("stock", "resolved");
}

TEST_F(Reload, KeepsTheStateOfAnUnchangedCheck) {
  target_.breach();
  const auto before = agent_.wait_for_incident("shop", "open");
  agent_.configure(good_ + other_.check(), holds_);
  EXPECT_EQ(agent_.post("/-/reload").status, 200);
  EXPECT_TRUE(goes_on("stock"));
  const auto all = agent_.incidents();
  ASSERT_EQ(items(all).size(), 1u);
  EXPECT_EQ(text_at(all, 0, "id"), text_at(before, "id"));
  EXPECT_EQ(text_at(all, 0, "state"), "open");
}

TEST_F(Reload, TheStateFolderCannotMove) {
  auto text = read_file(agent_.config_path());
  const auto at = text.find("state_dir: ");
  text.insert(text.find('\n', at), "-elsewhere");
  agent_.folder().write("tocsin.yaml", text);
  const auto refused = agent_.post("/-/reload");
  EXPECT_EQ(refused.status, 400);
  EXPECT_THAT(refused.body, HasSubstr("state_dir cannot change"));
  EXPECT_TRUE(goes_on("shop"));
}

/// PagerDuty ignores a resolve under another routing key than the page's.
TEST(ReloadOfARoutingKey, ResolvesThePageUnderTheKeyItWentOutWith) {
  Target target{"shop"};
  const FakeReceivers receivers;
  Agent agent{&receivers};
  agent.configure("checks:\n" + target.check(), "  recover_hold: 1s\n");
  agent.start();
  target.breach();
  const auto page_is = [](const std::string& wanted) {
    return [wanted](const json::value& state) {
      const auto& alerts = items(at(state, "pagerduty", "alerts"));
      return alerts.size() == 1 && text_at(alerts.front(), "state") == wanted;
    };
  };
  ASSERT_TRUE(receivers.wait_until(page_is("triggered")));
  agent.folder().write("pagerduty.key", "ffffffffffffffffffffffffffffffff\n");
  EXPECT_EQ(agent.post("/-/reload").status, 200);
  target.mend();
  EXPECT_TRUE(receivers.wait_until(page_is("resolved")));
}

}  // namespace
}  // namespace tocsin::integration
