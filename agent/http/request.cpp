#include "agent/http/request.hpp"

#include <utility>

#include "tocsin/base/text.hpp"

namespace tocsin::http {
namespace {

constexpr std::size_t parameters_most = 64;

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool read_query(std::string_view query, std::map<std::string, std::string>& into) {
  for (const auto pair : split(query, '&')) {
    if (pair.empty()) continue;
    const auto equals = pair.find('=');
    auto name = percent_decode(pair.substr(0, equals), true);
    auto value = equals == std::string_view::npos ? std::string{}
                                                  : percent_decode(pair.substr(equals + 1), true);
    if (!name || !value || into.size() >= parameters_most) return false;
    into[*std::move(name)] = *std::move(value);
  }
  return true;
}

}  // namespace

std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += plus_is_space && text[i] == '+' ? ' ' : text[i];
      continue;
    }
    if (i + 2 >= text.size()) return std::nullopt;
    const int high = hex_digit(text[i + 1]);
    const int low = hex_digit(text[i + 2]);
    if (high < 0 || low < 0 || (high == 0 && low == 0)) return std::nullopt;
    decoded += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return decoded;
}

std::optional<Request> to_request(
    boost::beast::http::request<boost::beast::http::string_body> message) {
  const std::string target{message.target()};
  if (!target.starts_with('/')) return std::nullopt;
  const auto question = target.find('?');
  auto path = percent_decode(std::string_view{target}.substr(0, question), false);
  if (!path) return std::nullopt;
  Request request;
  request.path = *std::move(path);
  if (question != std::string::npos &&
      !read_query(std::string_view{target}.substr(question + 1), request.query)) {
    return std::nullopt;
  }
  request.method = std::string{message.method_string()};
  for (const auto& field : message) {
    std::string name{field.name_string()};
    for (auto& c : name) {
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    }
    // Repeated headers are one list (RFC 9110, 5.3).
    auto& value = request.headers[std::move(name)];
    if (!value.empty()) value += ", ";
    value += std::string{field.value()};
  }
  // Handlers need no password, and so they get none.
  request.headers.erase("authorization");
  request.body = std::move(message.body());
  return request;
}

}  // namespace tocsin::http
