#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include <boost/json/value.hpp>

#include "tests/integration/program.hpp"

namespace tocsin::integration {

namespace json = boost::json;

/// One request of a test.
struct Request {
  std::string method{"GET"};
  std::string target{"/"};
  std::string body{};
  std::vector<std::pair<std::string, std::string>> headers{};
};

struct Response {
  int status{0};                                 ///< 0: no answer came; `body` then says why.
  std::map<std::string, std::string> headers{};  ///< Names in lower case.
  std::string body{};
  /// The body as JSON; null when it is none.
  json::value json() const;
};

/// One request to "HOST:PORT" on a connection of its own. Never throws.
Response ask_tcp(const std::string& address, const Request& request, Duration timeout = patience);
/// The same over a unix socket.
Response ask_unix(const std::string& path, const Request& request, Duration timeout = patience);

/// Walks down members and indexes: at(state, "slack", "channels", 0); null when there is none.
const json::value& at(const json::value& from);
const json::value& member(const json::value& from, std::string_view key);
const json::value& member(const json::value& from, std::size_t index);
template <class First, class... Rest>
const json::value& at(const json::value& from, First first, Rest... rest) {
  return at(member(from, first), rest...);
}
/// A text as it is, null as "", anything else as JSON.
std::string text(const json::value& from);
template <class... Path>
std::string text_at(const json::value& from, Path... path) {
  return text(at(from, path...));
}
/// The elements of an array; none when it is not one.
const json::array& items(const json::value& from);
json::array items(json::value&& from);

}  // namespace tocsin::integration
