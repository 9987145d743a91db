#include "agent/app/receivers.hpp"

#include <memory>

#include "agent/notify/pagerduty_notifier.hpp"
#include "agent/notify/slack_notifier.hpp"

namespace tocsin::app {

namespace {

Url events_url(const config::PagerDutySetting& setting) {
  if (setting.events_url) return *setting.events_url;
  switch (setting.region) {
    case config::Region::us:
      return notify::pagerduty_us_events_url();
    case config::Region::eu:
      return notify::pagerduty_eu_events_url();
  }
  return notify::pagerduty_us_events_url();
}

}  // namespace

notify::Dispatcher::Notifiers make_notifiers(const config::Settings& settings, Network& network,
                                             Clock& clock) {
  notify::Dispatcher::Notifiers out;
  if (const auto& slack = settings.slack)
    out.emplace(slack_receiver(),
                std::make_shared<notify::SlackNotifier>(
                    network, clock,
                    notify::SlackOptions{.api_url = slack->api_url,
                                         .token = slack->token,
                                         .fallback_channel = slack->fallback_channel}));
  if (const auto& pagerduty = settings.pagerduty)
    for (const auto& [name, service] : pagerduty->services)
      out.emplace(pagerduty_receiver(name),
                  std::make_shared<notify::PagerDutyNotifier>(
                      network, clock,
                      notify::PagerDutyOptions{.events_url = events_url(*pagerduty),
                                               .routing_keys = {{name, service.routing_key}}}));
  return out;
}

}  // namespace tocsin::app
