#include "checks/psi.hpp"

#include <algorithm>

#include "checks/words.hpp"

namespace tocsin::checks {
namespace {

constexpr std::string_view average = "avg10=";

std::optional<double> average_of(Words& words) {
  const auto word = words.next();
  if (word.substr(0, average.size()) != average) return std::nullopt;
  const auto percent = to_real(word.substr(average.size()));
  if (!percent) return std::nullopt;
  return std::clamp(*percent / 100.0, 0.0, 1.0);
}

}  // namespace

Result<Pressure> parse_pressure(std::string_view path, std::string_view text) {
  Pressure pressure;
  bool some_seen = false;
  for (auto rest = text; !rest.empty();) {
    Words words{take_line(rest)};
    const auto kind = words.next();
    if (kind != "some" && kind != "full") continue;
    const auto share = average_of(words);
    if (!share) return malformed(path, "'avg10='", text);
    if (kind == "some") {
      pressure.some = *share;
      some_seen = true;
    } else {
      pressure.full = share;
    }
  }
  if (!some_seen) return malformed(path, "'some' line", text);
  return pressure;
}

}  // namespace tocsin::checks
