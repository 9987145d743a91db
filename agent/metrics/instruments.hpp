#pragma once

#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "agent/metrics/exposition.hpp"
#include "tocsin/base/time.hpp"
#include "tocsin/model/sample.hpp"
#include "tocsin/model/severity.hpp"

namespace tocsin::metrics {

/// One check at the moment of a scrape.
struct CheckView {
  std::string_view name;
  std::string_view type;
  const std::map<std::string, std::string>&
      labels;  ///< Configured; must not repeat "check" or an instance label.
  std::span<const SampleSpec> specs;
  const Samples* samples{
      nullptr};  ///< Of the last run; null when it could not measure or has not run.
  Severity severity{Severity::ok};
  WallTime last_run{};  ///< Zero: not yet.
};

/// The agent at the moment of a scrape.
struct AgentView {
  std::vector<CheckView> checks;
  std::map<std::string, std::size_t> alerts_by_severity;  ///< Firing ones.
  std::map<std::string, std::size_t> incidents_by_state;
  struct Queue {
    std::size_t entries{0};
    double oldest_age_seconds{0};
  };
  std::map<std::string, Queue>
      outbox;  ///< By receiver; those configured are there even when empty.
  bool durable{true};
};

/// A metric as docs/metrics.md lists it.
struct MetricDoc {
  std::string_view name;
  std::string_view type;
  std::string_view labels;
  std::string_view help;
};

/// Everything the agent counts. What can be read off its state is read at the scrape; only what
/// would be lost otherwise is counted as it happens. Labels come from the configuration and closed
/// sets; topics given by hand are counted under "other" beyond `topics_most`. One loop.
class Instruments {
 public:
  explicit Instruments(std::string_view version, std::string_view revision);
  ~Instruments();
  Instruments(const Instruments&) = delete;
  Instruments& operator=(const Instruments&) = delete;

  /// Once for every check, so that its series exist before its first run; again after a reload.
  void expect_checks(const std::vector<std::string>& names);
  void expect_receivers(const std::vector<std::string>& names);
  void check_ran(const std::string& check, std::string_view outcome, Duration took, Duration lag);
  void incident_opened(const std::string& topic);
  void delivered(const std::string& receiver, std::string_view outcome, Duration took);
  void paged(Duration since_breach);
  void reloaded(bool good);

  std::string expose(const AgentView& view, Format format);

  static const std::vector<MetricDoc>& documentation();
  static constexpr std::size_t topics_most = 200;

 private:
  struct Series;
  std::unique_ptr<Series> series_;
};

/// What became of a run, an attempt: the closed sets behind `outcome` labels.
inline constexpr std::string_view run_outcomes[] = {"measured", "failed", "timed_out"};
inline constexpr std::string_view delivery_outcomes[] = {"delivered", "retry", "rejected", "halt"};

}  // namespace tocsin::metrics
