#include "tocsin/net/url.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "tocsin/base/text.hpp"

namespace tocsin {
namespace {

// A host name is at most 253 characters (RFC 1035, section 2.3.4).
constexpr std::size_t host_characters_max = 253;
// What common servers accept as a request line (nginx: one 8 KiB buffer).
constexpr std::size_t url_bytes_max = 8192;

Error malformed(std::string detail) { return Error{Errc::malformed, std::move(detail)}; }

bool is_ipv6(std::string_view text) {
  // A zone ("%eth0") is for the kernel to judge when it connects.
  const std::string address{text.substr(0, text.find('%'))};
  std::array<unsigned char, sizeof(in6_addr)> parsed{};
  return ::inet_pton(AF_INET6, address.c_str(), parsed.data()) == 1;
}

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_';
}

Result<void> judge_host(std::string_view host) {
  if (host.empty()) return malformed("the host is missing");
  if (host.size() > host_characters_max) return malformed("the host is longer than 253 characters");
  if (host.find(':') != std::string_view::npos) {
    if (is_ipv6(host)) return {};
    return malformed("\"" + cut_characters(host, 60) + "\" is not an IPv6 address");
  }
  if (!std::all_of(host.begin(), host.end(), is_name_character))
    return malformed("\"" + cut_characters(host, 60) +
                     "\" is not a host: use letters, digits, '.', '-' and '_' (international names "
                     "in their xn-- form)");
  return {};
}

Result<std::uint16_t> parse_port(std::string_view text) {
  unsigned value = 0;
  const auto [rest, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (fault != std::errc{} || rest != text.data() + text.size() || value == 0 || value > 65535)
    return malformed("\"" + cut_characters(text, 20) + "\" is not a port: use 1 to 65535");
  return static_cast<std::uint16_t>(value);
}

struct Authority {
  std::string host;
  std::string_view port;  ///< Empty when absent.
  bool has_port{false};
};

Result<Authority> take_apart(std::string_view text) {
  Authority out;
  if (!text.empty() && text.front() == '[') {
    const auto close = text.find(']');
    if (close == std::string_view::npos) return malformed("'[' without ']' around an address");
    out.host = std::string{text.substr(1, close - 1)};
    if (!is_ipv6(out.host))
      return malformed("\"" + cut_characters(out.host, 60) + "\" is not an IPv6 address");
    text.remove_prefix(close + 1);
    if (text.empty()) return out;
    if (text.front() != ':') return malformed("after ']' only a ':' and the port may follow");
    out.port = text.substr(1);
    out.has_port = true;
    return out;
  }
  const auto colon = text.find(':');
  if (colon != std::string_view::npos && text.find(':', colon + 1) != std::string_view::npos)
    return malformed("an IPv6 address needs brackets, as in \"[::1]:80\"");
  out.host = std::string{text.substr(0, colon)};
  if (colon != std::string_view::npos) {
    out.port = text.substr(colon + 1);
    out.has_port = true;
  }
  if (auto good = judge_host(out.host); !good) return good.error();
  return out;
}

std::string bracketed(const std::string& host) {
  return host.find(':') == std::string::npos ? host : "[" + host + "]";
}

bool same_word(std::string_view text, std::string_view lower_case) {
  return std::equal(
      text.begin(), text.end(), lower_case.begin(), lower_case.end(),
      [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + ('a' - 'A') : a) == b; });
}

Result<void> judge_target(std::string_view target) {
  if (target.find('#') != std::string_view::npos)
    return malformed("a fragment (#…) is never sent to the server: leave it out");
  const auto unfit = [](char c) { return c <= ' ' || c >= '\x7f'; };
  if (std::any_of(target.begin(), target.end(), unfit))
    return malformed("spaces, control characters and non-ASCII letters must be percent-encoded");
  return {};
}

}  // namespace

Result<Url> parse_url(std::string_view text) {
  if (text.size() > url_bytes_max) return malformed("the URL is longer than 8192 bytes");
  const auto scheme_end = text.find("://");
  if (scheme_end == std::string_view::npos)
    return malformed("expected a URL such as \"https://example.com/health\"");
  Url url;
  const auto scheme = text.substr(0, scheme_end);
  if (same_word(scheme, "https"))
    url.scheme = "https";
  else if (same_word(scheme, "http"))
    url.scheme = "http";
  else
    return malformed("the scheme must be http or https, not \"" + cut_characters(scheme, 20) +
                     "\"");
  url.port = url.scheme == "https" ? 443 : 80;

  const auto rest = text.substr(scheme_end + 3);
  const auto authority_end = std::min(rest.find_first_of("/?#"), rest.size());
  const auto authority = rest.substr(0, authority_end);
  if (authority.find('@') != std::string_view::npos)
    return malformed("a user name or password has no place in a URL: use a secret");
  auto parts = take_apart(authority);
  if (!parts) return parts.error();
  url.host = std::move(parts->host);
  std::transform(url.host.begin(), url.host.end(), url.host.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
  });
  if (parts->has_port) {
    const auto port = parse_port(parts->port);
    if (!port) return port.error();
    url.port = *port;
  }
  const auto target = rest.substr(authority_end);
  if (auto good = judge_target(target); !good) return good.error();
  url.target =
      target.empty() || target.front() != '/' ? "/" + std::string{target} : std::string{target};
  return url;
}

std::string to_string(const Url& url) {
  const bool usual = url.port == (url.scheme == "https" ? 443 : 80);
  return url.scheme + "://" + bracketed(url.host) +
         (usual ? std::string{} : ":" + std::to_string(url.port)) + url.target;
}

Result<HostPort> parse_host_port(std::string_view text) {
  auto parts = take_apart(text);
  if (!parts) return parts.error();
  if (!parts->has_port) return malformed("the port is missing: write HOST:PORT");
  const auto port = parse_port(parts->port);
  if (!port) return port.error();
  return HostPort{std::move(parts->host), *port};
}

std::string to_string(const HostPort& address) {
  return bracketed(address.host) + ":" + std::to_string(address.port);
}

}  // namespace tocsin
