#pragma once

#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <boost/asio/steady_timer.hpp>

#include "agent/schedule/scheduler.hpp"
#include "tests/fakes/fake_host.hpp"
#include "tocsin/async/task_group.hpp"

namespace tocsin::schedule {

using namespace std::chrono_literals;

/// A check that does what a test tells it and counts what was asked of it.
struct ScriptedCheck final : Check {
  std::span<const SampleSpec> specs() const override { return {}; }
  Task<Samples> run(CheckContext& context) override {
    ++runs;
    ++together;
    most_together = std::max(most_together, together);
    starts.push_back(context.clock.steady());
    gaps.push_back(context.gap);
    const Leave leave{together};
    if (during) during(context);
    if (takes > 0ns) co_await context.clock.sleep_until(context.clock.steady() + takes);
    if (throws) throw std::runtime_error{"scripted fault"};
    co_return Samples(yields, Sample{});
  }
  asio::awaitable<Evidence> evidence(CheckContext& context) override {
    ++evidences;
    ++together;
    most_together = std::max(most_together, together);
    const Leave leave{together};
    if (evidence_takes > 0ns) {
      co_await context.clock.sleep_until(context.clock.steady() + evidence_takes);
    }
    Evidence seen;
    seen.lines.push_back("what was seen");
    co_return seen;
  }

  struct Leave {
    explicit Leave(int& count) : counter{count} {}
    ~Leave() { --counter; }
    int& counter;
  };

  Duration takes{0};
  Duration evidence_takes{0};
  bool throws{false};
  std::size_t yields{1};
  std::function<void(CheckContext&)> during{};
  int runs{0};
  int evidences{0};
  int together{0};
  int most_together{0};
  std::vector<SteadyTime> starts{};
  std::vector<bool> gaps{};
};

/// A scheduler on a manual clock, whose observations are kept.
struct Bench {
  Bench() {
    host.clock.advance(500ms);  // Between two turns, so that a span of N turns holds just N.
    group.spawn("scheduler", scheduler.run());
  }
  ~Bench() {
    auto stop = group.stop(host.clock, host.clock.steady() + 2s);
    asio::co_spawn(host.loop, std::move(stop), [](std::exception_ptr, std::vector<std::string>) {});
    fakes::run_for(host.loop, host.clock, 3s);
  }

  std::shared_ptr<ScriptedCheck> add(const std::string& name, Duration every,
                                     Duration timeout = 5s) {
    auto check = std::make_shared<ScriptedCheck>();
    checks.push_back({name, check, every, timeout});
    return check;
  }
  void apply() { scheduler.replace(checks); }
  void run_for(Duration length) { fakes::run_for(host.loop, host.clock, length); }
  std::vector<Observation> of(const std::string& name) const {
    std::vector<Observation> found;
    for (const auto& seen : observations) {
      if (seen.check == name) found.push_back(seen);
    }
    return found;
  }

  fakes::FakeHost host;
  std::vector<ScheduledCheck> checks;
  std::vector<Observation> observations;
  std::function<void(const Observation&)> on_observation{};
  fakes::FakeMemories memories;
  Scheduler scheduler{
      host.loop.get_executor(),
      host.clock,
      {host.files, *host.network, host.processes, host.helper, host.pressure, host.kernel_clock},
      memories,
      [this](const ScheduledCheck&, Observation seen) {
        observations.push_back(std::move(seen));
        if (on_observation) on_observation(observations.back());
      }};
  TaskGroup group{host.loop.get_executor()};
};

}  // namespace tocsin::schedule
