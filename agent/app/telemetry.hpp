#pragma once

#include <memory>
#include <string>

#include "agent/app/core.hpp"
#include "agent/http/server.hpp"

namespace tocsin::app {

/// What Prometheus is told: watches the core, and serves /metrics.
class Telemetry {
 public:
  explicit Telemetry(Clock& clock);
  ~Telemetry();

  /// Counts what the engine reports. `complained` is left for the log.
  EngineObserver observer();
  /// Counts the core's looks and reads its state at each scrape. The core must outlive the last
  /// scrape.
  void watch(Core& core);
  /// After a reload: the checks and receivers may be others.
  void reloaded(bool good);
  void add_route(http::Router& router);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// docs/metrics.md: the agent's own metrics, and how samples are named, with every sample of every
/// type.
std::string document_metrics(const CheckRegistry& registry);

}  // namespace tocsin::app
