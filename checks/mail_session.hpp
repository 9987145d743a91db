#pragma once

#include <memory>

#include "checks/mail_server.hpp"
#include "tocsin/async/clock.hpp"
#include "tocsin/net/conversation.hpp"
#include "tocsin/net/network.hpp"

namespace tocsin::checks {

enum class MailProtocol { smtp, imap };

/// Opens sessions with mail servers, one at a time, by libcurl. It keeps the authorities that
/// certificates are judged by for a day: to read those of the system takes longer than all the
/// rest.
class MailClient {
 public:
  MailClient();
  ~MailClient();

  /// Connects, encrypts and logs in as it was told; what is said after that is the caller's. The
  /// error names the step that failed and what the server said. Errc::missing when there is no
  /// libcurl on this host. The conversation ends by the deadline, must not outlive the client, the
  /// network or the clock, and is to be dropped before the next is opened.
  Task<std::unique_ptr<Conversation>> open(Network& network, Clock& clock, const MailServer& server,
                                           MailProtocol protocol, SteadyTime deadline);

 private:
  struct Library;
  std::unique_ptr<Library> library_;
};

}  // namespace tocsin::checks
