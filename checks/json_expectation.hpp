#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tocsin/config/fields.hpp"

namespace tocsin::checks {

/// What the value at one place of a JSON answer must be. Several keys must all hold; with none, the
/// value must exist.
struct JsonExpectation {
  std::string pointer{};
  std::optional<std::string> equals{};
  std::optional<std::string> differs{};
  std::optional<double> above{};
  std::optional<double> below{};
  std::optional<double> at_least{};
  std::optional<double> at_most{};
  static constexpr auto fields() {
    using Self = JsonExpectation;
    return std::tuple{
        required_field("pointer", &Self::pointer, "Where, as RFC 6901 writes it: /queue/depth."),
        field("equals", &Self::equals, "The text, number, true, false or null that it must be."),
        field("differs", &Self::differs, "What it must not be."),
        field("above", &Self::above, "The number must be greater."),
        field("below", &Self::below, "The number must be less."),
        field("at_least", &Self::at_least, "The number must be this or greater."),
        field("at_most", &Self::at_most, "The number must be this or less.")};
  }
  friend bool operator==(const JsonExpectation&, const JsonExpectation&) = default;
};

/// The first expectation that the text does not meet, in words ("/queue/depth is 812, expected
/// below 100"), or nothing.
std::optional<std::string> unmet(const std::vector<JsonExpectation>& expectations,
                                 std::string_view text);

}  // namespace tocsin::checks
