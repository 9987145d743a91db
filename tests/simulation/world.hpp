#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "agent/app/core.hpp"
#include "tests/fakes/fake_host.hpp"
#include "tests/fakes/fake_network.hpp"
#include "tests/fakes/inline_blocking.hpp"
#include "tests/fakes/manual_clock.hpp"
#include "tests/fakes/pagerduty.hpp"
#include "tests/fakes/slack.hpp"

namespace tocsin::simulation {

/// Where the process dies, relative to a transaction of the store.
enum class CrashPoint {
  before_commit,  ///< The transaction is lost with the process.
  after_commit,   ///< It is on disk, and nobody has acted on it yet.
};

/// Shared by what must stop at once when the simulated process dies.
struct Fate {
  bool dead{false};
  std::uint64_t commits{0};
  std::uint64_t crash_at{0};  ///< The number of the commit at which to die; 0: never.
  CrashPoint point{CrashPoint::before_commit};
};

/// One host with its agent, its store on disk, and a Slack and a PagerDuty that fail: production
/// code on a manual clock, driven by one seed. Killing the agent drops every object; the next life
/// opens the same store.
class SimulatedWorld {
 public:
  explicit SimulatedWorld(std::uint64_t seed);
  ~SimulatedWorld();

  /// Random breaches, recoveries, people, outages, crashes and clock jumps for this long.
  void turmoil(Duration length);
  /// Everything heals and every check is well; long enough for all timers to run out.
  void calm();
  /// What was promised and not kept, in sentences.
  std::vector<std::string> broken_promises();

  std::uint64_t crashes() const { return crashes_; }
  std::size_t pages() const { return pagerduty_.alerts().size(); }

 private:
  struct Life;
  app::Core& core();
  Now vendors_time() const;
  void boot();
  void kill();
  void stop_cleanly();
  void step(Duration length);
  void disturb();
  void disturb_receiver();
  void person_acts();
  void jump_clock();
  void arm_crash();
  void watch_timelines();
  void expect(bool kept, std::string sentence);

  void judge_pages();
  void judge_channels();
  void judge_end();

  std::uint64_t draw(std::uint64_t below);

  std::mt19937_64 random_;
  std::string folder_;
  fakes::ManualClock clock_;
  fakes::FakeSlack slack_;
  fakes::FakePagerDuty pagerduty_;
  std::map<std::string, bool> breached_;  ///< What the host is like: by check name.
  Fate fate_;
  std::unique_ptr<Life> life_;
  std::uint64_t crashes_{0};
  std::map<std::string, std::vector<TimelineLine>> timelines_;  ///< As last read, by incident.
  std::set<std::string> broken_;
};

}  // namespace tocsin::simulation
