#include "agent/app/receivers.hpp"

#include <algorithm>
#include <memory>

#include "agent/notify/pagerduty_notifier.hpp"
#include "agent/notify/slack_notifier.hpp"
#include "tocsin/base/limits.hpp"

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

std::string pages_link(const config::PagerDutySetting& setting) {
  if (!setting.web_url.empty()) return setting.web_url;
  switch (setting.region) {
    case config::Region::us:
      return "https://app.pagerduty.com/incidents";
    case config::Region::eu:
      return "https://app.eu.pagerduty.com/incidents";
  }
  return {};
}

namespace {

const config::PagerDutyService* find_service(const config::Settings& settings,
                                             const std::string& name) {
  if (!settings.pagerduty) return nullptr;
  const auto found = settings.pagerduty->services.find(name);
  return found == settings.pagerduty->services.end() ? nullptr : &found->second;
}

}  // namespace

void retire_keys(const config::Settings& before, const config::Settings& after, RetiredKeys& keys) {
  if (!before.pagerduty) return;
  for (const auto& [name, service] : before.pagerduty->services) {
    const auto* now = find_service(after, name);
    if (now != nullptr && now->routing_key == service.routing_key) continue;
    auto& retired = keys[name];
    std::erase(retired, service.routing_key);
    retired.insert(retired.begin(), service.routing_key);
    if (retired.size() > limits::retired_keys) retired.pop_back();
  }
}

notify::Dispatcher::Notifiers make_notifiers(const config::Settings& settings,
                                             const RetiredKeys& retired, Network& network,
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
    for (const auto& [name, service] : pagerduty->services) {
      notify::PagerDutyOptions options{.events_url = events_url(*pagerduty),
                                       .routing_keys = {{name, service.routing_key}}};
      if (const auto old = retired.find(name); old != retired.end())
        options.retired_keys = old->second;
      out.emplace(pagerduty_receiver(name),
                  std::make_shared<notify::PagerDutyNotifier>(network, clock, std::move(options)));
    }
  return out;
}

}  // namespace tocsin::app
