#pragma once

#include <map>
#include <string>
#include <vector>

#include "agent/config/settings.hpp"
#include "agent/notify/dispatcher.hpp"
#include "tocsin/async/clock.hpp"
#include "tocsin/base/secret.hpp"
#include "tocsin/net/network.hpp"

namespace tocsin::app {

/// Routing keys that a reload replaced, newest first, by the service's name: pages that are still
/// open went out under them. Memory only, as the store keeps no secret.
using RetiredKeys = std::map<std::string, std::vector<Secret>>;
/// Adds what `after` no longer says; at most limits::retired_keys a service are kept.
void retire_keys(const config::Settings& before, const config::Settings& after, RetiredKeys& keys);

/// One notifier for each receiver that is configured: "slack", and "pagerduty/NAME" for every
/// service.
notify::Dispatcher::Notifiers make_notifiers(const config::Settings& settings,
                                             const RetiredKeys& retired, Network& network,
                                             Clock& clock);
/// Where people find their pages in the browser: what is configured, or the region's own site.
std::string pages_link(const config::PagerDutySetting& setting);

}  // namespace tocsin::app
