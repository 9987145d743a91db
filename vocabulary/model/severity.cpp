#include "tocsin/model/severity.hpp"

#include "vocabulary/model/words.hpp"

namespace tocsin {
namespace {

constexpr Words<Severity, 4> words{{{
    {Severity::ok, "ok"},
    {Severity::warning, "warning"},
    {Severity::critical, "critical"},
    {Severity::unknown, "unknown"},
}}};

}  // namespace

std::string_view to_string(Severity severity) { return words.name(severity); }
std::optional<Severity> parse_severity(std::string_view text) { return words.value(text); }

int concern(Severity severity) {
  switch (severity) {
    case Severity::ok:
      return 0;
    case Severity::warning:
      return 1;
    case Severity::unknown:
      return 2;
    case Severity::critical:
      return 3;
  }
  return 0;
}

}  // namespace tocsin
