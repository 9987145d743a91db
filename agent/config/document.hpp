#pragma once

#include <string>

#include "tocsin/check/registry.hpp"

namespace tocsin::config {

/// docs/checks.md: every check type with its keys, samples, default rules and an example, in
/// Markdown.
std::string document_checks(const CheckRegistry& registry);
/// docs/configuration.md: every other key of the configuration, in Markdown.
std::string document_configuration();

}  // namespace tocsin::config
