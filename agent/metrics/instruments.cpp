#include "agent/metrics/instruments.hpp"

#include <algorithm>
#include <cmath>

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include "agent/metrics/sample_families.hpp"

namespace tocsin::metrics {

namespace {

using Labels = std::map<std::string, std::string>;
using Buckets = prometheus::Histogram::BucketBoundaries;

// From a /proc read to a hung plugin.
const Buckets run_buckets{0.0001, 0.0005, 0.002, 0.01, 0.05, 0.2, 1, 5, 30};
const Buckets lag_buckets{0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 5};
const Buckets delivery_buckets{0.001, 0.005, 0.02, 0.1, 0.5, 2, 10, 30};
const Buckets page_buckets{0.001, 0.002, 0.005, 0.01, 0.025, 0.1, 0.5, 2, 10, 60, 600, 3600};

double seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

constexpr MetricDoc docs[] = {
    {"tocsin_check_up", "gauge", "check", "1 when the last run measured, 0 when it could not."},
    {"tocsin_check_severity", "gauge", "check",
     "Judgement on the last run: 0 ok, 1 warning, 2 critical, 3 unknown."},
    {"tocsin_check_duration_seconds", "histogram", "check", "How long runs took."},
    {"tocsin_check_runs_total", "counter", "check, outcome",
     "Runs by outcome: measured, failed, timed_out."},
    {"tocsin_check_last_run_timestamp_seconds", "gauge", "check",
     "When the last run ended, Unix time."},
    {"tocsin_alerts", "gauge", "severity", "Alerts that fire now."},
    {"tocsin_incidents", "gauge", "state", "Incidents in memory by state."},
    {"tocsin_incidents_opened_total", "counter", "topic", "Incidents opened."},
    {"tocsin_outbox_entries", "gauge", "receiver", "Effects committed and not settled."},
    {"tocsin_outbox_oldest_entry_age_seconds", "gauge", "receiver",
     "Age of the oldest such effect."},
    {"tocsin_deliveries_total", "counter", "receiver, outcome",
     "Attempts by outcome: delivered, retry, rejected, halt."},
    {"tocsin_delivery_duration_seconds", "histogram", "receiver", "How long attempts took."},
    {"tocsin_breach_to_page_seconds", "histogram", "",
     "From the decision to page to the page being accepted."},
    {"tocsin_schedule_lag_seconds", "histogram", "", "How much later than due runs started."},
    {"tocsin_durable", "gauge", "",
     "1 while commits reach the disk; 0 means that memory is all there is."},
    {"tocsin_config_last_reload_successful", "gauge", "", "1 unless the last reload was refused."},
    {"tocsin_build_info", "gauge", "version, revision", "Always 1; what is running."},
};

std::string help_of(std::string_view name) {
  for (const auto& doc : docs)
    if (doc.name == name) return std::string{doc.help};
  return {};
}

}  // namespace

/// The families in prometheus-cpp's registry.
struct Instruments::Series {
  prometheus::Registry registry;
  template <class T>
  prometheus::Family<T>& family(std::string_view name) {
    return prometheus::detail::Builder<T>{}
        .Name(std::string{name})
        .Help(help_of(name))
        .Register(registry);
  }

  prometheus::Family<prometheus::Gauge>& up{family<prometheus::Gauge>("tocsin_check_up")};
  prometheus::Family<prometheus::Gauge>& severity{
      family<prometheus::Gauge>("tocsin_check_severity")};
  prometheus::Family<prometheus::Histogram>& duration{
      family<prometheus::Histogram>("tocsin_check_duration_seconds")};
  prometheus::Family<prometheus::Counter>& runs{
      family<prometheus::Counter>("tocsin_check_runs_total")};
  prometheus::Family<prometheus::Gauge>& last_run{
      family<prometheus::Gauge>("tocsin_check_last_run_timestamp_seconds")};
  prometheus::Family<prometheus::Gauge>& alerts{family<prometheus::Gauge>("tocsin_alerts")};
  prometheus::Family<prometheus::Gauge>& incidents{family<prometheus::Gauge>("tocsin_incidents")};
  prometheus::Family<prometheus::Counter>& opened{
      family<prometheus::Counter>("tocsin_incidents_opened_total")};
  prometheus::Family<prometheus::Gauge>& entries{
      family<prometheus::Gauge>("tocsin_outbox_entries")};
  prometheus::Family<prometheus::Gauge>& oldest{
      family<prometheus::Gauge>("tocsin_outbox_oldest_entry_age_seconds")};
  prometheus::Family<prometheus::Counter>& deliveries{
      family<prometheus::Counter>("tocsin_deliveries_total")};
  prometheus::Family<prometheus::Histogram>& delivery{
      family<prometheus::Histogram>("tocsin_delivery_duration_seconds")};
  prometheus::Histogram& page{
      family<prometheus::Histogram>("tocsin_breach_to_page_seconds").Add({}, page_buckets)};
  prometheus::Histogram& lag{
      family<prometheus::Histogram>("tocsin_schedule_lag_seconds").Add({}, lag_buckets)};
  prometheus::Gauge& durable{family<prometheus::Gauge>("tocsin_durable").Add({}, 1)};
  prometheus::Gauge& reload{
      family<prometheus::Gauge>("tocsin_config_last_reload_successful").Add({}, 1)};
  prometheus::Family<prometheus::Gauge>& build{family<prometheus::Gauge>("tocsin_build_info")};

  /// One check's series, looked up once.
  struct OfCheck {
    prometheus::Gauge* up;
    prometheus::Gauge* severity;
    prometheus::Gauge* last_run;
    prometheus::Histogram* duration;
    std::map<std::string_view, prometheus::Counter*> runs;
  };
  std::map<std::string, OfCheck, std::less<>> checks;
  std::set<std::string> receivers;
  std::set<std::string> topics;
  SampleFamilies samples;

  OfCheck& check(const std::string& name) {
    const auto at = checks.find(name);
    if (at != checks.end()) return at->second;
    OfCheck made{&up.Add({{"check", name}}),
                 &severity.Add({{"check", name}}),
                 &last_run.Add({{"check", name}}),
                 &duration.Add({{"check", name}}, run_buckets),
                 {}};
    for (const auto outcome : run_outcomes)
      made.runs[outcome] = &runs.Add({{"check", name}, {"outcome", std::string{outcome}}});
    return checks.emplace(name, std::move(made)).first->second;
  }
  void forget(OfCheck& gone) {
    up.Remove(gone.up);
    severity.Remove(gone.severity);
    last_run.Remove(gone.last_run);
    duration.Remove(gone.duration);
    for (const auto& [outcome, counter] : gone.runs) runs.Remove(counter);
  }
};

Instruments::Instruments(std::string_view version, std::string_view revision)
    : series_{std::make_unique<Series>()} {
  series_->build.Add({{"version", std::string{version}}, {"revision", std::string{revision}}}, 1);
}
Instruments::~Instruments() = default;

void Instruments::expect_checks(const std::vector<std::string>& names) {
  for (const auto& name : names) series_->check(name);
  for (auto at = series_->checks.begin(); at != series_->checks.end();) {
    if (std::find(names.begin(), names.end(), at->first) != names.end()) {
      ++at;
      continue;
    }
    series_->forget(at->second);
    at = series_->checks.erase(at);
  }
}

void Instruments::expect_receivers(const std::vector<std::string>& names) {
  for (const auto& name : names) {
    if (!series_->receivers.insert(name).second) continue;
    series_->entries.Add({{"receiver", name}});
    series_->oldest.Add({{"receiver", name}});
    series_->delivery.Add({{"receiver", name}}, delivery_buckets);
    for (const auto outcome : delivery_outcomes)
      series_->deliveries.Add({{"receiver", name}, {"outcome", std::string{outcome}}});
  }
}

void Instruments::check_ran(const std::string& check, std::string_view outcome, Duration took,
                            Duration lag) {
  auto& series = series_->check(check);
  series.duration->Observe(seconds(took));
  if (const auto at = series.runs.find(outcome); at != series.runs.end()) at->second->Increment();
  series_->lag.Observe(std::max(0.0, seconds(lag)));
}

void Instruments::incident_opened(const std::string& topic) {
  const auto known = series_->topics.contains(topic) || series_->topics.size() < topics_most;
  if (known) series_->topics.insert(topic);
  series_->opened.Add({{"topic", known ? topic : "other"}}).Increment();
}

void Instruments::delivered(const std::string& receiver, std::string_view outcome, Duration took) {
  expect_receivers({receiver});
  series_->deliveries.Add({{"receiver", receiver}, {"outcome", std::string{outcome}}}).Increment();
  series_->delivery.Add({{"receiver", receiver}}, delivery_buckets).Observe(seconds(took));
}

void Instruments::paged(Duration since_breach) { series_->page.Observe(seconds(since_breach)); }

void Instruments::reloaded(bool good) { series_->reload.Set(good ? 1 : 0); }

std::string Instruments::expose(const AgentView& view, Format format) {
  for (const auto& check : view.checks) {
    auto& series = series_->check(std::string{check.name});
    series.up->Set(check.samples != nullptr ? 1 : 0);
    series.severity->Set(static_cast<double>(check.severity));
    series.last_run->Set(std::chrono::duration<double>(check.last_run.time_since_epoch()).count());
  }
  for (const auto& [severity, count] : view.alerts_by_severity)
    series_->alerts.Add({{"severity", severity}}).Set(static_cast<double>(count));
  for (const auto& [state, count] : view.incidents_by_state)
    series_->incidents.Add({{"state", state}}).Set(static_cast<double>(count));
  for (const auto& name : series_->receivers) {
    const auto at = view.outbox.find(name);
    const auto queue = at == view.outbox.end() ? AgentView::Queue{} : at->second;
    series_->entries.Add({{"receiver", name}}).Set(static_cast<double>(queue.entries));
    series_->oldest.Add({{"receiver", name}}).Set(queue.oldest_age_seconds);
  }
  series_->durable.Set(view.durable ? 1 : 0);
  auto families = series_->registry.Collect();
  std::string text;
  append_families(text, families, format);
  series_->samples.append(text, view.checks, format);
  if (format == Format::openmetrics) text += "# EOF\n";
  return text;
}

const std::vector<MetricDoc>& Instruments::documentation() {
  static const std::vector<MetricDoc> all{std::begin(docs), std::end(docs)};
  return all;
}

}  // namespace tocsin::metrics
