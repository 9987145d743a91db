#include "agent/net/proxy.hpp"

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>
#include <boost/beast/core/detail/base64.hpp>
#include <utility>

#include "tocsin/async/task.hpp"
#include "tocsin/base/text.hpp"

namespace tocsin::net {
namespace {

constexpr std::uint16_t usual_proxy_port = 3128;

std::string lower(std::string_view text) {
  std::string out{text};
  for (auto& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
  return out;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escape = text[i] == '%' && i + 2 < text.size() && hex_digit(text[i + 1]) >= 0 &&
                        hex_digit(text[i + 2]) >= 0;
    if (!escape) {
      out += text[i];
      continue;
    }
    out += static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2]));
    i += 2;
  }
  return out;
}

Secret basic_authorization(std::string_view userinfo) {
  const auto credentials = percent_decoded(userinfo);
  namespace base64 = boost::beast::detail::base64;
  std::string encoded(base64::encoded_size(credentials.size()), '\0');
  encoded.resize(base64::encode(encoded.data(), credentials.data(), credentials.size()));
  return Secret{"Basic " + encoded};
}

/// "10.0.0.0/8" and the like.
bool network_contains(const std::string& entry, const std::string& host) {
  boost::system::error_code fault;
  const auto address = asio::ip::make_address(host, fault);
  if (fault) return false;
  if (address.is_v4()) {
    const auto network = asio::ip::make_network_v4(entry, fault);
    if (fault) return false;
    const auto bits = static_cast<unsigned short>(network.prefix_length());
    return asio::ip::network_v4{address.to_v4(), bits}.canonical() == network.canonical();
  }
  const auto network = asio::ip::make_network_v6(entry, fault);
  if (fault) return false;
  const auto bits = static_cast<unsigned short>(network.prefix_length());
  return asio::ip::network_v6{address.to_v6(), bits}.canonical() == network.canonical();
}

bool entry_matches(std::string entry, const std::string& host, std::uint16_t port) {
  if (entry == "*") return true;
  if (entry.find('/') != std::string::npos) return network_contains(entry, host);
  if (const auto place = parse_host_port(entry)) {
    if (place->port != port) return false;
    entry = place->host;
  }
  if (entry.size() > 2 && entry.front() == '[' && entry.back() == ']')
    entry = entry.substr(1, entry.size() - 2);
  if (starts_with(entry, "*.")) entry.erase(0, 1);
  entry = lower(entry);
  if (!entry.empty() && entry.front() == '.') entry.erase(0, 1);
  if (entry.empty()) return false;
  if (host == entry) return true;
  return host.size() > entry.size() &&
         host.compare(host.size() - entry.size(), entry.size(), entry) == 0 &&
         host[host.size() - entry.size() - 1] == '.';
}

Error not_wanted(const std::string& why) {
  std::string sentence{"expected a proxy such as \"http://proxy.example.com:3128\": "};
  sentence += why;
  return Error{Errc::malformed, std::move(sentence)};
}

}  // namespace

Result<Proxy> parse_proxy(std::string_view text) {
  text = trim(text);
  const auto scheme_end = text.find("://");
  if (scheme_end != std::string_view::npos) {
    const auto scheme = lower(text.substr(0, scheme_end));
    if (scheme != "http")
      return Error{Errc::unsupported, "only http:// proxies are supported (this one says " +
                                          cut_characters(scheme, 20) + "://)"};
    text.remove_prefix(scheme_end + 3);
  }
  Proxy proxy;
  if (const auto at = text.rfind('@'); at != std::string_view::npos) {
    proxy.authorization = basic_authorization(text.substr(0, at));
    text.remove_prefix(at + 1);
  }
  const auto rest = text.find_first_of("/?#");
  if (rest != std::string_view::npos && text.substr(rest) != "/")
    return not_wanted("nothing may follow the port");
  const auto url = parse_url("http://" + std::string{text.substr(0, rest)});
  if (!url) return not_wanted(url.error().detail);
  const bool has_port = parse_host_port(text.substr(0, rest)).operator bool();
  proxy.address = {url->host, has_port ? url->port : usual_proxy_port};
  return proxy;
}

const Proxy* ProxySettings::for_url(const Url& url) const {
  const auto& proxy = url.scheme == "https" ? https : http;
  if (!proxy || exempt(direct, url.host, url.port)) return nullptr;
  return &*proxy;
}

bool exempt(const std::vector<std::string>& entries, const std::string& host, std::uint16_t port) {
  const auto name = lower(host);
  return std::any_of(entries.begin(), entries.end(),
                     [&](const std::string& entry) { return entry_matches(entry, name, port); });
}

Result<ProxySettings> proxy_settings(std::string_view configured,
                                     const std::function<std::string(const char*)>& variable) {
  const auto first_set = [&](std::initializer_list<const char*> names) {
    std::pair<std::string, std::string> found;
    for (const auto* name : names) {
      if (!found.second.empty()) break;
      found = {name, std::string{trim(variable(name))}};
    }
    return found;
  };
  const auto read = [](const std::string& source, std::string_view text,
                       std::optional<Proxy>& into) -> Result<void> {
    if (text.empty()) return {};
    auto proxy = parse_proxy(text);
    if (!proxy) return Error{proxy.error().code, source + ": " + proxy.error().detail};
    into = std::move(*proxy);
    return {};
  };
  ProxySettings settings;
  if (!trim(configured).empty()) {
    if (auto good = read("proxy", configured, settings.https); !good) return good.error();
    settings.http = settings.https;
  } else {
    const auto https = first_set({"HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"});
    const auto http = first_set({"HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"});
    if (auto good = read(https.first, https.second, settings.https); !good) return good.error();
    if (auto good = read(http.first, http.second, settings.http); !good) return good.error();
  }
  const auto direct = first_set({"NO_PROXY", "no_proxy"});
  for (const auto entry : split(direct.second, ','))
    if (const auto word = trim(entry); !word.empty()) settings.direct.emplace_back(word);
  return settings;
}

}  // namespace tocsin::net
