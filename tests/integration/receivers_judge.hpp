#pragma once

#include <string>
#include <vector>

#include "tests/integration/http_client.hpp"

namespace tocsin::integration {

/// The actions of all events that PagerDuty took, in order.
std::vector<std::string> page_actions(const json::value& state);
/// What the receivers must never have seen, whatever happened in between: a page opened twice under
/// one key, a resolve before its trigger, a message twice, two live channels of one incident. A
/// sentence each.
std::vector<std::string> broken_promises(const json::value& state);

}  // namespace tocsin::integration
