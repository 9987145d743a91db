#include "agent/app/telemetry.hpp"

#include "agent/app/version.hpp"
#include "agent/metrics/instruments.hpp"
#include "agent/metrics/metric_name.hpp"
#include "tocsin/base/overloaded.hpp"

namespace tocsin::app {

namespace {

constexpr IncidentState states[] = {IncidentState::pending,      IncidentState::open,
                                    IncidentState::acknowledged, IncidentState::mitigated,
                                    IncidentState::resolved,     IncidentState::closed,
                                    IncidentState::archived,     IncidentState::cancelled};
constexpr Severity severities[] = {Severity::warning, Severity::critical, Severity::unknown};

std::string_view outcome_of(const Delivery& delivery) {
  return std::visit(overloaded{
                        [](const Delivered&) -> std::string_view { return "delivered"; },
                        [](const Retry&) -> std::string_view { return "retry"; },
                        [](const Rejected&) -> std::string_view { return "rejected"; },
                        [](const Halt&) -> std::string_view { return "halt"; },
                    },
                    delivery);
}

std::string_view outcome_of(const Observation& look) {
  if (look.outcome) return "measured";
  return look.outcome.error().code == Errc::timed_out ? "timed_out" : "failed";
}

metrics::AgentView view_of(Core& core, Now now) {
  metrics::AgentView view;
  for (const auto severity : severities)
    view.alerts_by_severity[std::string{to_string(severity)}] = 0;
  for (const auto state : states) view.incidents_by_state[std::string{to_string(state)}] = 0;
  for (const auto& [name, watched] : core.pipeline().checks())
    view.checks.push_back(
        {.name = name,
         .type = watched.setting.type,
         .labels = watched.setting.labels,
         .specs = watched.setting.check->specs(),
         .samples = watched.ever_ran && watched.last.outcome ? &*watched.last.outcome : nullptr,
         .severity = watched.verdict.severity,
         .last_run = watched.last.at.wall});
  for (const auto& [name, alert] : core.engine().alerts())
    if (alert.phase == AlertPhase::firing || alert.phase == AlertPhase::recovering)
      ++view.alerts_by_severity[std::string{to_string(alert.severity)}];
  view.alerts_by_severity.erase(std::string{to_string(Severity::ok)});
  for (const auto& [id, incident] : core.engine().incidents())
    ++view.incidents_by_state[std::string{to_string(incident.state)}];
  for (const auto& [id, entry] : core.engine().entries()) {
    auto& queue = view.outbox[entry.receiver.value];
    ++queue.entries;
    queue.oldest_age_seconds = std::max(
        queue.oldest_age_seconds, std::chrono::duration<double>(now.wall - entry.created).count());
  }
  view.durable = core.journal().durable();
  return view;
}

asio::awaitable<http::Response> serve(metrics::Instruments& instruments, Core& core, Clock& clock,
                                      http::Request request) {
  const auto format = metrics::format_for(request.headers["accept"]);
  const auto view = view_of(core, clock.now());
  co_return http::Response{.status = 200,
                           .content_type = std::string{metrics::content_type(format)},
                           .body = instruments.expose(view, format)};
}

}  // namespace

struct Telemetry::Impl {
  explicit Impl(Clock& its_clock) : clock{its_clock} {}
  Clock& clock;
  metrics::Instruments instruments{version(), revision()};
  Core* core{nullptr};

  void expect() {
    std::vector<std::string> checks;
    for (const auto& [name, watched] : core->pipeline().checks()) checks.push_back(name);
    std::vector<std::string> receivers;
    for (const auto& [receiver, notifier] : core->notifiers()) receivers.push_back(receiver.value);
    instruments.expect_checks(checks);
    instruments.expect_receivers(receivers);
  }
};

Telemetry::Telemetry(Clock& clock) : impl_{std::make_unique<Impl>(clock)} {}
Telemetry::~Telemetry() = default;

EngineObserver Telemetry::observer() {
  auto& instruments = impl_->instruments;
  return {.opened = [&instruments](
                        const Incident& incident) { instruments.incident_opened(incident.topic); },
          .delivered =
              [&instruments](const Claim& claim, const Delivery& delivery, Duration took) {
                instruments.delivered(claim.receiver.value, outcome_of(delivery), took);
              },
          .paged = [&instruments](Duration since) { instruments.paged(since); }};
}

void Telemetry::watch(Core& core) {
  impl_->core = &core;
  core.pipeline().on_look([&instruments = impl_->instruments](const Watched& watched) {
    instruments.check_ran(watched.setting.name, outcome_of(watched.last), watched.last.took,
                          watched.last.lag);
  });
}

void Telemetry::reloaded(bool good) {
  impl_->instruments.reloaded(good);
  impl_->expect();
}

void Telemetry::add_route(http::Router& router) {
  impl_->expect();
  router.add("GET", "/metrics", http::Access::read, [this](http::Request request) {
    return serve(impl_->instruments, *impl_->core, impl_->clock, std::move(request));
  });
}

std::string document_metrics(const CheckRegistry& registry) {
  std::string out =
      "# Metrics\n\nGenerated by `tocsin docs metrics`.\n\n## The agent's own\n\n| metric | type | "
      "labels | meaning |\n|---|---|---|---|\n";
  for (const auto& doc : metrics::Instruments::documentation())
    out += "| `" + std::string{doc.name} + "` | " + std::string{doc.type} + " | " +
           std::string{doc.labels} + " | " + std::string{doc.help} + " |\n";
  out +=
      "\n## Samples\n\nEach sample of a check is a gauge with the label `check`, the instance's "
      "own label where there is one, and the "
      "labels that the check configures.\n\n| metric | type of check | sample in rules | instance "
      "label | meaning |\n|---|---|---|---|---|\n";
  for (const auto& type : registry.types())
    for (const auto& spec : type.samples)
      out += "| `" + metrics::metric_name(type.name, spec) + "` | " + type.name + " | `" +
             spec.name + "` | " + spec.instance_label + " | " + spec.help + " |\n";
  return out;
}

}  // namespace tocsin::app
