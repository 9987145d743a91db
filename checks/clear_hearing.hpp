#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "checks/line_talk.hpp"
#include "tocsin/async/task.hpp"
#include "tocsin/net/conversation.hpp"

namespace tocsin::checks {

/// What a server says in the clear before TLS, by lines or by bytes, at most
/// limits::starttls_bytes. Sentences say what was waited for.
class ClearHearing {
 public:
  /// The conversation must outlive it. `protocol` is how people call it: "SMTP".
  ClearHearing(Conversation& peer, std::string protocol);

  /// Says it; what is waited for from then on is the answer to `name`.
  Task<void> say(std::string text, std::string_view name);
  /// The next line without its end (LF or CRLF).
  Task<std::string> line();
  /// The next bytes, exactly so many.
  Task<std::string> bytes(std::size_t count);
  /// What came and was not taken.
  const std::string& beyond() const { return talk_.beyond(); }

  const std::string& peer() const { return talk_.peer(); }
  /// "mail:25 does not speak SMTP: it said "SSH-2.0"".
  Error stranger(std::string_view said) const;

 private:
  Error while_waiting(const Error& error) const;

  LineTalk talk_;
  std::string protocol_;
  std::string awaited_{"its greeting"};
};

}  // namespace tocsin::checks
