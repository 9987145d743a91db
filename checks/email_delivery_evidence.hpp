#pragma once

#include <string>

#include "checks/test_messages.hpp"
#include "tocsin/model/sample.hpp"

namespace tocsin::checks {

/// Where mail goes and why the last attempts at either end failed; "" where they did not.
struct MailRoute {
  std::string relay{}, mailbox{};  ///< As sentences name them: "relay-1:587".
  std::string relay_fault{}, mailbox_fault{};
};

/// What the person on call needs to know of it.
Evidence email_delivery_evidence(const TestMessages& messages, const MailRoute& route, Now now);

}  // namespace tocsin::checks
