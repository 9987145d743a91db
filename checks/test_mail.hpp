#pragma once

#include <string>
#include <string_view>

#include "checks/smtp_dialog.hpp"
#include "checks/test_messages.hpp"

namespace tocsin::checks {

/// Has the id of a test message, which comes back with it.
inline constexpr std::string_view test_mail_header = "X-Tocsin-Message";

/// The test message as mail (RFC 5322): for people who find it, it says what it is; for programs,
/// that nobody wrote it (RFC 3834), so that none answers.
OutgoingMail compose_test_mail(const TestMessage& message, std::string_view tag, std::string from,
                               std::string to, std::string_view host);

}  // namespace tocsin::checks
