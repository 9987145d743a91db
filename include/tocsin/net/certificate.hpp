#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tocsin/base/error.hpp"
#include "tocsin/base/time.hpp"

struct x509_st;  // OpenSSL's X509.

namespace tocsin {

/// One X.509 certificate, in words. Names are of bounded length and safe to show.
struct ChainCertificate {
  std::string subject{};  ///< "CN=shop.example.com,O=Shop"
  std::string issuer{};
  std::string serial{};  ///< Hexadecimal, as authorities print it.
  WallTime not_before{};
  WallTime not_after{};
  friend bool operator==(const ChainCertificate&, const ChainCertificate&) = default;
};

/// What a TLS handshake, or a file, told of a peer's certificates.
struct PeerCertificate {
  WallTime not_after{};  ///< The earliest end in the presented chain.
  std::string subject{};

  // What follows is filled only when it was asked for (TlsOptions::examine), and for files.

  std::vector<ChainCertificate> chain{};  ///< As presented, the peer's own first.
  std::string distrust{};                 ///< Why the chain is not trusted, in words; empty: it is.
  std::string wrong_name{};  ///< For whom it is instead, in words; empty: the name fits.
};

/// At most so many certificates of a chain are kept in words.
inline constexpr std::size_t chain_certificates_max = 10;

/// A certificate that OpenSSL has read already: to read it again would take as long as a fifth of a
/// handshake.
ChainCertificate describe_certificate(const x509_st* certificate);

/// All certificates of a PEM text (RFC 7468); what else is in it, keys too, is passed over.
/// `server_name` is looked for in the first when it is not empty. With `authorities` (PEM), the
/// first must be signed by one of them, by way of the others, at `now`; without, trust is not
/// judged. Errc::malformed when there is no certificate in the text or one cannot be read.
Result<PeerCertificate> read_certificates(std::string_view pem, const std::string& server_name,
                                          std::string_view authorities, WallTime now);

}  // namespace tocsin
