#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tocsin/base/error.hpp"
#include "tocsin/base/secret.hpp"
#include "tocsin/net/url.hpp"

namespace tocsin::net {

/// An HTTP proxy: where it is, and the value of Proxy-Authorization, empty when it asks for none.
struct Proxy {
  HostPort address{};
  Secret authorization{};
  friend bool operator==(const Proxy&, const Proxy&) = default;
};

/// Reads "http://[user:password@]host[:port][/]"; the port is 3128 without
/// one. User and password may be percent-encoded. A sentence never repeats them.
Result<Proxy> parse_proxy(std::string_view text);

/// Which proxy serves which URL. Empty: none.
struct ProxySettings {
  std::optional<Proxy> http{};        ///< For http URLs, asked in absolute form.
  std::optional<Proxy> https{};       ///< For https URLs, through CONNECT.
  std::vector<std::string> direct{};  ///< NO_PROXY's entries, trimmed.

  /// The proxy to use, or null for a direct connection.
  const Proxy* for_url(const Url& url) const;
};

/// Whether NO_PROXY entries exempt this host: "*"; "example.com" and ".example.com" (the domain and
/// all below it); an address; "10.0.0.0/8"; each with an optional ":port".
bool exempt(const std::vector<std::string>& entries, const std::string& host, std::uint16_t port);

/// From the configured URL (for both schemes) or, when it is empty, from HTTPS_PROXY, HTTP_PROXY,
/// their lower-case forms and ALL_PROXY; NO_PROXY counts for both. `variable` reads the environment
/// ("" when unset).
Result<ProxySettings> proxy_settings(std::string_view configured,
                                     const std::function<std::string(const char*)>& variable);

}  // namespace tocsin::net
