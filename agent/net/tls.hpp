#pragma once

#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/verify_context.hpp>
#include <boost/system/error_code.hpp>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "tocsin/async/task.hpp"
#include "tocsin/net/network.hpp"

namespace tocsin::net {

/// Keeps the last session of one peer, so that the next handshake with it is short. Only for peers
/// whose certificate was verified under the same options: the key says so.
class SessionSlot {
 public:
  SessionSlot() = default;
  ~SessionSlot();
  SessionSlot(const SessionSlot&) = delete;
  SessionSlot& operator=(const SessionSlot&) = delete;
  /// Offers the kept session to this handshake, and keeps what the peer hands out. The slot must
  /// outlive the SSL.
  void attach(SSL* ssl);

 private:
  static int keep(SSL* ssl, SSL_SESSION* session);
  friend class TlsContexts;
  SSL_SESSION* session_{nullptr};
};

/// TLS contexts by CA file, made when first needed (OpenSSL's tables are not small), and sessions
/// by peer. Not thread-safe: one loop.
class TlsContexts {
 public:
  /// Errc::tls when the CA file cannot be read. The system's store for an empty name.
  Result<std::shared_ptr<asio::ssl::context>> context(const std::string& ca_file);
  /// The file may have changed: read it again next time.
  void forget(const std::string& ca_file);
  std::shared_ptr<SessionSlot> session(const std::string& peer);

 private:
  std::map<std::string, std::shared_ptr<asio::ssl::context>> contexts_{};
  std::map<std::string, std::shared_ptr<SessionSlot>> sessions_{};
};

/// Follows one handshake: sets what is to be verified, notes what the peer presented, and puts the
/// reason of a refusal into words.
class HandshakeNotes {
 public:
  HandshakeNotes(std::string host, WallTime now) : host_{std::move(host)}, now_{now} {}

  /// Server name, verification and its time (the clock's, not the system's).
  void prepare(SSL* ssl, const TlsOptions& options);
  /// Called for every certificate of the chain.
  bool judge(bool good, asio::ssl::verify_context& context);
  /// For a session that was resumed, where no certificate was judged.
  void note_presented(SSL* ssl);
  /// "certificate expired 2 days ago", or what the error code says.
  std::string why(const boost::system::error_code& fault) const;
  bool judged_bad() const { return !complaint_.empty(); }
  const std::optional<PeerCertificate>& certificate() const { return certificate_; }

 private:
  void note_chain(const STACK_OF(X509) * chain);
  std::string describe(int fault, X509* certificate) const;

  void object(int fault, X509* certificate);

  std::string host_;
  WallTime now_;
  bool examine_{false};
  std::string complaint_{};
  std::optional<PeerCertificate> certificate_{};
};

}  // namespace tocsin::net
