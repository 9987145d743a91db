#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tocsin/async/task.hpp"
#include "tocsin/base/error.hpp"
#include "tocsin/base/limits.hpp"
#include "tocsin/base/time.hpp"
#include "tocsin/net/certificate.hpp"
#include "tocsin/net/url.hpp"

namespace tocsin {

/// The steps of talking to a server, so that a failure can say which one it was.
enum class NetPhase { resolve, connect, proxy, starttls, tls, send, first_byte, body };
std::string_view to_string(NetPhase phase);

/// How long each step took; absent when it was not reached or not needed.
struct PhaseTimes {
  std::optional<Duration> resolve{}, connect{}, tls{}, first_byte{}, total{};
};

struct TlsOptions {
  bool verify{true};
  std::string ca_file{};      ///< Empty: the system's store.
  std::string server_name{};  ///< Empty: the host of the URL.
  /// Note the whole chain and what is wrong with it, instead of refusing it: for who judges the
  /// certificate itself. `verify` is then not looked at, so nothing secret may be sent.
  bool examine{false};
};

/// Whether a connection may be taken from, and left in, the pool of idle ones.
enum class Reuse {
  fresh,  ///< A new connection, closed with RST at the end (a FIN of ours would pile up TIME_WAIT):
          ///< for checks.
  keep_alive,  ///< For receivers: a page must not wait for a handshake.
};

struct HttpRequest {
  std::string method{"GET"};
  Url url{};
  std::string unix_socket{};  ///< When set, connect here; the URL gives Host and target only.
  std::vector<std::pair<std::string, std::string>> headers{};
  std::string body{};
  SteadyTime deadline{};
  std::size_t response_bytes_max{limits::http_response_bytes};
  TlsOptions tls{};
  Reuse reuse{Reuse::fresh};
  bool through_proxy{
      false};  ///< Use the configured proxy (HTTPS_PROXY, NO_PROXY, or the key). Never for checks.
  bool last_good_address{
      false};  ///< When DNS fails, use the last address that worked for this host.
};

struct HttpResponse {
  int status{0};
  std::vector<std::pair<std::string, std::string>> headers{};  ///< Names in lower case.
  std::string body{};
  PhaseTimes times{};
  std::optional<PeerCertificate> certificate{};
  std::string_view header(std::string_view lower_case_name) const;
};

/// Why there is no response. `sent` decides what may be repeated: once bytes went out, the other
/// side may have acted.
struct HttpFailure {
  NetPhase phase{NetPhase::resolve};
  Error error{};  ///< "connect to db:5432 failed: Connection refused". Never a header, body or
                  ///< query string of ours.
  bool sent{false};
  PhaseTimes times{};
  std::optional<PeerCertificate> certificate{};
};
/// Exactly one of the two.
struct HttpOutcome {
  std::optional<HttpResponse> response{};
  std::optional<HttpFailure> failure{};
};

class Conversation;
/// What is said in the clear until the server agrees to TLS on the same connection (STARTTLS and
/// its like), over a conversation that lasts until this ends. Gives what it heard beyond the
/// agreement: anybody on the way may have said that, so there is no handshake unless it is empty.
using BeforeTls = std::function<Task<std::string>(Conversation&)>;

struct ConnectRequest {
  HostPort address{};
  std::optional<TlsOptions> tls{};
  BeforeTls before_tls{};   ///< Empty: TLS from the first byte. Not looked at without `tls`.
  std::string send{};       ///< Bytes to send once connected.
  std::size_t read_max{0};  ///< Read up to this many bytes of answer (a banner); 0: none.
  SteadyTime deadline{};
};
struct ConnectOutcome {
  std::optional<HttpFailure> failure{};
  std::string answer{};
  PhaseTimes times{};
  std::optional<PeerCertificate> certificate{};
};

struct OpenRequest;
struct OpenOutcome;
struct WebSocketRequest;
struct WebSocketOutcome;

/// What a library waits for on its socket.
enum class Readiness { to_read, to_write, either };

/// The network as checks and notifiers see it. The real one is in agent/net; tests/fakes has one
/// that talks to the fakes in-process. Every call ends by its deadline; redirects are not followed.
class Network {
 public:
  virtual ~Network();
  virtual asio::awaitable<HttpOutcome> http(HttpRequest request) = 0;
  virtual asio::awaitable<ConnectOutcome> connect(ConnectRequest request) = 0;

  // What follows a fake may leave out: it then fails with Errc::unsupported.

  /// A connection to be spoken over by turns: see conversation.hpp.
  virtual asio::awaitable<OpenOutcome> open(OpenRequest request);
  /// A WebSocket: see websocket.hpp.
  virtual asio::awaitable<WebSocketOutcome> websocket(WebSocketRequest request);
  /// A name's addresses as text, in the order to try them, for libraries that would block while
  /// resolving. A literal address is its own. Errc::unresolved or Errc::timed_out.
  virtual Task<std::vector<std::string>> resolve(std::string host, SteadyTime deadline);
  /// Waits until a library's own socket may be read or written, as poll(2) would say.
  /// Errc::timed_out at the deadline. The descriptor stays the library's, which must not close it
  /// meanwhile.
  virtual Task<void> ready(int descriptor, Readiness what, SteadyTime deadline);
};

}  // namespace tocsin
