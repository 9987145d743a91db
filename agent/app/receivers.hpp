#pragma once

#include "agent/config/settings.hpp"
#include "agent/notify/dispatcher.hpp"
#include "tocsin/async/clock.hpp"
#include "tocsin/net/network.hpp"

namespace tocsin::app {

/// One notifier for each receiver that is configured: "slack", and "pagerduty/NAME" for every
/// service.
notify::Dispatcher::Notifiers make_notifiers(const config::Settings& settings, Network& network,
                                             Clock& clock);

}  // namespace tocsin::app
