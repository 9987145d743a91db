#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "tocsin/base/error.hpp"
#include "tocsin/config/codec.hpp"

namespace tocsin {

/// An http or https URL, taken apart. Userinfo is refused: credentials belong in secrets.
struct Url {
  std::string scheme{};  ///< "http" or "https".
  std::string host{};    ///< Name or address; an IPv6 address without brackets.
  std::uint16_t port{0};
  std::string target{};  ///< Path and query: what goes on the request line. At least "/".
  friend bool operator==(const Url&, const Url&) = default;
};
Result<Url> parse_url(std::string_view text);
std::string to_string(const Url& url);

/// A host and port: "db.internal:5432", "[::1]:80".
struct HostPort {
  std::string host{};
  std::uint16_t port{0};
  friend bool operator==(const HostPort&, const HostPort&) = default;
};
Result<HostPort> parse_host_port(std::string_view text);
std::string to_string(const HostPort& address);

template <>
struct Codec<Url> {
  static bool read(const Node&, Url&, Decoding&);
  static std::string show(const Url&);
  static std::string schema();
  static std::string type_name() { return "http or https URL"; }
};
template <>
struct Codec<HostPort> {
  static bool read(const Node&, HostPort&, Decoding&);
  static std::string show(const HostPort&);
  static std::string schema();
  static std::string type_name() { return "HOST:PORT"; }
};

}  // namespace tocsin
