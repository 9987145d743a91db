// The agent is killed again and again while things break and mend: nothing is lost, nothing comes
// twice.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <random>

#include <boost/json/serialize.hpp>

#include "tests/integration/agent.hpp"
#include "tests/integration/receivers_judge.hpp"
#include "tests/integration/target.hpp"

namespace tocsin::integration {
namespace {

using ::testing::IsEmpty;

constexpr int rounds = 50;
constexpr int rounds_between_calms = 10;
constexpr Duration calm_patience = 60s;

class Sigkill : public ::testing::Test {
 protected:
  void SetUp() override {
    const char* asked = std::getenv("TOCSIN_SEED");
    seed_ = asked != nullptr ? std::strtoull(asked, nullptr, 10) : std::random_device{}();
    std::cout << "TOCSIN_SEED=" << seed_ << std::endl;
    random_.seed(seed_);
    std::string checks = "checks:\n";
    for (const auto* name : {"alpha", "beta", "gamma", "delta", "epsilon"}) {
      things_.push_back({std::make_unique<Target>(name)});
      checks += things_.back().target->check();
    }
    agent_.configure(checks, "  recover_hold: 1s\n");
    // Some calls fail, some answers are lost.
    for (const auto* kind : {"cut_after", "status"})
      receivers_.control("fault", json::object{{"kind", kind}, {"times", 0}, {"chance", 0.03}});
  }

  std::int64_t draw(std::int64_t least, std::int64_t most) {
    return std::uniform_int_distribution<std::int64_t>{least, most}(random_);
  }
  bool chance(int percent) { return draw(1, 100) <= percent; }

  /// Breaks or mends something every now and then, until the instant comes.
  void live_until(SteadyTime instant) {
    for (;;) {
      const auto next = steady_now() + std::chrono::milliseconds{draw(50, 400)};
      std::this_thread::sleep_until(std::min(next, instant));
      if (next >= instant) return;
      auto& thing = things_[static_cast<std::size_t>(draw(0, std::ssize(things_) - 1))];
      thing.broken = !thing.broken;
      thing.broken ? thing.target->breach() : thing.target->mend();
    }
  }

  /// One life of the agent, ended at any instant: by the clock, or just when it called somebody.
  void round() {
    agent_.launch();
    if (chance(50)) {
      live_until(steady_now() + std::chrono::microseconds{draw(0, 900'000)});
    } else {
      auto seen = receivers_.program().mark();
      live_until(steady_now() + std::chrono::milliseconds{draw(0, 400)});
      for (auto calls = draw(1, 4); calls > 0; --calls) {
        receivers_.program().wait_for_more(seen, 300ms);
        seen = receivers_.program().mark();
      }
      std::this_thread::sleep_for(std::chrono::microseconds{draw(0, 2000)});
    }
    agent_.kill();
  }

  /// Empty when everything that must be told has been told.
  std::string unsettled() const {
    const auto outbox = agent_.get("/api/v1/outbox");
    if (outbox.json() != json::array{}) return "outbox: " + outbox.body;
    const auto incidents = agent_.incidents();
    const auto state = receivers_.state();
    for (const auto& thing : things_) {
      const json::value* newest = nullptr;
      for (const auto& incident : items(incidents)) {
        if (text_at(incident, "topic") != thing.target->name()) continue;
        newest = &incident;
        break;
      }
      const auto of = thing.target->name() + (thing.broken ? " (broken): " : " (well): ");
      const auto stands = newest == nullptr ? "no incident" : text_at(*newest, "state");
      const auto live = stands == "open" || stands == "acknowledged";
      const auto over = !live && stands != "mitigated" && stands != "pending";
      if (thing.broken ? !live : !over) return of + stands;
      if (!thing.broken) continue;
      bool rings = false;
      for (const auto& alert : items(at(state, "pagerduty", "alerts")))
        rings = rings || (text_at(alert, "dedup_key") == text_at(*newest, "page", "key") &&
                          text_at(alert, "state") == "triggered");
      if (!rings) return of + "nobody is paged: " + json::serialize(*newest);
    }
    return {};
  }

  /// What was once in a timeline stays there, at its place.
  void expect_timelines_only_grow() {
    for (const auto& incident : items(agent_.incidents())) {
      const auto id = text_at(incident, "id");
      const auto now = items(at(agent_.incident(id), "timeline"));
      auto& before = timelines_[id];
      ASSERT_GE(now.size(), before.size()) << id;
      for (std::size_t i = 0; i < before.size(); ++i)
        ASSERT_EQ(now[i], before[i]) << id << " line " << i;
      before = now;
    }
    for (const auto& [id, lines] : timelines_)
      EXPECT_EQ(text_at(agent_.incident(id), "id"), id) << "an incident that was there is gone";
  }

  void expect_calm() {
    agent_.start();
    std::string why;
    const auto settled = eventually([&] { return (why = unsettled()).empty(); }, calm_patience);
    EXPECT_TRUE(settled) << why << "\n" << agent_.program().text();
    EXPECT_THAT(broken_promises(receivers_.state()), IsEmpty());
    expect_timelines_only_grow();
  }

  /// Some are closed, so that the next breach of their topic is a new incident.
  void close_some() {
    for (const auto& incident : items(agent_.incidents())) {
      if (text_at(incident, "state") != "resolved" || !chance(60)) continue;
      const auto answer =
          agent_.post("/api/v1/incidents/" + text_at(incident, "id") + "/close",
                      json::object{{"by", "jane"}, {"waive", "a test"}, {"archive_after", "1s"}});
      EXPECT_EQ(answer.status, 200) << answer.body;
    }
  }

  struct Thing {
    std::unique_ptr<Target> target;
    bool broken{false};
  };
  std::uint64_t seed_{0};
  std::mt19937_64 random_;
  std::vector<Thing> things_;
  std::map<std::string, json::array> timelines_;
  FakeReceivers receivers_;
  Agent agent_{&receivers_};
};

TEST_F(Sigkill, LosesNothingAndDoublesNothing) {
  for (int done = 1; done <= rounds; ++done) {
    SCOPED_TRACE("round " + std::to_string(done) + ", TOCSIN_SEED=" + std::to_string(seed_));
    round();
    if (done % rounds_between_calms != 0) continue;
    if (done == rounds) receivers_.clear();
    expect_calm();
    if (HasFailure()) return;
    if (done == rounds) break;
    close_some();
    agent_.kill();
  }
  for (auto& thing : things_) {
    thing.target->mend();
    thing.broken = false;
  }
  std::string why;
  EXPECT_TRUE(eventually([&] { return (why = unsettled()).empty(); }, calm_patience)) << why;
  const auto state = receivers_.state();
  for (const auto& alert : items(at(state, "pagerduty", "alerts")))
    EXPECT_EQ(text_at(alert, "state"), "resolved");
  EXPECT_THAT(broken_promises(state), IsEmpty());
  EXPECT_GE(timelines_.size(), things_.size()) << "nothing happened: the test is too gentle";
  agent_.stop();
}

}  // namespace
}  // namespace tocsin::integration
