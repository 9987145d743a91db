#include "checks/redaction.hpp"

#include <re2/re2.h>

namespace tocsin::checks {

std::string redacted(std::string_view line) {
  // "Failed password for root" tells of a password and holds none: a value follows '=' or ':'.
  static const RE2 named{
      R"re((?i)\b((?:[a-z0-9_-]*(?:password|passwd|passphrase|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|credential)[a-z0-9_-]*|pwd|authorization|cookie)["']?\s*[=:]\s*)("[^"]*"|'[^']*'|(?:(?:bearer|basic)\s+)?[^\s,;&"']+))re"};
  static const RE2 bearer{R"re((?i)\b(bearer|basic)\s+[a-z0-9+/=._~-]{8,})re"};
  static const RE2 in_url{R"re(([a-z][a-z0-9+.-]*://[^\s/:@]*):[^\s/@]+@)re"};
  static const RE2 long_run{R"re(\b[A-Za-z0-9+_-]{32,}={0,2})re"};
  std::string text{line};
  RE2::GlobalReplace(&text, named, "\\1<redacted>");
  RE2::GlobalReplace(&text, bearer, "\\1 <redacted>");
  RE2::GlobalReplace(&text, in_url, "\\1:<redacted>@");
  RE2::GlobalReplace(&text, long_run, "<redacted>");
  return text;
}

}  // namespace tocsin::checks
