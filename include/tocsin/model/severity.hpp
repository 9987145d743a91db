#pragma once

#include <optional>
#include <string_view>

namespace tocsin {

/// How bad. `unknown` means that we could not measure: it is a state of its own, never zero and
/// never healthy.
enum class Severity {
  ok,        ///< Within every threshold.
  warning,   ///< A warning rule held.
  critical,  ///< A critical rule held.
  unknown,   ///< The check could not measure.
};

std::string_view to_string(Severity severity);
std::optional<Severity> parse_severity(std::string_view text);
/// Order of concern: ok < warning < unknown < critical.
int concern(Severity severity);
inline Severity worse(Severity a, Severity b) { return concern(a) >= concern(b) ? a : b; }

}  // namespace tocsin
