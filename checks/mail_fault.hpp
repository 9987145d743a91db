#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "checks/mail_session.hpp"
#include "tocsin/base/error.hpp"

namespace tocsin::checks {

/// What went on the wire while a session was opened: enough to say where it failed, and no secret.
class MailTrace {
 public:
  explicit MailTrace(MailProtocol protocol) : protocol_{protocol} {}
  /// A line of ours. Lines that are no command (credentials) are passed over.
  void said(std::string_view line);
  void heard(std::string_view line);

  /// The command that was said last: "EHLO", "STARTTLS", "AUTH"; empty before the first.
  const std::string& command() const { return command_; }
  /// The last line of the server's, on one line; "" when it said nothing since the command.
  const std::string& reply() const { return reply_; }
  bool is_authenticating() const;

 private:
  MailProtocol protocol_;
  std::string command_{}, reply_{};
};

/// How far a session was, and how it ended.
struct MailEnd {
  enum class Kind {
    timed_out,
    unreachable,   ///< Connecting failed.
    tls,           ///< The handshake failed, or the certificate does not do.
    no_starttls,   ///< It is not offered.
    bad_ca_file,   ///< Ours cannot be read.
    refused,       ///< The server let us not in.
    disconnected,  ///< The server closed the connection.
    protocol,      ///< It answered something else.
    internal,
  };
  Kind kind{Kind::internal};
  bool connected{false};  ///< TCP.
  bool secured{false};    ///< TLS.
  std::string words{};    ///< The library's, or the system's.
};

/// What a code of libcurl's (libcurl-errors(3)) means for a session.
MailEnd::Kind mail_end_of(int code);

/// The sentence for the person on call.
Error mail_fault(const MailServer& server, const MailTrace& trace, const MailEnd& end);

}  // namespace tocsin::checks
