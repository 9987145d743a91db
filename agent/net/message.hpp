#pragma once

#include <boost/beast/http/basic_parser.hpp>
#include <boost/system/error_code.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/net/proxy.hpp"
#include "tocsin/base/error.hpp"
#include "tocsin/net/network.hpp"

namespace tocsin::net {

/// The request line and the headers, with the blank line. `proxy` when the request goes to one in
/// absolute form. A header with a line break in it is Errc::malformed, and one of the headers that
/// frame the message (Content-Length, Transfer-Encoding, Connection) is ours to write.
Result<std::string> request_head(const HttpRequest& request, const Proxy* proxy,
                                 std::string_view user_agent);
/// "CONNECT host:port HTTP/1.1", with the proxy's credentials.
std::string connect_head(const HostPort& target, const Proxy& proxy, std::string_view user_agent);

/// Beast's response parser, storing into our own response without a node per header.
class ResponseParser final : public boost::beast::http::basic_parser<false> {
 public:
  /// `headers_only` for the answers of HEAD and CONNECT, which have no body.
  ResponseParser(std::size_t body_bytes_max, bool headers_only);
  /// An interim answer (100, 103) that says nothing yet.
  bool interim() const { return response.status >= 100 && response.status < 200; }

  HttpResponse response{};
  std::string reason{};

 private:
  using view = boost::beast::string_view;
  using error_code = boost::beast::error_code;
  using verb = boost::beast::http::verb;
  using field = boost::beast::http::field;
  void on_request_impl(verb, view, view, int, error_code&) override {}
  void on_response_impl(int code, view words, int version, error_code&) override;
  void on_field_impl(field, view name, view value, error_code&) override;
  void on_header_impl(error_code&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>& length, error_code&) override;
  std::size_t on_body_impl(view body, error_code&) override;
  void on_chunk_header_impl(std::uint64_t, view, error_code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, view body, error_code&) override;
  void on_finish_impl(error_code&) override {}
};

/// What a parser's fault means, for people: "its header is larger than 64 KiB".
Error message_fault(const boost::system::error_code& fault, std::size_t body_bytes_max);

}  // namespace tocsin::net
