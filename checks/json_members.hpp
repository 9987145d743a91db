#pragma once

#include <cmath>
#include <optional>
#include <string_view>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

namespace tocsin::checks {

/// The finite number of this name; nothing when it is missing or something else.
inline std::optional<double> number_in(const boost::json::object& object, std::string_view name) {
  const auto* value = object.if_contains({name.data(), name.size()});
  if (value == nullptr || !value->is_number()) return std::nullopt;
  boost::system::error_code fault;
  const auto number = value->to_number<double>(fault);
  if (fault || !std::isfinite(number)) return std::nullopt;
  return number;
}

/// The same for numbers that count something: nothing when it is negative.
inline std::optional<double> count_in(const boost::json::object& object, std::string_view name) {
  const auto number = number_in(object, name);
  return number && *number >= 0 ? number : std::nullopt;
}

/// The text of this name; "" when it is missing or something else.
inline std::string_view text_in(const boost::json::object& object, std::string_view name) {
  const auto* value = object.if_contains({name.data(), name.size()});
  if (value == nullptr || !value->is_string()) return {};
  return {value->get_string().data(), value->get_string().size()};
}

/// The object of this name, or null.
inline const boost::json::object* object_in(const boost::json::object& object,
                                            std::string_view name) {
  const auto* value = object.if_contains({name.data(), name.size()});
  return value == nullptr ? nullptr : value->if_object();
}

}  // namespace tocsin::checks
