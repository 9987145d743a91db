#include "checks/json_expectation.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include "checks/plugin_number.hpp"
#include "tocsin/base/text.hpp"

namespace tocsin::checks {
namespace {

namespace json = boost::json;

constexpr std::size_t value_characters_max = 80;

std::string shown(const json::value& value) {
  if (value.is_object()) return "an object";
  if (value.is_array()) return "a list";
  return cut_characters(clean_utf8(json::serialize(value)), value_characters_max);
}

std::optional<double> number_of(const json::value& value) {
  boost::system::error_code fault;
  if (!value.is_number()) return std::nullopt;
  const auto number = value.to_number<double>(fault);
  return fault ? std::nullopt : std::optional{number};
}

bool is_same(const json::value& value, const std::string& wanted) {
  if (value.is_string()) return value.get_string() == wanted;
  if (const auto number = number_of(value)) {
    const auto other = plugin_number(wanted);
    return other && other->length == wanted.size() && other->value == *number;
  }
  if (value.is_bool()) return wanted == (value.get_bool() ? "true" : "false");
  return value.is_null() && wanted == "null";
}

std::optional<std::string> unmet_number(const JsonExpectation& wanted, const json::value& value) {
  struct Row {
    const std::optional<double>& bound;
    bool (*holds)(double, double);
    const char* words;
  };
  const Row table[] = {
      {wanted.above, [](double a, double b) { return a > b; }, "above "},
      {wanted.below, [](double a, double b) { return a < b; }, "below "},
      {wanted.at_least, [](double a, double b) { return a >= b; }, "at least "},
      {wanted.at_most, [](double a, double b) { return a <= b; }, "at most "},
  };
  const auto number = number_of(value);
  for (const auto& row : table) {
    if (!row.bound) continue;
    const auto expected = row.words + describe_number(*row.bound, 6);
    if (!number) return "is " + shown(value) + ", expected a number " + expected;
    if (!row.holds(*number, *row.bound)) return "is " + shown(value) + ", expected " + expected;
  }
  return std::nullopt;
}

std::optional<std::string> unmet_here(const JsonExpectation& wanted, const json::value& value) {
  if (wanted.equals && !is_same(value, *wanted.equals))
    return "is " + shown(value) + ", expected " + *wanted.equals;
  if (wanted.differs && is_same(value, *wanted.differs))
    return "is " + shown(value) + ", expected anything else";
  return unmet_number(wanted, value);
}

}  // namespace

std::optional<std::string> unmet(const std::vector<JsonExpectation>& expectations,
                                 std::string_view text) {
  if (expectations.empty()) return std::nullopt;
  boost::system::error_code fault;
  const auto document = json::parse({text.data(), text.size()}, fault);
  if (fault) return "the body is not JSON: " + fault.message();
  for (const auto& wanted : expectations) {
    const auto* value = document.find_pointer(wanted.pointer, fault);
    if (value == nullptr) return wanted.pointer + " is not in the body";
    if (auto why = unmet_here(wanted, *value)) return wanted.pointer + " " + *why;
  }
  return std::nullopt;
}

}  // namespace tocsin::checks
