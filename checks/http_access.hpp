#pragma once

#include <map>
#include <string>
#include <string_view>
#include <tuple>

#include "checks/net_samples.hpp"
#include "tocsin/base/secret.hpp"
#include "tocsin/net/network.hpp"
#include "tocsin/net/url.hpp"

namespace tocsin::checks {

/// The keys of a check that asks an HTTP interface: where it is and who asks. Derive the parameters
/// from it and begin their field list with access_fields().
struct HttpAccess {
  Url url{};
  std::map<std::string, std::string> headers{};
  std::string username{};
  Secret password{};
  Secret authorization{};
  TlsParams tls{};

  /// `what` documents the URL.
  static constexpr auto access_fields(std::string_view what) {
    using Self = HttpAccess;
    return std::tuple{required_field("url", &Self::url, what),
                      field("headers", &Self::headers, "Further headers of the request."),
                      field("username", &Self::username, "User name, for basic authentication."),
                      field("password", &Self::password, "Its password."),
                      field("authorization", &Self::authorization,
                            "The whole Authorization header instead (\"Bearer …\", \"ApiKey …\")."),
                      field("tls", &Self::tls, "How the certificate is judged.")};
  }
  friend bool operator==(const HttpAccess&, const HttpAccess&) = default;
};

/// GET of `path` (with its query, if any) below the URL, credentials and all; the deadline is the
/// caller's to set.
HttpRequest request_below(const HttpAccess& access, std::string_view path);

/// "HOST:PORT", for sentences.
std::string place_of(const HttpAccess& access);

/// The sentence of an answer whose status forbids going on, or "" for 2xx: a refusal of the
/// credentials is told apart from the rest.
std::string refusal(const HttpAccess& access, const HttpResponse& response);

/// Complains of what the fields cannot see: a query in the URL, half a pair of credentials, two
/// kinds of them, headers with characters that headers may not have.
void judge_access(const HttpAccess& access, const Node& map, Decoding& decoding);

/// RFC 3986: everything but letters, digits and "-._~" as %XX.
std::string percent_encoded(std::string_view text);

/// RFC 4648, with padding: for basic authentication.
std::string base64(std::string_view bytes);

}  // namespace tocsin::checks
