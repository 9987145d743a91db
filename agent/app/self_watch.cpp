#include "agent/app/self_watch.hpp"

namespace tocsin::app {

namespace {
using namespace std::chrono_literals;
constexpr Duration look_every = 10s;
}  // namespace

SelfWatch::SelfWatch(Engine& engine, store::Journal& journal, Clock& clock, std::string host)
    : engine_{engine}, journal_{journal}, clock_{clock}, host_{std::move(host)} {
  for (const auto& [name, alert] : engine_.alerts())
    if (name.starts_with(prefix) && alert.phase == AlertPhase::firing)
      raised_.emplace(name.substr(prefix.size()), alert);
}

void SelfWatch::raise(const std::string& part, const std::string& why) {
  const auto name = std::string{prefix} + part;
  const auto [at, fresh] = raised_.try_emplace(part, Alert{.check = name,
                                                           .phase = AlertPhase::firing,
                                                           .severity = Severity::warning,
                                                           .why = why,
                                                           .since = clock_.wall()});
  if (!fresh) return;
  engine_.alert_fired(at->second, {.check = name,
                                   .type = "tocsin",
                                   .topic = "tocsin",
                                   .component = "tocsin",
                                   .host = host_,
                                   .severity = Severity::warning,
                                   .why = why,
                                   .since = clock_.wall()});
}

void SelfWatch::clear(const std::string& part) {
  const auto at = raised_.find(part);
  if (at == raised_.end()) return;
  auto alert = at->second;
  raised_.erase(at);
  alert.phase = AlertPhase::inactive;
  alert.severity = Severity::ok;
  engine_.alert_recovered(alert);
}

void SelfWatch::look_for_overdue() {
  const auto now = clock_.now();
  for (const auto& [id, incident] : engine_.incidents())
    if (const auto sentence = policy::overdue(incident, now)) return raise("escalation", *sentence);
  clear("escalation");
}

asio::awaitable<void> SelfWatch::run() {
  for (;;) {
    if (journal_.durable())
      clear("disk");
    else
      raise("disk",
            "the store cannot be written, memory is all there is: " + journal_.last_error());
    for (const auto& warning : journal_.take_warnings()) raise("store", warning);
    look_for_overdue();
    co_await clock_.sleep_until(clock_.steady() + look_every);
  }
}

}  // namespace tocsin::app
