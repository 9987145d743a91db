#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tocsin/base/error.hpp"

namespace tocsin::checks {

/// The types of records that are asked for (IANA, "DNS Parameters"). Names as written there.
enum class DnsType : std::uint16_t {
  a = 1,
  ns = 2,
  cname = 5,
  soa = 6,
  ptr = 12,
  mx = 15,
  txt = 16,
  aaaa = 28,
  srv = 33,
};

/// One record of an answer. `text` is what zone files say of it: "192.0.2.1", "10
/// mail.example.com", names in lower case and without the last dot.
struct DnsRecord {
  std::uint16_t type{0};
  std::uint32_t ttl{0};  ///< Seconds.
  std::string text{};    ///< Empty for types that are not asked for.
  friend bool operator==(const DnsRecord&, const DnsRecord&) = default;
};

/// What a server answered.
struct DnsAnswer {
  int code{0};            ///< RCODE: 0 no error, 2 SERVFAIL, 3 NXDOMAIN, 5 REFUSED…
  bool truncated{false};  ///< It did not fit a datagram: to be asked for over TCP.
  std::vector<DnsRecord> records{};
};

/// So many records are taken of one answer.
inline constexpr std::size_t dns_records_max = 200;

/// Reads a DNS message (RFC 1035, section 4). Errc::malformed when it is none.
Result<DnsAnswer> parse_dns_answer(std::string_view message);

/// "SERVFAIL"; "RCODE 14" for what has no name here.
std::string name_of_code(int code);

/// A record as configuration writes it, in the form of DnsRecord::text: addresses in their shortest
/// form, names in lower case and without the last dot.
std::string plain_record(DnsType type, std::string_view text);

/// The name to ask for when an address is to be turned into a name: "1.2.0.192.in-addr.arpa"; what
/// is no address stays as it is.
std::string reverse_name(std::string_view address);

}  // namespace tocsin::checks
