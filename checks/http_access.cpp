#include "checks/http_access.hpp"

#include <algorithm>
#include <array>

#include "tocsin/base/text.hpp"

namespace tocsin::checks {
namespace {

bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

bool breaks_header(std::string_view value) {
  return value.find_first_of(std::string_view{"\r\n\0", 3}) != std::string_view::npos;
}

}  // namespace

std::string percent_encoded(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out;
  out.reserve(text.size() * 3);
  for (const char c : text) {
    if (is_unreserved(c)) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += digits[byte >> 4];
    out += digits[byte & 15];
  }
  return out;
}

std::string base64(std::string_view bytes) {
  constexpr std::string_view digits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const auto piece = bytes.substr(i, 3);
    std::array<unsigned, 3> byte{};
    std::transform(piece.begin(), piece.end(), byte.begin(),
                   [](char c) { return unsigned{static_cast<unsigned char>(c)}; });
    const unsigned group = byte[0] << 16 | byte[1] << 8 | byte[2];
    out += digits[group >> 18 & 63];
    out += digits[group >> 12 & 63];
    out += piece.size() > 1 ? digits[group >> 6 & 63] : '=';
    out += piece.size() > 2 ? digits[group & 63] : '=';
  }
  return out;
}

HttpRequest request_below(const HttpAccess& access, std::string_view path) {
  HttpRequest request;
  request.url = access.url;
  auto& target = request.url.target;
  while (!target.empty() && target.back() == '/') target.pop_back();
  target += path;
  request.headers.assign(access.headers.begin(), access.headers.end());
  request.headers.emplace_back("accept", "application/json");
  if (!access.authorization.empty())
    request.headers.emplace_back("authorization", trim(access.authorization.reveal()));
  else if (!access.username.empty())
    request.headers.emplace_back(
        "authorization", "Basic " + base64(access.username + ":" + access.password.reveal()));
  request.tls = access.tls.options();
  return request;
}

std::string place_of(const HttpAccess& access) {
  return to_string(HostPort{access.url.host, access.url.port});
}

std::string refusal(const HttpAccess& access, const HttpResponse& response) {
  const auto status = response.status;
  if (status >= 200 && status < 300) return {};
  const auto words = " (status " + std::to_string(status) + ")";
  const bool known = !access.username.empty() || !access.authorization.empty();
  if (status == 401)
    return place_of(access) + (known ? " refused the credentials" : " asks for credentials") +
           words;
  if (status == 403)
    return place_of(access) +
           (known ? " does not allow it with these credentials"
                  : " does not allow it without credentials") +
           words;
  return place_of(access) + " answered with status " + std::to_string(status);
}

void judge_access(const HttpAccess& access, const Node& map, Decoding& decoding) {
  const auto complain = [&](std::string_view key, std::string message) {
    auto inner = decoding.at(key);
    const auto* node = map.find(key);
    inner.complain(node != nullptr ? *node : map, std::move(message));
  };
  if (access.url.target.find('?') != std::string::npos)
    complain("url", "the URL may have a path here but no query (?…)");
  if (access.username.empty() && !access.password.empty())
    complain("password", "a password needs a username");
  if (!access.username.empty() && !access.authorization.empty())
    complain("authorization", "give either a username and password or this");
  if (access.username.find(':') != std::string::npos)
    complain("username", "basic authentication has no way to say a ':' in a user name");
  if (breaks_header(trim(access.authorization.reveal())))
    complain("authorization", "a header is one line");
  for (const auto& [name, value] : access.headers)
    if (name.empty() || breaks_header(value) || name.find_first_of(": \r\n") != std::string::npos)
      complain("headers", "the header \"" + cut_characters(clean_utf8(name), 40) +
                              "\" has a character in it that headers may not have");
}

}  // namespace tocsin::checks
