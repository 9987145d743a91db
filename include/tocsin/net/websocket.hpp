#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tocsin/async/task.hpp"
#include "tocsin/net/network.hpp"

namespace tocsin {

/// Where to open a WebSocket (RFC 6455) and how.
struct WebSocketRequest {
  Url url{};                                                   ///< "http" for ws, "https" for wss.
  std::vector<std::pair<std::string, std::string>> headers{};  ///< Of the upgrade.
  TlsOptions tls{};
  std::size_t message_bytes_max{limits::http_response_bytes};
  SteadyTime deadline{};  ///< Of all that is done with it: then it ends with Errc::timed_out.
};

/// An open WebSocket. Pings of the peer are answered while one hears. Dropping it closes the
/// connection at once. It must not outlive the network that opened it. One loop, one call at a
/// time.
class WebSocket {
 public:
  virtual ~WebSocket() = default;
  /// Sends one text message.
  virtual Task<void> say(std::string text) = 0;
  /// The next message, text or binary. Errc::disconnected when the peer has closed, with its code
  /// and reason; Errc::too_large beyond the request's bound.
  virtual Task<std::string> hear() = 0;
  /// Sends a ping and returns when its pong has come; messages that come before are dropped. The
  /// last thing to be done with it: nothing can be heard any more.
  virtual Task<void> ping() = 0;
  /// "shop.example.com:443", for sentences.
  virtual const std::string& peer() const = 0;
};

/// Exactly one of socket and failure.
struct WebSocketOutcome {
  std::unique_ptr<WebSocket> socket{};
  std::optional<HttpFailure> failure{};
  int status{0};  ///< Of the answer to the upgrade, when there was one: 101 when it was granted.
  PhaseTimes times{};  ///< first_byte: from the request to the answer to the upgrade.
  std::optional<PeerCertificate> certificate{};
};

}  // namespace tocsin
