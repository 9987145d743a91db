#pragma once

#include <string>
#include <string_view>

#include "tocsin/net/conversation.hpp"

namespace tocsin::checks {

/// What to send, to whom and from whom.
struct OutgoingMail {
  std::string from{}, to{};
  std::string content{};  ///< Headers, an empty line and the text; lines end with CR LF.
};

/// What a relay may say to one message.
inline constexpr std::size_t smtp_bytes_max = 64u << 10;

/// Hands the message to a relay that has been greeted and logged in to (RFC 5321 §3.3), and takes
/// leave. What it said when it took the message ("2.0.0 Ok: queued as 4XyZ"). Errc::refused when it
/// understood and would not; then no message is under way. After any other error it may be.
Task<std::string> hand_over(Conversation& relay, const OutgoingMail& mail);

}  // namespace tocsin::checks
