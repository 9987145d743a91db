#pragma once

#include <string>

#include "agent/app/core.hpp"

namespace tocsin::app {

struct DrillRequest {
  std::string check{};  ///< Whose topic, owners and evidence to use; empty: none.
  Duration lasts{std::chrono::seconds{20}};
};

/// Forces a breach end to end: a real incident, with real evidence, channel and page, every message
/// of which says DRILL. It lies under a topic of its own ("drill", "drill-nginx"), so that a real
/// breach never hides in it; it recovers after `lasts`, resolves by itself, and is closed as a
/// drill.
asio::awaitable<Result<Incident>> start_drill(Core& core, Clock& clock, DrillRequest request);

/// Ends the drills that an earlier run of the agent left open: its timers died with it.
void resume_drills(Core& core, Clock& clock);

}  // namespace tocsin::app
