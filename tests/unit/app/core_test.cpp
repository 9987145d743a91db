// From looks to incidents, and what a reload or a restart in the middle changes: nothing that
// somebody has to hear of.
#include "agent/app/core.hpp"

#include <stdlib.h>

#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "tests/fakes/fake_host.hpp"
#include "tests/fakes/fake_network.hpp"
#include "tests/fakes/inline_blocking.hpp"
#include "tests/fakes/manual_clock.hpp"

namespace tocsin::app {
namespace {

using namespace std::chrono_literals;
using State = IncidentState;

class NoSecrets final : public SecretSource {
 public:
  Result<Secret> from_file(const std::string&) const override { return none(); }
  Result<Secret> from_env(const std::string&) const override { return none(); }
  Result<Secret> from_credential(const std::string&) const override { return none(); }

 private:
  static Error none() { return {Errc::missing, "no secrets here"}; }
};

/// A check whose answer the test sets, and whose evidence takes 300 ms.
class Switch final : public Check {
 public:
  Switch(std::string name, const std::map<std::string, bool>& down)
      : name_{std::move(name)}, down_{down} {}
  std::span<const SampleSpec> specs() const override { return specs_; }
  Task<Samples> run(CheckContext&) override {
    const auto at = down_.find(name_);
    Samples samples;
    put(samples, 0, at != down_.end() && at->second ? 0.0 : 1.0);
    co_return samples;
  }
  asio::awaitable<Evidence> evidence(CheckContext& context) override {
    co_await context.clock.sleep_until(context.clock.steady() + 300ms);
    co_return Evidence{};
  }

 private:
  std::string name_;
  const std::map<std::string, bool>& down_;
  std::vector<SampleSpec> specs_{{.name = "up", .help = "1 while well."}};
};

class CoreTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "tocsin-core-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override {
    end();
    std::filesystem::remove_all(folder_);
  }

  struct Life {
    explicit Life(CoreTest& test)
        : network{test.clock_}, processes{test.clock_}, files{test.folder_} {}
    asio::io_context loop{1};
    fakes::InlineBlocking blocking;
    fakes::FakeNetwork network;
    fakes::FakeProcesses processes;
    fakes::FakeHelperProcess helper;
    fakes::FakePressureTriggers pressure;
    fakes::FakeKernelClock kernel_clock;
    fakes::FakeFiles files;
    std::unique_ptr<Core> core;
  };

  std::shared_ptr<const config::Settings> load(const std::string& checks) {
    CheckRegistry registry;
    CheckType type{.name = "switch", .summary = "A check whose answer the test sets."};
    type.build = [this](const std::string& name, const Node&, Decoding&) {
      return std::make_unique<Switch>(name, down_);
    };
    registry.add(std::move(type));
    auto loaded =
        config::load_text("test.yaml", "environment: test\nstate_dir: /nowhere\nchecks:\n" + checks,
                          registry, NoSecrets{});
    EXPECT_TRUE(loaded.settings.has_value()) << loaded.report;
    return std::make_shared<const config::Settings>(std::move(*loaded.settings));
  }
  void begin(const std::string& checks) {
    end();
    life_ = std::make_unique<Life>(*this);
    auto opened = store::Ledger::open(folder_ + "/tocsin.db", "boot-1", clock_.now());
    ASSERT_TRUE(opened) << opened.error().detail;
    World world{.executor = life_->loop.get_executor(),
                .clock = clock_,
                .blocking = life_->blocking,
                .network = life_->network,
                .surroundings = {life_->files, life_->network, life_->processes, life_->helper,
                                 life_->pressure, life_->kernel_clock},
                .host = "web-1",
                .seed = 1};
    life_->core =
        std::make_unique<Core>(std::move(world), std::move(*opened), std::vector<std::string>{},
                               load(checks), EngineObserver{});
    life_->core->start();
    pass(0s);
  }
  void end() {
    if (!life_) return;
    asio::co_spawn(life_->loop, stop(*life_->core), [](std::exception_ptr) {});
    pass(6s);
    life_.reset();
  }
  static asio::awaitable<void> stop(Core& core) {
    const auto late = co_await core.stop(5s);
    EXPECT_TRUE(late.empty());
  }
  void pass(Duration time) { fakes::run_for(life_->loop, clock_, time); }

  std::vector<const Incident*> incidents() const {
    std::vector<const Incident*> all;
    for (const auto& [id, incident] : life_->core->engine().incidents()) all.push_back(&incident);
    return all;
  }

  fakes::ManualClock clock_;
  std::map<std::string, bool> down_;
  std::string folder_;
  std::unique_ptr<Life> life_;
};

constexpr auto web = "  - {name: web, type: switch, every: 10s, critical: \"up < 1 for 20s\"}\n";

TEST_F(CoreTest, CheckWhoseSettingsChangedStaysInItsIncident) {
  begin(web);
  down_["web"] = true;
  pass(1min);
  ASSERT_EQ(incidents().size(), 1u);
  const auto id = incidents()[0]->id;
  life_->core->reload(
      load("  - {name: web, type: switch, every: 5s, critical: \"up < 1 for 30s\", "
           "topic: front, runbook: \"https://runbooks.test/web\"}\n"));
  pass(5min);
  ASSERT_EQ(incidents().size(), 1u);
  EXPECT_EQ(incidents()[0]->state, State::open);
  down_["web"] = false;
  pass(2min);
  ASSERT_EQ(incidents().size(), 1u);
  EXPECT_EQ(incidents()[0]->id, id);
  EXPECT_EQ(incidents()[0]->state, State::mitigated);
}

TEST_F(CoreTest, BreachOnItsWayToBeToldSurvivesAReload) {
  begin("  - {name: web, type: switch, every: 10s, critical: \"up < 1 for 4 of 5\"}\n");
  down_["web"] = true;
  const auto& watched = life_->core->pipeline().checks().at("web");
  while (watched.alert.phase != AlertPhase::firing) pass(100ms);
  ASSERT_TRUE(incidents().empty()) << "its evidence is still being collected";
  life_->core->reload(
      load("  - {name: web, type: switch, every: 10s, critical: \"up < 1 for 4 of 5\", "
           "runbook: \"https://runbooks.test/web\"}\n"));
  pass(1s);
  ASSERT_EQ(incidents().size(), 1u);
  EXPECT_EQ(incidents()[0]->state, State::open);
}

TEST_F(CoreTest, RuleThatIsAnotherNowBeginsItsHoldAnew) {
  begin("  - {name: web, type: switch, every: 10s, critical: \"up < 1 for 10m\"}\n");
  down_["web"] = true;
  pass(5min);
  life_->core->reload(
      load("  - {name: web, type: switch, every: 10s, critical: \"up < 1 for 2m\"}\n"));
  pass(1min);
  EXPECT_TRUE(incidents().empty());
  pass(90s);
  EXPECT_EQ(incidents().size(), 1u);
}

TEST_F(CoreTest, RemovedCheckResolvesItsIncident) {
  begin(web);
  down_["web"] = true;
  pass(1min);
  life_->core->reload(load("  - {name: other, type: switch, critical: \"up < 1\"}\n"));
  pass(0s);
  ASSERT_EQ(incidents().size(), 1u);
  EXPECT_EQ(incidents()[0]->state, State::resolved);
}

constexpr auto family =
    "  - {name: db, type: switch, every: 10s, critical: \"up < 1\"}\n"
    "  - {name: web, type: switch, every: 10s, critical: \"up < 1 for 30s\", depends_on: [db]}\n";

TEST_F(CoreTest, WhatWasHeldBackIsToldOnceItsParentIsWell) {
  begin(family);
  pass(10s);
  down_["db"] = down_["web"] = true;
  pass(2min);
  ASSERT_EQ(incidents().size(), 1u);
  EXPECT_EQ(incidents()[0]->topic, "db");
  down_["db"] = false;
  pass(3min);
  EXPECT_EQ(incidents().size(), 2u);
}

TEST_F(CoreTest, WhatWasHeldBackIsNotForgottenByARestart) {
  begin(family);
  pass(10s);
  down_["db"] = down_["web"] = true;
  pass(2min);
  ASSERT_EQ(incidents().size(), 1u);
  begin(family);
  pass(1min);
  ASSERT_EQ(incidents().size(), 1u) << "still held back";
  down_["db"] = false;
  pass(3min);
  EXPECT_EQ(incidents().size(), 2u);
}

TEST_F(CoreTest, WhatFiresIsNotToldAgainByARestart) {
  begin(web);
  down_["web"] = true;
  pass(1min);
  ASSERT_EQ(incidents().size(), 1u);
  begin(web);
  pass(5min);
  ASSERT_EQ(incidents().size(), 1u);
  down_["web"] = false;
  pass(5min);
  EXPECT_EQ(incidents()[0]->state, State::resolved);
}

}  // namespace
}  // namespace tocsin::app
