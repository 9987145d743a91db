#include "agent/net/message.hpp"

#include <algorithm>
#include <array>
#include <boost/beast/http/error.hpp>

#include "tocsin/base/limits.hpp"
#include "tocsin/base/text.hpp"
#include "tocsin/base/unit.hpp"

namespace tocsin::net {
namespace {

namespace http = boost::beast::http;

constexpr std::size_t response_headers_max = 200;

bool same_name(std::string_view a, std::string_view b) {
  const auto lower = [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
  };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [&](char x, char y) { return lower(x) == lower(y); });
}

/// RFC 9110, section 5.6.2.
bool is_token(std::string_view text) {
  constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           marks.find(c) != std::string_view::npos;
  });
}

bool is_field_value(std::string_view text) {
  return std::none_of(text.begin(), text.end(),
                      [](char c) { return c == '\r' || c == '\n' || c == '\0'; });
}

bool framing(std::string_view name) {
  return same_name(name, "content-length") || same_name(name, "transfer-encoding") ||
         same_name(name, "connection");
}

std::string host_of(const Url& url) {
  const bool usual = url.port == (url.scheme == "https" ? 443 : 80);
  if (!usual) return to_string(HostPort{url.host, url.port});
  return url.host.find(':') == std::string::npos ? url.host : "[" + url.host + "]";
}

bool takes_body(std::string_view method) {
  return method == "POST" || method == "PUT" || method == "PATCH";
}

}  // namespace

Result<std::string> request_head(const HttpRequest& request, const Proxy* proxy,
                                 std::string_view user_agent) {
  if (!is_token(request.method)) return Error{Errc::malformed, "the request method is not a word"};
  if (!is_field_value(request.url.target) || request.url.target.find(' ') != std::string::npos)
    return Error{Errc::malformed, "the request target has a space or a line break in it"};
  std::string head;
  head.reserve(256 + request.url.target.size());
  head += request.method;
  head += ' ';
  if (proxy != nullptr) head += request.url.scheme + "://" + host_of(request.url);
  head += request.url.target;
  head += " HTTP/1.1\r\n";
  bool has_host = false;
  bool has_agent = false;
  bool has_accept = false;
  for (const auto& [name, value] : request.headers) {
    if (!is_token(name) || !is_field_value(value))
      return Error{Errc::malformed, "the header " + cut_characters(clean_utf8(name), 60) +
                                        " has a character in it that headers may not have"};
    if (framing(name)) continue;
    has_host = has_host || same_name(name, "host");
    has_agent = has_agent || same_name(name, "user-agent");
    has_accept = has_accept || same_name(name, "accept");
    head.append(name).append(": ").append(value).append("\r\n");
  }
  if (!has_host) head.append("Host: ").append(host_of(request.url)).append("\r\n");
  if (!has_agent) head.append("User-Agent: ").append(user_agent).append("\r\n");
  if (!has_accept) head += "Accept: */*\r\n";
  if (proxy != nullptr && !proxy->authorization.empty())
    head.append("Proxy-Authorization: ").append(proxy->authorization.reveal()).append("\r\n");
  if (request.reuse == Reuse::fresh) head += "Connection: close\r\n";
  if (!request.body.empty() || takes_body(request.method))
    head += "Content-Length: " + std::to_string(request.body.size()) + "\r\n";
  head += "\r\n";
  if (head.size() + request.body.size() > limits::http_request_bytes)
    return Error{Errc::too_large, "the request is larger than " +
                                      describe_quantity(limits::http_request_bytes, Unit::bytes)};
  return head;
}

std::string connect_head(const HostPort& target, const Proxy& proxy, std::string_view user_agent) {
  const auto place = to_string(target);
  auto head = "CONNECT " + place + " HTTP/1.1\r\nHost: " + place + "\r\nUser-Agent: ";
  head.append(user_agent).append("\r\n");
  if (!proxy.authorization.empty())
    head.append("Proxy-Authorization: ").append(proxy.authorization.reveal()).append("\r\n");
  return head + "\r\n";
}

ResponseParser::ResponseParser(std::size_t body_bytes_max, bool headers_only) {
  eager(true);
  skip(headers_only);
  header_limit(static_cast<std::uint32_t>(limits::http_header_bytes));
  body_limit(body_bytes_max);
}

void ResponseParser::on_response_impl(int code, view words, int, error_code&) {
  response.status = code;
  reason.assign(words.data(), words.size());
}

void ResponseParser::on_field_impl(field, view name, view value, error_code& fault) {
  if (response.headers.size() >= response_headers_max) {
    fault = http::error::header_limit;
    return;
  }
  auto& [kept_name, kept_value] = response.headers.emplace_back();
  kept_name.assign(name.data(), name.size());
  for (auto& c : kept_name)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
  kept_value.assign(value.data(), value.size());
}

void ResponseParser::on_body_init_impl(const boost::optional<std::uint64_t>& length, error_code&) {
  // The parser has refused lengths above the bound already.
  if (length) response.body.reserve(static_cast<std::size_t>(*length));
}

std::size_t ResponseParser::on_body_impl(view body, error_code&) {
  response.body.append(body.data(), body.size());
  return body.size();
}

std::size_t ResponseParser::on_chunk_body_impl(std::uint64_t, view body, error_code&) {
  response.body.append(body.data(), body.size());
  return body.size();
}

Error message_fault(const boost::system::error_code& fault, std::size_t body_bytes_max) {
  if (fault == http::error::body_limit)
    return {Errc::too_large,
            "its body is larger than " +
                describe_quantity(static_cast<double>(body_bytes_max), Unit::bytes)};
  if (fault == http::error::header_limit)
    return {Errc::too_large, "its header is larger than " +
                                 describe_quantity(limits::http_header_bytes, Unit::bytes)};
  return {Errc::protocol, "it is not HTTP (" + fault.message() + ")"};
}

}  // namespace tocsin::net
