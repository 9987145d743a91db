#include "checks/side_stack.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace tocsin::checks {
namespace {

struct Counter {
  SideStack& stack;
  int steps;
  std::vector<int> seen{};
  static void count(void* self) {
    auto& counter = *static_cast<Counter*>(self);
    for (int i = 0; i < counter.steps; ++i) {
      counter.seen.push_back(i);
      counter.stack.leave();
    }
  }
};

TEST(SideStack, WorkIsLeftAndResumedWhereItWas) {
  SideStack stack;
  Counter counter{stack, 3};
  EXPECT_FALSE(stack.begin(&Counter::count, &counter));
  EXPECT_EQ(counter.seen, (std::vector<int>{0}));
  EXPECT_TRUE(stack.busy());
  EXPECT_FALSE(stack.resume());
  EXPECT_FALSE(stack.resume());
  EXPECT_EQ(counter.seen, (std::vector<int>{0, 1, 2}));
  EXPECT_TRUE(stack.resume());
  EXPECT_FALSE(stack.busy());
}

TEST(SideStack, WorkThatNeverLeavesEndsAtOnceAndTheStackIsUsedAgain) {
  SideStack stack;
  Counter nothing{stack, 0};
  EXPECT_TRUE(stack.begin(&Counter::count, &nothing));
  Counter once{stack, 1};
  EXPECT_FALSE(stack.begin(&Counter::count, &once));
  EXPECT_TRUE(stack.resume());
}

TEST(SideStack, TwoAreIndependent) {
  SideStack first, second;
  Counter a{first, 2}, b{second, 2};
  first.begin(&Counter::count, &a);
  second.begin(&Counter::count, &b);
  first.resume();
  EXPECT_EQ(a.seen.size(), 2u);
  EXPECT_EQ(b.seen.size(), 1u);
  EXPECT_TRUE(first.resume());
  second.resume();
  EXPECT_TRUE(second.resume());
}

void abandon_a_call() {
  SideStack stack;
  Counter counter{stack, 1};
  stack.begin(&Counter::count, &counter);
}

TEST(SideStackDeathTest, ABusyOneMustNotGoAway) {
  EXPECT_DEATH(abandon_a_call(), "a side stack went away");
}

}  // namespace
}  // namespace tocsin::checks
