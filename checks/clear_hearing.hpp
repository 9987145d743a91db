#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "tocsin/async/task.hpp"
#include "tocsin/net/conversation.hpp"

namespace tocsin::checks {

/// What a server says in the clear before TLS, by lines or by bytes, at most
/// limits::starttls_bytes and a piece of it. Sentences say what was waited for.
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
  const std::string& beyond() const { return heard_; }

  const std::string& peer() const { return peer_.peer(); }
  /// "mail:25 does not speak SMTP: it said "SSH-2.0"".
  Error stranger(std::string_view said) const;

 private:
  Task<void> more();

  Conversation& peer_;
  std::string protocol_;
  std::string awaited_{"its greeting"};
  std::string heard_{};
  std::size_t heard_bytes_{0};  ///< In all.
};

}  // namespace tocsin::checks
