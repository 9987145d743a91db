#include "checks/range.hpp"

#include <cmath>
#include <limits>

#include "checks/plugin_number.hpp"
#include "tocsin/base/text.hpp"

namespace tocsin::checks {

bool Range::alerts(double value) const {
  if (std::isnan(value)) return false;
  const bool within = start <= value && value <= end;
  return inside ? within : !within;
}

Result<Range> parse_range(std::string_view text) {
  const auto fault = [whole = text](const char* why) {
    return Error{Errc::malformed,
                 "\"" + cut_characters(clean_utf8(whole), 60) + "\" is not a range: " + why};
  };
  constexpr auto infinity = std::numeric_limits<double>::infinity();
  Range range;
  if (!text.empty() && text.front() == '@') {
    range.inside = true;
    text.remove_prefix(1);
  }
  const auto colon = text.find(':');
  const auto start = colon == std::string_view::npos ? std::string_view{} : text.substr(0, colon);
  const auto end = colon == std::string_view::npos ? text : text.substr(colon + 1);
  if (colon == std::string_view::npos && end.empty()) return fault("it has no end");
  if (start == "~") {
    range.start = -infinity;
  } else if (!start.empty()) {
    const auto number = plugin_number(start);
    if (!number || number->length != start.size()) return fault("its start is not a number");
    range.start = number->value;
  }
  if (end.empty()) {
    range.end = infinity;
  } else {
    const auto number = plugin_number(end);
    if (!number || number->length != end.size()) return fault("its end is not a number");
    range.end = number->value;
  }
  if (range.start > range.end) return fault("its start is above its end");
  return range;
}

}  // namespace tocsin::checks
