#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <boost/json/value.hpp>

namespace tocsin::app {

// What the API's objects look like to people at a terminal.

/// A member's text, or "" when there is none or it is null.
std::string text_of(const boost::json::value& object, std::string_view key);
std::string url_component(std::string_view text);  ///< Percent-encoded.
/// "01jd3k7m-x7q2p open critical #issue-nginx-2211: nginx on web-1: up 0 < 1"
std::string incident_line(const boost::json::value& incident);
std::string incident_table(const boost::json::value& incidents, std::size_t width, bool colour);
std::string outbox_table(const boost::json::value& entries, std::size_t width, bool colour);
std::string status_text(const boost::json::value& status, bool colour);

}  // namespace tocsin::app
