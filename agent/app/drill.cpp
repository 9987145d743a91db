#include "agent/app/drill.hpp"

#include "agent/app/policies.hpp"
#include "tocsin/base/limits.hpp"

namespace tocsin::app {

namespace {

using namespace std::chrono_literals;
constexpr Duration longest_drill = 1h;

/// Waits out the breach, lets it recover, and closes the incident once it has resolved.
asio::awaitable<void> end_drill(Engine& engine, Clock& clock, IncidentId id, std::string check,
                                Duration lasts) {
  co_await clock.sleep_until(clock.steady() + lasts);
  engine.member_recovered(check);
  for (int looks = 0; looks < 600; ++looks) {
    co_await clock.sleep_until(clock.steady() + 1s);
    const auto at = engine.incidents().find(id);
    if (at == engine.incidents().end() || !is_unclosed(at->second.state)) co_return;
    if (at->second.state != IncidentState::resolved) continue;
    const policy::Close close{.by = "tocsin", .waive_why = "this was a drill"};
    const auto closed = engine.command(id, close);
    if (closed) co_return;
  }
}

}  // namespace

void resume_drills(Core& core, Clock& clock) {
  for (const auto& [id, incident] : core.engine().incidents()) {
    if (!incident.drill || !is_unclosed(incident.state) || incident.members.empty()) continue;
    core.tasks().spawn(
        "drill", end_drill(core.engine(), clock, id, incident.members.front().check, Duration{0}));
  }
}

asio::awaitable<Result<Incident>> start_drill(Core& core, Clock& clock, DrillRequest request) {
  if (request.lasts > longest_drill) co_return Error{Errc::too_large, "a drill lasts at most 1h"};
  policy::AlertNews news{.check = "drill",
                         .type = "drill",
                         .topic = "drill",
                         .component = "tocsin",
                         .host = core.host(),
                         .severity = Severity::critical,
                         .why = "nothing is wrong: a drill was asked for",
                         .since = clock.wall()};
  const auto& settings = core.pipeline().settings();
  news.owners = {.sre = settings.incidents.owners.sre,
                 .developer = settings.incidents.owners.developer};
  auto looked_at = request.check;
  if (!request.check.empty()) {
    const auto at = core.pipeline().checks().find(request.check);
    if (at == core.pipeline().checks().end())
      co_return Error{Errc::missing, "no check \"" + request.check + "\"; see `tocsin check`"};
    news = alert_news(at->second.setting, settings, core.host(), at->second.alert);
    news.check = "drill of " + request.check;
    news.topic = "drill-" + news.topic;
    news.severity = Severity::critical;
    news.why = "nothing is wrong: a drill of " + request.check + " was asked for";
    news.since = clock.wall();
  } else if (!core.pipeline().checks().empty()) {
    looked_at = core.pipeline().checks().begin()->first;
  }
  if (!looked_at.empty()) {
    const auto deadline = clock.steady() + limits::evidence_wait;
    auto gathering = core.scheduler().evidence(looked_at, deadline);
    news.evidence = co_await std::move(gathering);
  }
  news.evidence.probable_cause = "none: a drill was asked for";
  news.evidence.recovery_estimate = "clears by itself after " + describe(request.lasts);
  news.drill = true;
  const auto check = news.check;
  auto opened = core.engine().open_by_hand(std::move(news));
  if (opened)
    core.tasks().spawn("drill", end_drill(core.engine(), clock, opened->id, check, request.lasts));
  co_return opened;
}

}  // namespace tocsin::app
