#pragma once

#include <stdlib.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "agent/app/engine.hpp"
#include "tests/fakes/inline_blocking.hpp"
#include "tests/fakes/manual_clock.hpp"
#include "tocsin/async/task_group.hpp"

namespace tocsin::app {

using namespace std::chrono_literals;

/// The engine over a real store in a folder of its own, on a clock that the test moves.
class EngineTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "tocsin-app-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override {
    end();
    std::filesystem::remove_all(folder_);
  }

  /// One life of the process; what it committed is there in the next.
  struct Life {
    explicit Life(store::Ledger::Opened opened, EngineTest& test)
        : journal{test.loop_.get_executor(), test.clock_, test.blocking_, std::move(opened.ledger)},
          engine{test.loop_.get_executor(),
                 test.clock_,
                 journal,
                 std::move(opened.snapshot),
                 {},
                 1,
                 test.settings_,
                 {.opened = [&test](const Incident&) { ++test.opened_; },
                  .complained =
                      [&test](std::string_view what) { test.complaints_.emplace_back(what); }}},
          tasks{test.loop_.get_executor()} {
      tasks.spawn("journal", journal.run());
    }
    store::Journal journal;
    Engine engine;
    TaskGroup tasks;
  };

  Engine& begin() {
    auto opened = store::Ledger::open(folder_ + "/tocsin.db", "boot-1", clock_.now());
    EXPECT_TRUE(opened) << (opened ? "" : opened.error().detail);
    life_ = std::make_unique<Life>(std::move(*opened), *this);
    life_->tasks.spawn("timers", life_->engine.run_timers());
    settle();
    return life_->engine;
  }
  void end() {
    if (!life_) return;
    blocking_.late(false);
    blocking_.flush();
    settle();
    auto stopping = life_->tasks.stop(clock_, clock_.steady() + 1s);
    EXPECT_TRUE(fakes::run_to_end(loop_, std::move(stopping)).empty());
    life_.reset();
  }
  Engine& begin_again() {
    end();
    return begin();
  }

  void settle() { fakes::settle(loop_); }
  void pass(Duration time) { fakes::run_for(loop_, clock_, time); }

  /// The claim that may be had now, if any.
  std::optional<Claim> take() {
    std::optional<Claim> claim;
    auto waiting = std::make_unique<TaskGroup>(loop_.get_executor());
    waiting->spawn("take", fakes::keep(life_->engine.next(), claim));
    settle();
    waiting.reset();
    settle();
    return claim;
  }
  /// Takes what may be had and says yes to it, until there is no more; returns the names.
  std::vector<std::string> deliver_all() {
    std::vector<std::string> names;
    while (const auto claim = take()) {
      names.emplace_back(name_of(*claim));
      Delivered yes{};
      if (names.back() == "create_channel") {
        yes.channel_id = "C1";
        yes.channel_name = std::get<DraftCreateChannel>(claim->draft.body).name;
        yes.channel_url = "https://slack.test/C1";
      }
      life_->engine.settle(*claim, yes, 10ms);
      settle();
    }
    return names;
  }
  std::string name_of(const Claim& claim) const {
    return std::string{effect_name(life_->engine.entries().at(claim.draft.entry).effect)};
  }

  static Alert alert(const std::string& check, Severity severity = Severity::critical) {
    Alert made;
    made.check = check;
    made.phase = AlertPhase::firing;
    made.severity = severity;
    made.why = "up 0 < 1";
    return made;
  }
  policy::AlertNews news(const std::string& check, Severity severity = Severity::critical) const {
    return {.check = check,
            .type = "process",
            .topic = check,
            .host = "web-1",
            .severity = severity,
            .why = "up 0 < 1",
            .since = clock_.wall()};
  }
  void fire(const std::string& check, Severity severity = Severity::critical) {
    life_->engine.alert_fired(alert(check, severity), news(check, severity));
    settle();
  }
  void recover(const std::string& check) {
    auto over = alert(check, Severity::ok);
    over.phase = AlertPhase::inactive;
    life_->engine.alert_recovered(over);
    settle();
  }
  const Incident& only() const {
    EXPECT_EQ(life_->engine.incidents().size(), 1u);
    return life_->engine.incidents().begin()->second;
  }
  bool told(const IncidentId& id, const std::string& words) {
    auto reading = life_->journal.timeline(id, 1000);
    const auto lines = fakes::run_to_end(loop_, std::move(reading));
    if (!lines) return false;
    for (const auto& line : *lines)
      if (line.text.find(words) != std::string::npos) return true;
    return false;
  }

  void with_slack() { settings_.incidents.slack = true; }

  asio::io_context loop_{1};
  fakes::ManualClock clock_;
  fakes::InlineBlocking blocking_;
  EngineSettings settings_{.incidents = {.page_service = "sre"}, .host = "web-1"};
  std::string folder_;
  std::unique_ptr<Life> life_;
  int opened_{0};
  std::vector<std::string> complaints_;
};

}  // namespace tocsin::app
