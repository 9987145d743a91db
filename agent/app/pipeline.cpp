#include "agent/app/pipeline.hpp"

#include <algorithm>

#include "agent/app/policies.hpp"
#include "agent/app/self_watch.hpp"
#include "tocsin/base/limits.hpp"

namespace tocsin::app {

using policy::AlertChange;

namespace {

bool is_firing(const Alert& alert) {
  return alert.phase == AlertPhase::firing || alert.phase == AlertPhase::recovering;
}

bool same_rules(const std::vector<Rule>& now, const std::vector<Rule>& before) {
  return std::equal(now.begin(), now.end(), before.begin(), before.end(),
                    [](const Rule& a, const Rule& b) { return a.text == b.text; });
}

}  // namespace

Pipeline::Pipeline(Clock& clock, Engine& engine, schedule::Scheduler& scheduler, TaskGroup& tasks,
                   std::string host)
    : clock_{clock},
      engine_{engine},
      scheduler_{scheduler},
      tasks_{tasks},
      host_{std::move(host)} {}

void Pipeline::adopt(Watched& watched) {
  const auto& name = watched.setting.name;
  watched.alert.check = name;
  if (const auto stored = engine_.alerts().find(name); stored != engine_.alerts().end())
    watched.alert = stored->second;
  const auto fires = is_firing(watched.alert);
  const auto* member = engine_.firing_member(name);
  if (fires && !engine_.known_to_fire(name)) {
    // It was held back, or the account of its incident was lost: once nothing holds it back, it is
    // told.
    watched.held_back = true;
  } else if (!fires && member != nullptr) {
    // The account of the alert was lost: it fires until it is seen to have cleared.
    watched.alert.phase = AlertPhase::firing;
    watched.alert.severity = member->severity;
    watched.alert.why = member->why;
    watched.alert.since = member->since;
  }
}

/// What the check was before its settings changed stays true: its alert, and what is on its way to
/// be told. Only progress towards a rule that is another now begins anew.
void Pipeline::take_over(Watched& watched, Watched& old) {
  watched.alert = std::move(old.alert);
  watched.held_back = old.held_back;
  watched.news = std::move(old.news);
  watched.telling = old.telling;
  if (!same_rules(watched.policy.critical, old.policy.critical)) watched.alert.critical.clear();
  if (!same_rules(watched.policy.warning, old.policy.warning)) watched.alert.warning.clear();
}

void Pipeline::replace(std::shared_ptr<const config::Settings> settings) {
  settings_ = std::move(settings);
  std::map<std::string, Watched> next;
  std::vector<schedule::ScheduledCheck> scheduled;
  for (const auto& setting : settings_->checks) {
    const auto old = checks_.find(setting.name);
    const auto known = old != checks_.end();
    const auto unchanged = known && old->second.setting.fingerprint == setting.fingerprint;
    auto watched = unchanged ? std::move(old->second) : Watched{};
    if (!unchanged) {
      watched.setting = setting;
      watched.policy = alert_policy(setting);
      if (known)
        take_over(watched, old->second);
      else
        adopt(watched);
    }
    scheduled.push_back({setting.name, watched.setting.check, setting.every, setting.timeout});
    next.emplace(setting.name, std::move(watched));
  }
  checks_ = std::move(next);
  std::vector<std::string> gone;
  for (const auto& [name, alert] : engine_.alerts())
    if (!checks_.contains(name) && !name.starts_with(SelfWatch::prefix)) gone.push_back(name);
  for (const auto& name : gone) engine_.check_removed(name);
  scheduler_.replace(std::move(scheduled));
}

bool Pipeline::dependency_in_breach(const Watched& watched) const {
  return std::any_of(
      watched.setting.depends_on.begin(), watched.setting.depends_on.end(), [&](const auto& name) {
        const auto parent = checks_.find(name);
        return parent != checks_.end() && (parent->second.alert.phase == AlertPhase::firing ||
                                           parent->second.alert.phase == AlertPhase::pending);
      });
}

void Pipeline::observe(const schedule::ScheduledCheck& check, Observation observation) {
  const auto at = checks_.find(check.name);
  if (at == checks_.end() || at->second.setting.check != check.check) return;
  auto& watched = at->second;
  auto step = policy::advance(watched.policy, check.check->specs(), watched.alert, observation);
  const auto moved = step.next.phase != watched.alert.phase ||
                     step.next.severity != watched.alert.severity ||
                     step.next.flapping != watched.alert.flapping;
  watched.alert = std::move(step.next);
  watched.verdict = std::move(step.verdict);
  watched.last = std::move(observation);
  watched.ever_ran = true;
  if (step.look_again_at) scheduler_.look_no_later_than(check.name, *step.look_again_at);
  for (const auto change : step.changes) tell(watched, change);
  if (watched.held_back && watched.alert.phase == AlertPhase::firing &&
      !dependency_in_breach(watched)) {
    watched.held_back = false;
    tell(watched, AlertChange::fired);
  }
  if (step.changes.empty() && moved) engine_.alert_kept(watched.alert);
  if (listener_) listener_(watched);
}

void Pipeline::tell(Watched& watched, AlertChange change) {
  if (change == AlertChange::none) return;
  const auto opens = change == AlertChange::fired;
  if (opens && dependency_in_breach(watched)) watched.held_back = true;
  if (watched.held_back) {
    if (change == AlertChange::recovered) watched.held_back = false;
    engine_.alert_kept(watched.alert);
    return;
  }
  watched.news.push_back({change, watched.alert});
  if (watched.telling) return;
  watched.telling = true;
  tasks_.spawn("news of " + watched.setting.name, tell_all(watched.setting.name));
}

asio::awaitable<void> Pipeline::tell_all(std::string name) {
  for (;;) {
    const auto before = checks_.find(name);
    if (before == checks_.end()) co_return;
    if (before->second.news.empty()) {
      before->second.telling = false;
      co_return;
    }
    const auto change = before->second.news.front().change;
    Evidence evidence{};
    if (change == AlertChange::fired || change == AlertChange::severity_changed) {
      const auto deadline = clock_.steady() + limits::evidence_wait;
      evidence = co_await scheduler_.evidence(name, deadline);
    }
    const auto after = checks_.find(name);  // A reload may have come between.
    if (after == checks_.end()) co_return;
    if (after->second.news.empty()) continue;
    const auto news = std::move(after->second.news.front());
    after->second.news.pop_front();
    tell_one(after->second, news, std::move(evidence));
  }
}

void Pipeline::tell_one(const Watched& watched, const Watched::News& news, Evidence evidence) {
  auto told = alert_news(watched.setting, *settings_, host_, news.alert);
  told.evidence = std::move(evidence);
  switch (news.change) {
    case AlertChange::none:
      return;
    case AlertChange::fired:
    case AlertChange::refired:
      return engine_.alert_fired(news.alert, std::move(told));
    case AlertChange::severity_changed:
      return engine_.alert_severity_changed(news.alert, std::move(told));
    case AlertChange::recovered:
      return engine_.alert_recovered(news.alert);
    case AlertChange::flapping_started:
      return engine_.flapping_changed(news.alert, true);
    case AlertChange::flapping_stopped:
      return engine_.flapping_changed(news.alert, false);
  }
}

}  // namespace tocsin::app
