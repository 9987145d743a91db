#include "checks/loadavg.hpp"

#include "checks/words.hpp"

namespace tocsin::checks {

Result<LoadAverages> parse_load_averages(std::string_view text) {
  Words words{text};
  const auto one = words.real();
  const auto five = words.real();
  const auto fifteen = words.real();
  if (!one || !five || !fifteen || *one < 0 || *five < 0 || *fifteen < 0)
    return malformed("/proc/loadavg", "three averages", text);
  return LoadAverages{*one, *five, *fifteen};
}

}  // namespace tocsin::checks
