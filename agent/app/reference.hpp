#pragma once

#include <string>

namespace tocsin::app {

// The reference pages of `tocsin docs` and of docs/, as Markdown, made from the declarations.

std::string checks_page();
std::string configuration_page();
std::string metrics_page();

}  // namespace tocsin::app
