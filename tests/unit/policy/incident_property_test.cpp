#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

#include "agent/policy/lanes.hpp"
#include "tests/unit/policy/drama.hpp"

namespace tocsin::policy {
namespace {

using namespace std::chrono_literals;

/// An incident, its outbox and a PagerDuty that fails at random, driven by random inputs; checks
/// after every step what must hold whatever happens.
class World {
 public:
  explicit World(unsigned seed) : random_{seed} {
    drama_.rules.slack = chance(0.5);
    drama_.rules.group_wait = chance(0.3) ? 30s : 0s;
    drama_.rules.page_service = chance(0.9) ? "sre" : "";
    if (chance(0.3)) drama_.rules.ack_expires = 5min;
    if (chance(0.2)) drama_.rules.archive_after = 0s;
    drama_.open(news());
    commit();
  }

  void run(int steps) {
    for (int i = 0; i < steps && !::testing::Test::HasFatalFailure(); ++i) {
      if (chance(0.5)) deliver_one();
      if (chance(0.3)) drama_.pass(std::chrono::seconds{pick(1200)});
      if (chance(0.05)) drama_.now.wall += std::chrono::hours{pick(96) - 48};
      const auto given = input();
      drama_.give(given);
      commit();
      const auto due = next_due(drama_.incident);
      if (std::holds_alternative<Tick>(given)) {
        EXPECT_TRUE(!due || *due > drama_.now.steady) << "a tick that leaves itself due never ends";
      }
    }
  }

  /// All recovers, the network heals, time passes: nothing may be left ringing or undelivered.
  void come_to_rest() {
    healthy_ = true;
    for (auto& entry : outbox_) {
      if (entry.state == EntryState::dead) entry.state = EntryState::queued;  // an operator revives
    }
    drain();
    for (const auto* check : checks) {
      drama_.give(FlappingChanged{check, false});
      commit();
      drama_.give(AlertRecovered{check});
      commit();
    }
    for (int i = 0; i < 5; ++i) {
      drama_.tick_after(1h);
      commit();
      drain();
    }
    EXPECT_FALSE(is_live(drama_.incident.state)) << to_string(drama_.incident.state);
    EXPECT_TRUE(outbox_.empty()) << effect_name(outbox_.front().effect);
    EXPECT_EQ(triggered_, resolved_) << "every page that rang is resolved";
    const auto due = next_due(drama_.incident);
    EXPECT_TRUE(!due || *due > drama_.now.steady);
  }

 private:
  static constexpr const char* checks[] = {"nginx", "php", "disk"};

  bool chance(double p) { return std::uniform_real_distribution<>{}(random_) < p; }
  int pick(int below) { return std::uniform_int_distribution<>{0, below - 1}(random_); }

  AlertNews news() {
    auto news = Drama::news(checks[pick(3)], chance(0.5) ? Severity::critical : Severity::warning,
                            chance(0.5) ? "process" : "tcp");
    news.flapping = chance(0.1);
    return news;
  }

  Input input() {
    const std::string check = checks[pick(3)];
    switch (pick(14)) {
      case 0:
      case 1:
        return AlertFired{news()};
      case 2:
        return AlertSeverityChanged{news()};
      case 3:
      case 4:
        return AlertRecovered{check};
      case 5:
        return CheckRemoved{check};
      case 6:
        return FlappingChanged{check, chance(0.5)};
      case 7:
        return Acknowledge{"jane", chance(0.5) ? "cli" : "pagerduty"};
      case 8:
        return SetField{static_cast<SummaryField>(pick(13)), "scale", "jane"};
      case 9:
        return Say{"hello", "joe"};
      case 10:
        return ResolveByHand{"jane", chance(0.3) ? "enough" : ""};
      case 11:
        return Close{"jane", chance(0.1) ? "cause" : "", "fix", "", {}};
      default:
        return Tick{};
    }
  }

  void commit() {
    const auto& step = drama_.last;
    if (step.refusal) {
      EXPECT_TRUE(step.effects.empty() && step.timeline.empty());
      EXPECT_EQ(step.next, before_) << "a refusal changes nothing";
    }
    before_ = step.next;
    for (const auto& effect : step.effects) {
      if (const auto* trigger = std::get_if<TriggerPage>(&effect)) {
        EXPECT_TRUE(asked_.insert(trigger->key).second) << "one trigger a key: " << trigger->key;
      }
      if (const auto* resolve = std::get_if<ResolvePage>(&effect)) {
        EXPECT_TRUE(asked_.count(resolve->key)) << "a resolve without a trigger";
      }
      EXPECT_TRUE(drama_.rules.slack || receiver_of(effect) != slack_receiver());
      OutboxEntry entry;
      entry.id = EntryId{++last_id_};
      entry.effect = effect;
      entry.receiver = receiver_of(effect);
      outbox_.push_back(entry);
    }
    for (const auto& line : step.timeline) {
      EXPECT_EQ(line.incident, drama_.incident.id);
      EXPECT_FALSE(line.text.empty());
    }
  }

  void settle(const Effect& effect, Settled::Outcome outcome) {
    Settled settled;
    settled.effect = effect;
    settled.outcome = outcome;
    if (std::holds_alternative<CreateChannel>(effect)) settled.channel_id = "C1";
    drama_.give(settled);
    commit();
  }

  void remove(EntryId id) {
    std::erase_if(outbox_, [&](const auto& entry) { return entry.id == id; });
  }
  OutboxEntry& find(EntryId id) {
    return *std::find_if(outbox_.begin(), outbox_.end(),
                         [&](const auto& entry) { return entry.id == id; });
  }

  /// Plans every lane once and attempts what may be attempted. True when anything moved.
  bool deliver_one() {
    bool moved = false;
    std::set<std::string> receivers;
    for (const auto& entry : outbox_) receivers.insert(entry.receiver.value);
    for (const auto& receiver : receivers) moved = serve(receiver) || moved;
    return moved;
  }

  bool serve(const std::string& receiver) {
    std::vector<const OutboxEntry*> lane;
    for (const auto& entry : outbox_) {
      if (entry.receiver.value == receiver) lane.push_back(&entry);
    }
    const auto plan = plan_lane(
        {.incident = drama_.incident, .entries = lane, .channel_expected = true}, drama_.now);
    for (const auto& drop : plan.drops) {
      const auto effect = find(drop.id).effect;
      remove(drop.id);
      using Why = LanePlan::Drop::Why;
      settle(effect, drop.why == Why::annihilated ? Settled::Outcome::suppressed
                                                  : Settled::Outcome::skipped);
    }
    if (plan.attempt) attempt(*plan.attempt);
    return !plan.drops.empty() || plan.attempt.has_value();
  }

  void attempt(EntryId id) {
    auto& entry = find(id);
    ++entry.attempts;
    const int luck = healthy_ ? 0 : pick(10);
    if (luck < 6 || luck == 9) arrives(entry.effect);
    if (luck == 9) {  // Carried out, but the answer was lost.
      entry.ambiguous = true;
    } else if (luck < 6) {
      const auto effect = entry.effect;
      remove(id);
      settle(effect, Settled::Outcome::delivered);
    } else if (luck == 6 && !entry.ambiguous) {
      entry.state = EntryState::dead;
      settle(Effect{entry.effect}, Settled::Outcome::rejected);
    }
  }

  void arrives(const Effect& effect) {
    if (const auto* trigger = std::get_if<TriggerPage>(&effect)) {
      EXPECT_FALSE(resolved_.count(trigger->key)) << "a trigger after its resolve rings again";
      triggered_.insert(trigger->key);
    } else if (const auto* resolve = std::get_if<ResolvePage>(&effect)) {
      EXPECT_TRUE(triggered_.count(resolve->key)) << "a resolve before its trigger";
      resolved_.insert(resolve->key);
    }
  }

  void drain() {
    for (int i = 0; i < 1000 && deliver_one(); ++i) {
    }
  }

  std::mt19937 random_;
  Drama drama_;
  Incident before_;
  std::vector<OutboxEntry> outbox_;
  std::uint64_t last_id_{0};
  std::set<std::string> asked_, triggered_, resolved_;
  bool healthy_{false};
};

TEST(IncidentProperties, HoldForAnySequenceOfInputs) {
  for (unsigned seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    World world{seed};
    world.run(60);
    world.come_to_rest();
    if (HasFailure()) break;
  }
}

}  // namespace
}  // namespace tocsin::policy
