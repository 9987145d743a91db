#pragma once

#include <string>
#include <string_view>
#include <utility>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "agent/http/server.hpp"
#include "tocsin/base/error.hpp"

namespace tocsin::app {

// What requests to the API say, and what its answers look like.

http::Response json_response(const boost::json::value& value, int status = 200);
/// {"error": sentence} with the status that goes with the code.
http::Response error_of(const Error& error);

/// A body that must be a JSON object of texts and objects, read with sentences for what is wrong.
class Body {
 public:
  /// An empty text is an empty object.
  static Result<Body> parse(const std::string& text);

  /// The text of a member; "" when absent. Cut to what a line of a timeline holds.
  Result<std::string> text(std::string_view key) const;
  const boost::json::object* object(std::string_view key) const;

 private:
  explicit Body(boost::json::object object) : object_{std::move(object)} {}
  boost::json::object object_;
};

/// Who acts: what the request says, else whom the connection belongs to.
std::string actor(const http::Request& request, const Body& body);

}  // namespace tocsin::app
