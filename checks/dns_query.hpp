#pragma once

#include <string>

#include "checks/dns_answer.hpp"
#include "tocsin/check/check.hpp"

namespace tocsin::checks {

/// One question to one server.
struct DnsQuestion {
  std::string name{};
  DnsType type{DnsType::a};
  HostPort server{};  ///< The host is a literal address.
  SteadyTime deadline{};
};

/// Asks over UDP, once more when nothing comes for a while, and over TCP when the answer was
/// truncated. An error says whom it was that did not answer, and how: Errc::timed_out,
/// Errc::unreachable, Errc::protocol; Errc::internal when this host could not ask.
Task<DnsAnswer> ask_dns(Network& network, Clock& clock, DnsQuestion question);

}  // namespace tocsin::checks
