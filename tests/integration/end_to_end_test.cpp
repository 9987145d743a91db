#include <gtest/gtest.h>

#include "tests/integration/agent.hpp"

namespace tocsin::integration {
namespace {

TEST(Harness, StartsAndStopsTheAgent) {
  FakeReceivers receivers;
  Agent agent{&receivers};
  agent.configure("checks:\n  - {name: load, type: load}\n");
  agent.start();
  EXPECT_EQ(agent.get("/-/healthy").status, 200);
  agent.stop();
}

}  // namespace
}  // namespace tocsin::integration
