#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "tocsin/async/task.hpp"
#include "tocsin/net/network.hpp"

namespace tocsin {

/// Whom to talk to, for a protocol that is neither HTTP nor a library's own affair.
struct OpenRequest {
  HostPort address{};
  std::string unix_socket{};  ///< When set, connect here; the address only names the peer.
  std::optional<TlsOptions> tls{};
  SteadyTime
      deadline{};  ///< Of the whole conversation: whatever it does then ends with Errc::timed_out.
};

/// One connection to a server, to be spoken over by turns. Dropping it closes it at once (with RST,
/// as checks do). It must not outlive the network that opened it. One loop.
class Conversation {
 public:
  virtual ~Conversation() = default;
  /// Sends all of it.
  virtual Task<void> say(std::string text) = 0;
  /// What came, at least one byte and at most limits::conversation_piece_bytes; Errc::disconnected
  /// when the peer has closed. The view holds until the next call. How much is taken in all is the
  /// caller's to bound.
  virtual Task<std::string_view> hear() = 0;
  /// "db-1:6379", for sentences.
  virtual const std::string& peer() const = 0;
};

/// Exactly one of conversation and failure.
struct OpenOutcome {
  std::unique_ptr<Conversation> conversation{};
  std::optional<HttpFailure> failure{};
  PhaseTimes times{};
  std::optional<PeerCertificate> certificate{};
};

}  // namespace tocsin
