#pragma once

#include <functional>
#include <string>

#include "agent/app/core.hpp"
#include "agent/http/server.hpp"

namespace tocsin::app {

/// What the API needs of the agent beside the core.
struct ApiContext {
  Core& core;
  Clock& clock;
  SteadyTime started{};
  std::string config_path;
  /// Reloads; the error is the report.
  std::function<Result<void>()> reload;
  struct ReloadState {
    bool good{true};
    std::string error{};
  };
  const ReloadState& last_reload;
};

// Each adds its routes; the context must outlive the router.

/// /api/v1/incidents and /api/v1/drill.
void add_incident_api(http::Router& router, ApiContext& context);
/// /api/v1/status, checks, outbox and notify/test.
void add_state_api(http::Router& router, ApiContext& context);
/// /beat/{name}: what jobs say of themselves.
void add_beat_api(http::Router& router, ApiContext& context);
/// /, /-/healthy, /-/ready and /-/reload.
void add_plain_routes(http::Router& router, ApiContext& context);

}  // namespace tocsin::app
