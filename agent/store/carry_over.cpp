#include "agent/store/carry_over.hpp"

#include <algorithm>

namespace tocsin::store {
namespace {

/// How steady times of another boot read in this one.
class Shift {
 public:
  Shift(const std::optional<Anchor>& then, Now now) : now_{now.steady} {
    if (!then) return;
    const auto passed = std::max(std::chrono::microseconds{0}, now.wall - then->at.wall);
    by_ = (now.steady - then->at.steady) - passed;
  }
  void operator()(std::optional<SteadyTime>& at) const {
    if (!at) return;
    at = by_ ? *at + *by_ : now_;
  }

 private:
  SteadyTime now_;
  std::optional<Duration> by_{};
};

void move_timers(Incident& incident, const Shift& shift) {
  shift(incident.pending_until);
  shift(incident.escalate_from);
  shift(incident.remind_at);
  shift(incident.ack_expires_at);
  shift(incident.resolve_at);
  shift(incident.reopen_until);
  shift(incident.archive_at);
  shift(incident.page_again_not_before);
}

void forget_progress(Alert& alert) {
  for (auto* rules : {&alert.critical, &alert.warning}) {
    for (auto& rule : *rules) rule = RuleProgress{};
  }
  alert.unknown_since.reset();
}

void after_reboot(Alert& alert, const Shift& shift) {
  switch (alert.phase) {
    case AlertPhase::inactive:
      forget_progress(alert);
      break;
    case AlertPhase::pending:
      forget_progress(alert);
      alert.phase = AlertPhase::inactive;
      alert.severity = Severity::ok;
      alert.since.reset();
      break;
    case AlertPhase::recovering:
      alert.phase = AlertPhase::firing;
      [[fallthrough]];
    case AlertPhase::firing:
      // It fires until it is seen to have cleared; how long its rules have held goes on counting.
      for (auto* rules : {&alert.critical, &alert.warning}) {
        for (auto& rule : *rules) shift(rule.since);
      }
      shift(alert.unknown_since);
      break;
  }
  alert.recovering_since.reset();
}

}  // namespace

Commit carry_over(Snapshot& snapshot, const std::optional<Anchor>& then, const std::string& boot_id,
                  Now now) {
  Commit changed;
  const bool rebooted = !then || then->boot_id != boot_id;
  const Shift shift{then, now};
  for (auto& entry : snapshot.entries) {
    const auto before = entry;
    if (entry.state == EntryState::in_flight) {
      entry.state = EntryState::queued;
      entry.ambiguous = true;
    }
    if (rebooted) shift(entry.not_before);
    if (entry != before) changed.entries.push_back(entry);
  }
  if (!rebooted) return changed;
  for (auto& alert : snapshot.alerts) {
    const auto before = alert;
    after_reboot(alert, shift);
    if (alert != before) changed.alerts.push_back(alert);
  }
  for (auto& incident : snapshot.incidents) {
    const auto before = incident;
    move_timers(incident, shift);
    if (incident != before) changed.incidents.push_back(incident);
  }
  return changed;
}

}  // namespace tocsin::store
