#include <cstdlib>
#include <string>

#include <gtest/gtest.h>

#include "tests/simulation/world.hpp"

namespace tocsin::simulation {
namespace {

using namespace std::chrono_literals;

std::uint64_t number_from(const char* name, std::uint64_t fallback) {
  const char* text = std::getenv(name);
  return text == nullptr ? fallback : std::strtoull(text, nullptr, 10);
}

/// TOCSIN_SEED replays one seed; TOCSIN_SEEDS says how many to try, from TOCSIN_FIRST_SEED on.
TEST(Simulation, EveryBreachIsPagedOnceWhateverCrashes) {
  const auto one = number_from("TOCSIN_SEED", 0);
  const auto first = one != 0 ? one : number_from("TOCSIN_FIRST_SEED", 1);
  const auto count = one != 0 ? 1 : number_from("TOCSIN_SEEDS", 1000);
  std::uint64_t crashes = 0;
  std::uint64_t pages = 0;
  for (auto seed = first; seed < first + count; ++seed) {
    SCOPED_TRACE("replay: TOCSIN_SEED=" + std::to_string(seed) +
                 " build/dev/tests/simulation/simulation");
    SimulatedWorld world{seed};
    world.turmoil(1h);
    world.calm();
    const auto broken = world.broken_promises();
    for (const auto& sentence : broken) ADD_FAILURE() << sentence;
    crashes += world.crashes();
    pages += world.pages();
    if (!broken.empty()) break;
  }
  std::cout << count << " seeds, " << crashes << " crashes, " << pages << " pages\n";
  if (count > 100) {
    EXPECT_GT(crashes, count);
    EXPECT_GT(pages, count);
  }
}

}  // namespace
}  // namespace tocsin::simulation
