#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>

#include "agent/http/server.hpp"

namespace tocsin::http {

/// "%41" → "A", and "+" → " " when it is a query. Nothing for a broken escape or an encoded NUL.
std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space);

/// Takes the message apart for the router. Nothing when its target cannot be read.
std::optional<Request> to_request(
    boost::beast::http::request<boost::beast::http::string_body> message);

}  // namespace tocsin::http
