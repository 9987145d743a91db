#include "agent/app/reference.hpp"

#include "agent/app/configuration.hpp"
#include "agent/app/telemetry.hpp"
#include "agent/config/document.hpp"

namespace tocsin::app {

std::string checks_page() { return config::document_checks(check_registry()); }

std::string configuration_page() { return config::document_configuration(); }

std::string metrics_page() { return document_metrics(check_registry()); }

}  // namespace tocsin::app
