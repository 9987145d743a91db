#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string_view>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "tocsin/base/time.hpp"

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

/// The array of this name; an empty one when it is missing or something else.
inline const boost::json::array& items_in(const boost::json::object& object,
                                          std::string_view name) {
  static const boost::json::array none;
  const auto* value = object.if_contains({name.data(), name.size()});
  const auto* items = value == nullptr ? nullptr : value->if_array();
  return items == nullptr ? none : *items;
}

/// The whole number of this name; nothing when it is missing, broken or something else.
inline std::optional<std::int64_t> whole_in(const boost::json::object& object,
                                            std::string_view name) {
  const auto* value = object.if_contains({name.data(), name.size()});
  if (value == nullptr) return std::nullopt;
  boost::system::error_code fault;
  const auto number = value->to_number<std::int64_t>(fault);
  return fault ? std::nullopt : std::optional{number};
}

/// The same for numbers that count something: 0 when it is missing, negative or something else.
inline std::uint64_t whole_count_in(const boost::json::object& object, std::string_view name) {
  const auto number = whole_in(object, name);
  return number && *number > 0 ? static_cast<std::uint64_t>(*number) : 0;
}

// What checks keep of time in their memory: wall times in microseconds since 1970, durations in
// nanoseconds.

inline std::int64_t number_of(WallTime time) { return time.time_since_epoch().count(); }

/// A wall time that a clock may have shown: years 1970 to 2199.
inline std::optional<WallTime> wall_time_of(std::int64_t number) {
  constexpr std::int64_t latest = 7'258'118'400'000'000;
  if (number < 0 || number > latest) return std::nullopt;
  return WallTime{WallTime::duration{number}};
}

inline std::optional<WallTime> time_in(const boost::json::object& object, std::string_view name) {
  const auto number = whole_in(object, name);
  return number ? wall_time_of(*number) : std::nullopt;
}

inline std::optional<Duration> duration_in(const boost::json::object& object,
                                           std::string_view name) {
  const auto number = whole_in(object, name);
  return number && *number >= 0 ? std::optional{Duration{*number}} : std::nullopt;
}

/// When something that happened then would have been on the steady clock, which knows nothing of
/// what was before the last boot.
inline SteadyTime steady_of(WallTime then, Now now) {
  return now.steady - std::max(now.wall - then, WallTime::duration{0});
}

}  // namespace tocsin::checks
