#include "tests/integration/http_client.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace tocsin::integration {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;

constexpr std::uint64_t body_bytes_most = 64u << 20;

http::request<http::string_body> message_of(const Request& request) {
  http::request<http::string_body> message{http::string_to_verb(request.method), request.target,
                                           11};
  message.set(http::field::host, "localhost");
  message.set(http::field::connection, "close");
  if (!request.body.empty()) message.set(http::field::content_type, "application/json");
  for (const auto& [name, value] : request.headers) message.set(name, value);
  message.body() = request.body;
  message.prepare_payload();
  return message;
}

std::string lower(std::string_view text) {
  std::string out;
  for (const char c : text) out += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

template <class Protocol>
asio::awaitable<void> exchange(typename Protocol::endpoint endpoint, const Request& request,
                               Duration timeout, Response& into) {
  beast::basic_stream<Protocol> stream{co_await asio::this_coro::executor};
  stream.expires_after(std::chrono::ceil<std::chrono::milliseconds>(timeout));
  co_await stream.async_connect(endpoint, asio::use_awaitable);
  auto message = message_of(request);
  co_await http::async_write(stream, message, asio::use_awaitable);
  beast::flat_buffer buffer;
  http::response_parser<http::string_body> parser;
  parser.body_limit(body_bytes_most);
  co_await http::async_read(stream, buffer, parser, asio::use_awaitable);
  auto& response = parser.get();
  into.status = static_cast<int>(response.result_int());
  for (const auto& field : response) {
    into.headers[lower(std::string_view{field.name_string()})] = std::string{field.value()};
  }
  into.body = std::move(response.body());
}

template <class Protocol>
Response ask(typename Protocol::endpoint endpoint, const Request& request, Duration timeout) {
  Response response;
  asio::io_context loop{1};
  asio::co_spawn(loop, exchange<Protocol>(endpoint, request, timeout, response),
                 [&](std::exception_ptr fault) {
                   if (!fault) return;
                   try {
                     std::rethrow_exception(fault);
                   } catch (const std::exception& problem) {
                     response = {};
                     response.body = problem.what();
                   }
                 });
  loop.run();
  return response;
}

}  // namespace

json::value Response::json() const {
  boost::system::error_code problem;
  auto value = boost::json::parse(body, problem);
  return problem ? json::value{} : value;
}

Response ask_tcp(const std::string& address, const Request& request, Duration timeout) {
  const auto colon = address.rfind(':');
  boost::system::error_code problem;
  const auto host = asio::ip::make_address(address.substr(0, colon), problem);
  if (problem || colon == std::string::npos) return {0, {}, "no address: " + address};
  const auto port = static_cast<std::uint16_t>(std::stoi(address.substr(colon + 1)));
  return ask<asio::ip::tcp>({host, port}, request, timeout);
}

Response ask_unix(const std::string& path, const Request& request, Duration timeout) {
  return ask<asio::local::stream_protocol>({path}, request, timeout);
}

const json::value& at(const json::value& from) { return from; }

const json::value& member(const json::value& from, std::string_view key) {
  static const json::value none{};
  if (!from.is_object()) return none;
  const auto* found = from.get_object().if_contains(key);
  return found == nullptr ? none : *found;
}

const json::value& member(const json::value& from, std::size_t index) {
  static const json::value none{};
  if (!from.is_array() || index >= from.get_array().size()) return none;
  return from.get_array()[index];
}

std::string text(const json::value& from) {
  if (from.is_null()) return {};
  if (from.is_string()) return std::string{from.get_string()};
  return json::serialize(from);
}

const json::array& items(const json::value& from) {
  static const json::array none{};
  return from.is_array() ? from.get_array() : none;
}

json::array items(json::value&& from) {
  return from.is_array() ? std::move(from.get_array()) : json::array{};
}

}  // namespace tocsin::integration
