#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "tocsin/check/check.hpp"

namespace tocsin::checks {

/// The keys of a `tls:` block.
struct TlsParams {
  bool verify{true};
  std::string ca_file{};
  std::string server_name{};
  static constexpr auto fields() {
    return std::tuple{
        field("verify", &TlsParams::verify, "Whether the certificate must be trusted and fit."),
        field("ca_file", &TlsParams::ca_file, "PEM file of authorities, instead of the system's."),
        field("server_name", &TlsParams::server_name, "Name to ask for and to find in it.")};
  }
  TlsOptions options() const { return {verify, ca_file, server_name}; }
  friend bool operator==(const TlsParams&, const TlsParams&) = default;
};

/// A phase's time, when it was reached.
void put_time(Samples& samples, std::uint16_t spec, const std::optional<Duration>& time);
/// Days until the chain's first certificate ends; negative when it has.
void put_days(Samples& samples, std::uint16_t spec,
              const std::optional<PeerCertificate>& certificate, WallTime now);

/// Whether the fault lies with this host (no descriptors, no ports, an unreadable CA file, a socket
/// that we may not open) or the run was cancelled: then nothing was learnt of the peer, and it must
/// not be called down.
bool says_nothing_of_peer(const Error& error);

/// What a peer said, on one line, for people.
std::string answer_words(std::string_view answer);
/// The same in quotes.
std::string quoted_answer(std::string_view answer);

}  // namespace tocsin::checks
