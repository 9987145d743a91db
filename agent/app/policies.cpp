#include "agent/app/policies.hpp"

#include "agent/app/receivers.hpp"

#include <algorithm>

namespace tocsin::app {

namespace {

policy::UnknownPolicy unknown_policy(config::Unknown unknown) {
  switch (unknown) {
    case config::Unknown::alert:
      return policy::UnknownPolicy::alert;
    case config::Unknown::hold:
      return policy::UnknownPolicy::hold;
    case config::Unknown::ok:
      return policy::UnknownPolicy::ok;
  }
  return policy::UnknownPolicy::alert;
}

Duration longest_hold(const std::vector<Rule>& rules) {
  Duration longest{0};
  for (const auto& rule : rules)
    if (const auto* hold = std::get_if<HoldFor>(&rule.hold))
      longest = std::max(longest, hold->duration);
  return longest;
}

}  // namespace

policy::AlertPolicy alert_policy(const config::CheckSetting& check) {
  policy::AlertPolicy policy{.critical = check.critical,
                             .warning = check.warning,
                             .clear = check.clear,
                             .unknown = unknown_policy(check.unknown),
                             .confirm_every = check.confirm_every};
  // Not being able to measure is given as long as the breach itself would be, and at least the
  // default.
  policy.unknown_hold = std::max(policy.unknown_hold, longest_hold(check.critical));
  return policy;
}

EngineSettings engine_settings(const config::Settings& settings, const std::string& host) {
  EngineSettings out{.host = host};
  auto& incidents = out.incidents;
  incidents.group_wait = settings.incidents.group_wait;
  incidents.recover_hold = settings.incidents.recover_hold;
  incidents.reopen_window = settings.incidents.reopen_window;
  incidents.ack_expires = settings.incidents.ack_expires;
  incidents.remind_every = settings.incidents.remind_every;
  incidents.archive_after = settings.incidents.archive_after;
  incidents.environment = settings.environment;
  incidents.timezone = settings.timezone;
  incidents.slack = settings.slack.has_value();
  if (settings.slack) incidents.invite = settings.slack->invite;
  if (settings.pagerduty) {
    incidents.page_service = settings.pagerduty->page;
    incidents.pages_link = pages_link(*settings.pagerduty);
    out.page_wait = settings.pagerduty->page_wait;
  }
  for (const auto& step : settings.incidents.escalation)
    incidents.escalation.push_back({step.after, step.page, step.invite});
  return out;
}

policy::AlertNews alert_news(const config::CheckSetting& check, const config::Settings& settings,
                             const std::string& host, const Alert& alert) {
  const auto& defaults = settings.incidents.owners;
  return {.check = check.name,
          .type = check.type,
          .topic = check.topic,
          .component = check.component,
          .host = host,
          // Until a hub is configured a fleet check is this host's own business; `config check`
          // says so.
          .fleet = false,
          .severity = alert.severity,
          .why = alert.why,
          .since = alert.since.value_or(WallTime{}),
          .owners = {.sre = check.owner.sre.empty() ? defaults.sre : check.owner.sre,
                     .developer = check.owner.developer.empty() ? defaults.developer
                                                                : check.owner.developer},
          .runbook = check.runbook,
          .dashboard = check.dashboard,
          .flapping = alert.flapping};
}

}  // namespace tocsin::app
