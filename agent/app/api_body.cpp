#include "agent/app/api_body.hpp"

#include <boost/json.hpp>

#include "tocsin/base/limits.hpp"
#include "tocsin/base/text.hpp"

namespace tocsin::app {

namespace bj = boost::json;

namespace {

constexpr std::size_t by_characters = 80;

int status_of(const Error& error) {
  switch (error.code) {
    case Errc::missing:
      return 404;
    case Errc::refused:
      return 409;
    case Errc::malformed:
    case Errc::too_large:
      return 400;
    case Errc::timed_out:
      return 504;
    case Errc::unreadable:
    case Errc::unresolved:
    case Errc::unreachable:
    case Errc::tls:
    case Errc::disconnected:
    case Errc::protocol:
    case Errc::cancelled:
    case Errc::stuck:
    case Errc::unsupported:
    case Errc::internal:
      return 500;
  }
  return 500;
}

}  // namespace

http::Response json_response(const bj::value& value, int status) {
  return {.status = status, .content_type = "application/json", .body = bj::serialize(value)};
}

http::Response error_of(const Error& error) {
  return http::error_response(status_of(error), error.detail);
}

Result<Body> Body::parse(const std::string& text) {
  boost::system::error_code fault;
  auto value = bj::parse(text.empty() ? std::string_view{"{}"} : std::string_view{text}, fault);
  if (fault || !value.is_object())
    return Error{Errc::malformed, "the body must be a JSON object" +
                                      (fault ? ": " + fault.message() : std::string{})};
  return Body{std::move(value.get_object())};
}

Result<std::string> Body::text(std::string_view key) const {
  const auto at = object_.find(key);
  if (at == object_.end() || at->value().is_null()) return std::string{};
  if (!at->value().is_string())
    return Error{Errc::malformed, "\"" + std::string{key} + "\" must be text"};
  const std::string_view raw = at->value().get_string();
  return cut_characters(clean_utf8(raw), limits::timeline_text_characters);
}

const bj::object* Body::object(std::string_view key) const {
  const auto at = object_.find(key);
  return at == object_.end() || !at->value().is_object() ? nullptr : &at->value().get_object();
}

std::string actor(const http::Request& request, const Body& body) {
  auto by = body.text("by").value_or("");
  if (by.empty()) by = request.user.empty() ? "somebody" : request.user;
  return cut_characters(by, by_characters);
}

}  // namespace tocsin::app
