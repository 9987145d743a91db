#pragma once

#include <string>

#include "agent/app/engine.hpp"
#include "agent/config/settings.hpp"
#include "agent/policy/alert_machine.hpp"
#include "agent/policy/incident_machine.hpp"

namespace tocsin::app {

// From settings, as people wrote them, to policies, as decisions want them.

policy::AlertPolicy alert_policy(const config::CheckSetting& check);
EngineSettings engine_settings(const config::Settings& settings, const std::string& host);
/// What a check's alert brings to its incident.
policy::AlertNews alert_news(const config::CheckSetting& check, const config::Settings& settings,
                             const std::string& host, const Alert& alert);

}  // namespace tocsin::app
