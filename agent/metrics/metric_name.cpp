#include "agent/metrics/metric_name.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "tocsin/base/text.hpp"
#include "tocsin/base/unit.hpp"

namespace tocsin::metrics {

namespace {

/// Segments that promlint takes for units which are not base units.
constexpr std::array foreign_units{
    std::string_view{"s"},     std::string_view{"ms"},      std::string_view{"us"},      std::string_view{"ns"},
    std::string_view{"sec"},   std::string_view{"b"},       std::string_view{"kb"},      std::string_view{"mb"},
    std::string_view{"gb"},    std::string_view{"tb"},      std::string_view{"pb"},      std::string_view{"m"},
    std::string_view{"h"},     std::string_view{"d"},       std::string_view{"minutes"}, std::string_view{"hours"},
    std::string_view{"days"},  std::string_view{"weeks"},   std::string_view{"percent"}, std::string_view{"bits"},
    std::string_view{"milliseconds"}};
/// Suffixes that say what a series is, and are not ours to use.
constexpr std::array reserved_suffixes{std::string_view{"count"}, std::string_view{"sum"}, std::string_view{"bucket"},
                                       std::string_view{"total"}, std::string_view{"info"}};

template <class List>
bool contains(const List& list, std::string_view word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

std::string plain(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto letter = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    const auto capital = c >= 'A' && c <= 'Z';
    out += letter ? c : capital ? static_cast<char>(c - 'A' + 'a') : '_';
  }
  return out;
}

}  // namespace

std::string metric_name(std::string_view type, const SampleSpec& spec) {
  std::string name = "tocsin_" + plain(type);
  const auto words = plain(spec.name);
  const auto suffix = metric_suffix(spec.unit);
  std::string_view last;
  for (const auto word : split(words, '_')) {
    if (word.empty() || contains(foreign_units, word)) continue;
    name += "_" + std::string{word};
    last = word;
  }
  if (!suffix.empty() && !std::string_view{name}.ends_with(suffix)) return name + "_" + std::string{suffix};
  if (contains(reserved_suffixes, last)) {
    name.resize(name.size() - last.size());
    name += "number";
  }
  return name;
}

}  // namespace tocsin::metrics
