#pragma once

#include <memory>

#include "checks/mail_server.hpp"
#include "tocsin/async/clock.hpp"
#include "tocsin/net/conversation.hpp"
#include "tocsin/net/network.hpp"

namespace tocsin::checks {

enum class MailProtocol { smtp, imap };

/// Connects to a mail server, encrypts and logs in as it was told, by libcurl; what is said after
/// that is the caller's. The error names the step that failed and what the server said.
/// Errc::missing when there is no libcurl on this host. Both the network and the clock must outlive
/// the conversation, which ends by the deadline.
Task<std::unique_ptr<Conversation>> open_mail_session(Network& network, Clock& clock,
                                                      const MailServer& server,
                                                      MailProtocol protocol, SteadyTime deadline);

}  // namespace tocsin::checks
