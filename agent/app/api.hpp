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

/// Adds every /api/v1 route. The context must outlive the router.
void add_api(http::Router& router, ApiContext& context);
/// Adds /, /-/healthy, /-/ready and /-/reload.
void add_plain_routes(http::Router& router, ApiContext& context);

}  // namespace tocsin::app
