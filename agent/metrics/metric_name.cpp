#include "agent/metrics/metric_name.hpp"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "tocsin/base/text.hpp"
#include "tocsin/base/unit.hpp"

namespace tocsin::metrics {
namespace {

using Word = std::pair<std::string_view, std::string_view>;

/// Units that promtool wants spelled out or in their base (promlint's lists of abbreviations and
/// units).
constexpr std::array reworded{Word{"s", "second"},
                              Word{"sec", "second"},
                              Word{"ms", "in_thousandths"},
                              Word{"us", "in_millionths"},
                              Word{"ns", "in_billionths"},
                              Word{"b", "byte"},
                              Word{"kb", "thousand_byte"},
                              Word{"mb", "million_byte"},
                              Word{"gb", "billion_byte"},
                              Word{"tb", "trillion_byte"},
                              Word{"pb", "quadrillion_byte"},
                              Word{"m", "minute"},
                              Word{"h", "hour"},
                              Word{"d", "day"},
                              Word{"minutes", "minute"},
                              Word{"hours", "hour"},
                              Word{"days", "day"},
                              Word{"weeks", "week"},
                              Word{"kelvins", "kelvin"},
                              Word{"kelvin", "absolute"},
                              Word{"fahrenheit", "degrees"},
                              Word{"bits", "bit"},
                              Word{"percents", "share"},
                              Word{"gauge", "level"},
                              Word{"counter", "counted"},
                              Word{"histogram", "spread"},
                              Word{"summary", "overview"}};

/// Last words that belong to histograms, summaries and counters; ours are gauges.
constexpr std::array last_reworded{Word{"count", "number"}, Word{"sum", "overall"},
                                   Word{"bucket", "buckets"}, Word{"total", "overall"},
                                   Word{"created", "made"}};

constexpr std::array prefixes{"pico", "nano",  "micro", "milli", "centi", "deci",
                              "deca", "hecto", "kilo",  "kibi",  "mega",  "mebi",
                              "giga", "gibi",  "tera",  "tebi",  "peta",  "pebi"};

template <std::size_t N>
std::string_view reword(std::string_view word, const std::array<Word, N>& by) {
  const auto found =
      std::find_if(by.begin(), by.end(), [&](const Word& one) { return one.first == word; });
  return found == by.end() ? word : found->second;
}

/// "milliseconds" → "millisecond": a prefixed unit is one only in the plural.
std::string singular_if_prefixed(std::string word) {
  for (const std::string_view prefix : prefixes) {
    if (word.size() > prefix.size() + 3 && word.starts_with(prefix) && word.ends_with('s')) {
      word.pop_back();
      break;
    }
  }
  return word;
}

std::vector<std::string> words_of(std::string_view name) {
  std::vector<std::string> words{""};
  for (const char c : name) {
    const bool upper = c >= 'A' && c <= 'Z';
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || upper) {
      words.back() += upper ? static_cast<char>(c + 32) : c;
    } else if (!words.back().empty()) {
      words.emplace_back();
    }
  }
  if (words.back().empty()) words.pop_back();
  return words;
}

bool has_word(const std::vector<std::string>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

}  // namespace

std::string metric_name(std::string_view type, const SampleSpec& spec) {
  auto words = words_of(spec.name);
  const std::string suffix{metric_suffix(spec.unit)};
  if (spec.unit == Unit::hours || spec.unit == Unit::days) {
    std::erase_if(words, [](const std::string& word) { return word == "hours" || word == "days"; });
  }
  if (!suffix.empty() && !has_word(words, suffix)) {
    words.push_back(suffix);
    if (spec.unit == Unit::bytes_per_second) words.insert(words.end(), {"per", "second"});
  }
  std::string name = "tocsin";
  auto all = words_of(type);
  all.insert(all.end(), words.begin(), words.end());
  for (std::size_t i = 0; i < all.size(); ++i) {
    auto word = singular_if_prefixed(std::string{reword(all[i], reworded)});
    if (i + 1 == all.size()) word = std::string{reword(word, last_reworded)};
    name += "_" + word;
  }
  return name;
}

std::string label_name(std::string_view configured, std::string_view instance_label) {
  std::string name;
  for (const char c : configured) {
    const bool fine =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    name += fine ? c : '_';
  }
  const bool ours = name == "check" || name == "le" || name == "quantile" || name == instance_label;
  const bool starts_badly =
      name.empty() || name.starts_with("__") || (name[0] >= '0' && name[0] <= '9');
  return ours || starts_badly ? "configured_" + name : name;
}

}  // namespace tocsin::metrics
