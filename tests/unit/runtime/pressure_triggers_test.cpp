#include "agent/runtime/pressure_triggers.hpp"

#include <csignal>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/runtime/signals.hpp"
#include "tests/fakes/fake_host.hpp"
#include "tests/unit/runtime/descriptors.hpp"

namespace tocsin::runtime {
namespace {

using testing::HasSubstr;

TEST(PressureTriggers, SaysWhenTheyAreNotOffered) {
  asio::io_context loop{1};
  RealPressureTriggers triggers{loop.get_executor()};
  const auto missing = triggers.arm("/no/such/pressure", "some 150000 2000000", [] {});
  EXPECT_EQ(missing.error().code, Errc::unsupported);
  EXPECT_THAT(missing.error().detail, HasSubstr("/no/such/pressure"));
  // A spec that no kernel takes; where there is no PSI at all, it is the file that is missing.
  EXPECT_EQ(triggers.arm("/proc/pressure/memory", "nonsense", [] {}).error().code,
            Errc::unsupported);
}

TEST(PressureTriggers, AreArmedAndDisarmedWithoutALeak) {
  asio::io_context loop{1};
  RealPressureTriggers triggers{loop.get_executor()};
  const std::string path = "/proc/pressure/cpu", spec = "some 150000 2000000";
  auto first = triggers.arm(path, spec, [] {});
  if (!first) GTEST_SKIP() << first.error().detail;
  fakes::settle(loop);
  const auto before = open_descriptors();
  for (int i = 0; i < 10; ++i) {
    auto armed = triggers.arm(path, spec, [] { ADD_FAILURE() << "no such pressure"; });
    ASSERT_TRUE(armed) << armed.error().detail;
    fakes::settle(loop);
  }
  fakes::settle(loop);
  EXPECT_LE(open_descriptors(), before);
}

TEST(Signals, AreKeptUntilSomebodyAsks) {
  asio::io_context loop{1};
  Signals signals{loop.get_executor(), {SIGUSR1, SIGUSR2}};
  ASSERT_EQ(::raise(SIGUSR2), 0);
  EXPECT_EQ(fakes::run_to_end(loop, signals.next()), SIGUSR2);
}

}  // namespace
}  // namespace tocsin::runtime
