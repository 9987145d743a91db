#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include "agent/http/server.hpp"
#include "tocsin/base/text.hpp"

namespace tocsin::http {
namespace {

constexpr std::size_t shown_path_characters = 100;

std::vector<std::string> segments_of(std::string_view path) {
  std::vector<std::string> found;
  for (const auto part : split(path.substr(path.starts_with('/') ? 1 : 0), '/'))
    found.emplace_back(part);
  return found;
}

bool is_parameter(const std::string& segment) {
  return segment.size() > 2 && segment.front() == '{';
}

}  // namespace

struct Router::Route {
  std::string method;
  std::string pattern;
  std::vector<std::string> segments;
  Access access;
  Handler handler;

  /// How many segments agree by word, or nothing when the path is not this route's.
  std::optional<int> fits(const std::vector<std::string>& path) const {
    if (path.size() != segments.size()) return std::nullopt;
    int words = 0;
    for (std::size_t i = 0; i < path.size(); ++i) {
      if (is_parameter(segments[i])) {
        if (path[i].empty()) return std::nullopt;
      } else if (path[i] != segments[i]) {
        return std::nullopt;
      } else {
        ++words;
      }
    }
    return words;
  }
};

Response error_response(int status, std::string sentence) {
  boost::json::object body;
  body["error"] = boost::json::string_view{sentence.data(), sentence.size()};
  Response response;
  response.status = status;
  response.body = boost::json::serialize(body) + "\n";
  return response;
}

void Router::add(std::string method, std::string pattern, Access access, Handler handler) {
  auto segments = segments_of(pattern);
  routes_.push_back(std::make_shared<const Route>(Route{
      std::move(method), std::move(pattern), std::move(segments), access, std::move(handler)}));
}

asio::awaitable<Response> Router::route(Request request) const {
  const auto path = segments_of(request.path);
  const bool head = request.method == "HEAD";
  std::shared_ptr<const Route> chosen;
  int most_words = -1;
  std::set<std::string> allowed;
  for (const auto& route : routes_) {
    const auto words = route->fits(path);
    if (!words) continue;
    allowed.insert(route->method);
    if (route->method == "GET") allowed.insert("HEAD");
    const bool same = route->method == request.method || (head && route->method == "GET");
    if (same && *words > most_words) {
      chosen = route;
      most_words = *words;
    }
  }
  if (!chosen && allowed.empty()) {
    std::vector<std::string_view> known;
    for (const auto& route : routes_) known.push_back(route->pattern);
    auto sentence =
        "no such path: " + cut_characters(clean_utf8(request.path), shown_path_characters);
    const auto near =
        nearest(std::string_view{request.path}.substr(0, shown_path_characters), known);
    if (!near.empty()) sentence += "; did you mean " + std::string{near} + "?";
    co_return error_response(404, std::move(sentence));
  }
  if (!chosen) {
    std::string list;
    for (const auto& method : allowed) list += (list.empty() ? "" : ", ") + method;
    auto response = error_response(405, "this path takes " + list + " only");
    response.headers.emplace_back("Allow", list);
    co_return response;
  }
  if (chosen->access == Access::write && !request.trusted) {
    co_return error_response(
        403,
        "writing is not allowed here without authentication: use the control socket (the "
        "command line does), or configure basic_auth_users in http.web_config");
  }
  for (std::size_t i = 0; i < path.size(); ++i) {
    const auto& segment = chosen->segments[i];
    if (is_parameter(segment)) request.parameters[segment.substr(1, segment.size() - 2)] = path[i];
  }
  auto answering = chosen->handler(std::move(request));
  auto response = co_await std::move(answering);
  co_return response;
}

}  // namespace tocsin::http
