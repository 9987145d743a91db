#pragma once

#include "tocsin/net/network.hpp"

namespace tocsin::checks {

/// Protocols that begin in the clear and go on in TLS when they are asked to.
enum class StartTls {
  smtp,      ///< EHLO, STARTTLS (RFC 3207).
  lmtp,      ///< The same after LHLO (RFC 2033).
  imap,      ///< STARTTLS (RFC 9051, 6.2.1).
  pop3,      ///< STLS (RFC 2595).
  ftp,       ///< AUTH TLS (RFC 4217).
  ldap,      ///< The extended operation StartTLS (RFC 4511, 4.14).
  postgres,  ///< SSLRequest (PostgreSQL's documentation, "Message Flow").
};

/// What to say before the handshake. Fails with what the server said instead of yes: Errc::refused,
/// Errc::unsupported when it does not offer TLS, Errc::protocol when it speaks something else,
/// Errc::too_large when it does not come to the point.
BeforeTls ask_for_tls(StartTls protocol);

}  // namespace tocsin::checks
