#include <gtest/gtest.h>

#include "tests/unit/schedule/scripted_check.hpp"

namespace tocsin::schedule {
namespace {

struct EvidenceBench : Bench {
  void ask(const std::string& name, Duration within) {
    answer.reset();
    auto work = fakes::keep(scheduler.evidence(name, host.clock.steady() + within), answer);
    asio::co_spawn(host.loop, std::move(work), [](std::exception_ptr) {});
    fakes::settle(host.loop);
  }
  std::optional<Evidence> answer;
};

TEST(Evidence, IsCollectedBetweenRuns) {
  EvidenceBench bench;
  const auto check = bench.add("memory", 10s);
  check->takes = 2s;
  bench.apply();
  while (check->together == 0) bench.run_for(500ms);
  bench.ask("memory", 5s);
  EXPECT_FALSE(bench.answer) << "a run is in flight";
  bench.run_for(2s);
  ASSERT_TRUE(bench.answer);
  EXPECT_EQ(bench.answer->lines.size(), 1u);
  EXPECT_EQ(check->most_together, 1);
}

TEST(Evidence, OfAnUnknownCheckIsEmpty) {
  EvidenceBench bench;
  bench.apply();
  bench.ask("nobody", 1s);
  ASSERT_TRUE(bench.answer);
  EXPECT_EQ(*bench.answer, Evidence{});
}

TEST(Evidence, EndsAtItsDeadlineAndRunsGoOn) {
  EvidenceBench bench;
  const auto check = bench.add("memory", 10s);
  bench.apply();
  bench.run_for(10s);
  check->evidence_takes = 1h;
  bench.ask("memory", 500ms);
  EXPECT_FALSE(bench.answer);
  bench.run_for(500ms);
  ASSERT_TRUE(bench.answer);
  EXPECT_EQ(*bench.answer, Evidence{});
  EXPECT_EQ(check->together, 0);
  const auto before = check->runs;
  bench.run_for(10s);
  EXPECT_EQ(check->runs, before + 1);
}

TEST(Evidence, IsEmptyWhenARunHangsLonger) {
  EvidenceBench bench;
  const auto check = bench.add("memory", 10s);
  check->takes = 4s;
  bench.apply();
  while (check->together == 0) bench.run_for(500ms);
  bench.ask("memory", 500ms);
  bench.run_for(500ms);
  ASSERT_TRUE(bench.answer);
  EXPECT_EQ(*bench.answer, Evidence{});
  EXPECT_EQ(check->evidences, 0);
}

TEST(Evidence, PutsADueRunOffAndDoesNotLoseIt) {
  EvidenceBench bench;
  const auto check = bench.add("memory", 1s);
  bench.apply();
  bench.run_for(3s);
  const auto before = check->runs;
  check->evidence_takes = 1500ms;
  bench.ask("memory", 5s);
  bench.run_for(1400ms);
  EXPECT_EQ(check->runs, before);
  bench.run_for(200ms);
  ASSERT_TRUE(bench.answer);
  EXPECT_EQ(check->runs, before + 1);
  EXPECT_EQ(check->most_together, 1);
  EXPECT_GT(bench.of("memory").back().lag, 0ns);
}

TEST(Evidence, MayBeAskedForByTheSink) {
  EvidenceBench bench;
  bench.add("memory", 10s);
  bench.apply();
  bench.on_observation = [&bench](const Observation& seen) { bench.ask(seen.check, 500ms); };
  bench.run_for(10s);
  ASSERT_TRUE(bench.answer);
  EXPECT_EQ(bench.answer->lines.size(), 1u);
}

}  // namespace
}  // namespace tocsin::schedule
