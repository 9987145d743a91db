#pragma once

#include <string>

#include "agent/config/settings.hpp"
#include "tocsin/check/registry.hpp"

namespace tocsin::app {

/// Every check type this program has, in a registry of its own.
CheckRegistry check_registry();
/// Loads a file with this host's secrets.
config::Loaded load_configuration(const std::string& path);
/// Loads a file as far as one can without being allowed to read its secrets: for commands that only
/// need to know where the agent listens.
config::Loaded load_without_secrets(const std::string& path);

}  // namespace tocsin::app
