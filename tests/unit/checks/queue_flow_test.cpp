#include "checks/queue_flow.hpp"

#include <gtest/gtest.h>

namespace tocsin::checks {
namespace {

using namespace std::chrono_literals;

QueueReading reading(double depth, std::optional<double> consumers = std::nullopt) {
  QueueReading out;
  out.depth = depth;
  out.consumers = consumers;
  return out;
}
QueueReading counted(double depth, double in, double out, std::optional<double> consumers = 1) {
  auto one = reading(depth, consumers);
  one.in_total = in;
  one.out_total = out;
  return one;
}
SteadyTime at(Duration since) { return SteadyTime{1h} + since; }

TEST(QueueFlow, KnowsNothingAtFirst) {
  QueueFlow flow;
  EXPECT_EQ(flow.drain_estimate(), "");
  flow.note(reading(7), at(0s));
  EXPECT_FALSE(flow.rates().in || flow.rates().out || flow.rates().growth);
  EXPECT_EQ(flow.drain_seconds(), std::nullopt);
  EXPECT_EQ(flow.drain_estimate(), "");
  EXPECT_EQ(flow.growth_in_words(at(1s)), "");
}

TEST(QueueFlow, AnEmptyQueueIsDrainedWhateverComesIn) {
  QueueFlow flow;
  flow.note(counted(0, 100, 100), at(0s));
  EXPECT_EQ(flow.drain_seconds(), 0);
  flow.note(counted(0, 200, 200), at(10s));
  EXPECT_EQ(flow.drain_seconds(), 0);
  EXPECT_EQ(flow.drain_estimate(), "");
}

TEST(QueueFlow, DepthsAloneTellWhenItIsEmpty) {
  QueueFlow flow;
  flow.note(reading(1000), at(0s));
  flow.note(reading(900), at(10s));
  EXPECT_EQ(flow.rates().growth, -10);
  EXPECT_EQ(flow.drain_seconds(), 90);
  EXPECT_EQ(flow.drain_estimate(), "drains in about 2 min at the present rate");
  EXPECT_EQ(flow.rates_in_words(), "");
  flow.note(reading(0), at(20s));
  EXPECT_EQ(flow.drain_seconds(), 0);
  EXPECT_EQ(flow.drain_estimate(), "");
}

TEST(QueueFlow, WhatIsNotCountedFollowsFromTheDepth) {
  QueueFlow flow;
  auto first = reading(10, 1);
  first.in_total = 100;
  auto second = reading(40, 1);
  second.in_total = 200;
  flow.note(first, at(0s));
  flow.note(second, at(10s));
  EXPECT_EQ(flow.rates().in, 10);
  EXPECT_EQ(flow.rates().out, 7);
  EXPECT_EQ(flow.drain_estimate(), "does not drain: 10/s come in, 7/s go out");
}

TEST(QueueFlow, RatesSpanAboutAMinuteAndNoMore) {
  QueueFlow flow;
  // Busy for a minute, then quiet: a minute later only the quiet is seen.
  for (int i = 0; i <= 60; ++i) flow.note(counted(0, i * 10.0, i * 10.0), at(i * 1s));
  EXPECT_EQ(flow.rates().in, 10);
  for (int i = 61; i <= 121; ++i) flow.note(counted(0, 600, 600), at(i * 1s));
  EXPECT_EQ(flow.rates().in, 0);
  // Looks that are further apart than that are compared with the one before.
  flow.note(counted(0, 900, 900), at(421s));
  EXPECT_EQ(flow.rates().in, 1);
}

TEST(QueueFlow, LooksInQuickSuccessionDoNotPileUp) {
  QueueFlow flow;
  for (int i = 0; i < 100'000; ++i) flow.note(counted(i, i, 0), at(i * 1ms));
  EXPECT_NEAR(flow.rates().in.value(), 1000, 1);
}

TEST(QueueFlow, ASaidRateServesUntilThereAreCounters) {
  QueueFlow flow;
  auto one = counted(100, 1000, 900);
  one.in_per_second = 3;
  one.out_per_second = 5;
  flow.note(one, at(0s));
  EXPECT_EQ(flow.rates().in, 3);
  EXPECT_EQ(flow.drain_seconds(), 50);
  one.in_total = 1010;
  one.out_total = 920;
  flow.note(one, at(10s));
  EXPECT_EQ(flow.rates().in, 1);
  EXPECT_EQ(flow.rates().out, 2);

  QueueFlow only_said;
  auto other = reading(100, 2);
  other.in_per_second = 3;
  other.out_per_second = 5;
  only_said.note(other, at(0s));
  only_said.note(other, at(10s));
  EXPECT_EQ(only_said.rates().in, 3);
  EXPECT_EQ(only_said.rates().out, 5);
}

TEST(QueueFlow, ACounterThatWentBackBeginsANewAccount) {
  for (const bool in_goes_back : {true, false}) {
    QueueFlow flow;
    flow.note(counted(10, 1000, 990), at(0s));
    flow.note(in_goes_back ? counted(10, 5, 995) : counted(10, 1005, 5), at(10s));
    EXPECT_FALSE(flow.rates().in || flow.rates().out || flow.rates().growth);
    flow.note(in_goes_back ? counted(10, 15, 1005) : counted(10, 1015, 15), at(20s));
    EXPECT_EQ(flow.rates().in, 1);
  }
}

TEST(QueueFlow, WithoutConsumersWhatWasDrainedBeforeDoesNotCount) {
  QueueFlow flow;
  flow.note(counted(500, 1000, 500), at(0s));
  flow.note(counted(300, 1000, 700), at(10s));
  EXPECT_EQ(flow.drain_estimate(), "drains in about 15 s at the present rate");
  flow.note(counted(300, 1000, 700, 0), at(20s));
  EXPECT_EQ(flow.rates().out, 0);
  EXPECT_EQ(flow.drain_seconds(), QueueFlow::drain_seconds_max);
  EXPECT_EQ(flow.drain_estimate(), "does not drain: it has no consumers; 0/s come in, 0/s go out");
  // Somebody fetches without being a consumer.
  flow.note(counted(290, 1000, 710, 0), at(30s));
  EXPECT_EQ(flow.drain_estimate(), "drains in about 5 min at the present rate");
}

TEST(QueueFlow, TheEstimateIsSaidAsPeopleSayIt) {
  struct Row {
    double depth;
    double per_second;  ///< That go out.
    const char* words;
  };
  const Row table[] = {
      {890, 10, "drains in about 89 s at the present rate"},
      {8400, 10, "drains in about 14 min at the present rate"},
      {36'000 * 3, 10, "drains in about 3 h at the present rate"},
      {864'000 * 3, 10, "drains in about 3 days at the present rate"},
      {864'000 * 31, 10, "does not drain: its depth does not fall"},
      {500, 0, "does not drain: its depth does not fall"},
      {500, -0.5, "does not drain: it grows by 0.5/s"},
  };
  for (const auto& row : table) {
    QueueFlow flow;
    flow.note(reading(row.depth + 10 * row.per_second), at(0s));
    flow.note(reading(row.depth), at(10s));
    EXPECT_EQ(flow.drain_estimate(), row.words);
  }
}

TEST(QueueFlow, GrowthIsToldSinceTheLowestOfTheLastHour) {
  QueueFlow flow;
  for (int minute = 0; minute <= 300; ++minute)
    flow.note(reading(minute < 270 ? minute % 7 : 100 + minute), at(minute * 1min));
  // 266 minutes were the last multiple of seven before it began to grow.
  EXPECT_EQ(flow.growth_in_words(at(300min)), "grew from 0 to 400 in 34m");
  flow.forget();
  EXPECT_EQ(flow.growth_in_words(at(300min)), "");
  for (int minute = 0; minute <= 300; ++minute)
    flow.note(reading(minute < 200 ? 0 : minute), at(minute * 1min));
  EXPECT_EQ(flow.growth_in_words(at(300min)), "grew from 240 to 300 in 1h");
}

}  // namespace
}  // namespace tocsin::checks
