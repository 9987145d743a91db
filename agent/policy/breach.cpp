#include "agent/policy/breach.hpp"

#include <algorithm>
#include <cmath>

#include "tocsin/base/overloaded.hpp"
#include "tocsin/base/text.hpp"
#include "tocsin/base/unit.hpp"

namespace tocsin::policy {
namespace {

using Specs = std::span<const SampleSpec>;

/// Plugins name their samples as they like; a sentence stays one line all the same.
constexpr std::size_t name_characters = 100;

bool compare(double value, Comparison comparison, double threshold) {
  if (std::isnan(value)) return false;
  switch (comparison) {
    case Comparison::greater:
      return value > threshold;
    case Comparison::greater_equal:
      return value >= threshold;
    case Comparison::less:
      return value < threshold;
    case Comparison::less_equal:
      return value <= threshold;
    case Comparison::equal:
      return value == threshold;
    case Comparison::not_equal:
      return value != threshold;
  }
  return false;
}

/// Whether the condition speaks of this sample.
bool concerns(const Condition& condition, Specs specs, const Sample& sample) {
  if (sample.spec >= specs.size()) return false;
  if (condition.open_instance) {
    return specs[sample.spec].open && sample.instance == condition.sample;
  }
  return condition.spec == static_cast<int>(sample.spec);
}

bool meets(const Condition& condition, Specs specs, const Sample& sample) {
  return concerns(condition, specs, sample) &&
         compare(sample.value, condition.comparison, condition.threshold);
}

/// Whether `a` is further beyond the threshold than `b`.
bool more_extreme(Comparison comparison, double a, double b) {
  switch (comparison) {
    case Comparison::greater:
    case Comparison::greater_equal:
      return a > b;
    case Comparison::less:
    case Comparison::less_equal:
      return a < b;
    case Comparison::equal:
    case Comparison::not_equal:
      return false;
  }
  return false;
}

/// The label whose instances the condition ranges over; empty when it names one number.
std::string_view label_of(const Condition& condition, Specs specs) {
  if (condition.open_instance || condition.spec < 0) return {};
  const auto spec = static_cast<std::size_t>(condition.spec);
  return spec < specs.size() ? std::string_view{specs[spec].instance_label} : std::string_view{};
}

/// The sample that meets the condition on this instance; one without an instance combines with any.
const Sample* meeting_on(const Condition& condition, Specs specs, const Samples& samples,
                         std::string_view instance) {
  const Sample* general = nullptr;
  for (const auto& sample : samples) {
    if (!meets(condition, specs, sample)) continue;
    if (sample.instance == instance) return &sample;
    if (sample.instance.empty()) general = &sample;
  }
  return general;
}

/// The most extreme sample for `condition` on whose instance every condition of the same label is
/// met.
const Sample* worst_common(const Rule& rule, const Condition& condition, Specs specs,
                           const Samples& samples) {
  const auto label = label_of(condition, specs);
  const Sample* worst = nullptr;
  for (const auto& sample : samples) {
    if (!meets(condition, specs, sample)) continue;
    if (worst && !more_extreme(condition.comparison, sample.value, worst->value)) continue;
    const bool common = label.empty() ||
                        std::all_of(rule.all_of.begin(), rule.all_of.end(), [&](const auto& other) {
                          return label_of(other, specs) != label ||
                                 meeting_on(other, specs, samples, sample.instance) != nullptr;
                        });
    if (common) worst = &sample;
  }
  return worst;
}

/// The sample that the sentence names for this condition: on the instance that the first condition
/// of its label chose.
const Sample* chosen(const Rule& rule, const Condition& condition, Specs specs,
                     const Samples& samples) {
  const auto label = label_of(condition, specs);
  const auto& lead =
      label.empty() ? condition
                    : *std::find_if(rule.all_of.begin(), rule.all_of.end(), [&](const auto& other) {
                        return label_of(other, specs) == label;
                      });
  const auto* leading = worst_common(rule, lead, specs, samples);
  if (leading == nullptr || &lead == &condition) return leading;
  return meeting_on(condition, specs, samples, leading->instance);
}

std::string phrase(const Condition& condition, Specs specs, const Sample& sample) {
  // The unit of a plugin's own sample is not declared; its number is shown as it came.
  std::string text = cut_characters(clean_utf8(condition.sample), name_characters) + " " +
                     describe_quantity(sample.value, specs[sample.spec].unit) + " " +
                     std::string{to_string(condition.comparison)} + " " + condition.quantity;
  if (!condition.open_instance && !sample.instance.empty()) {
    text += " (" + cut_characters(clean_utf8(sample.instance), name_characters) + ")";
  }
  return text;
}

}  // namespace

std::optional<std::string> breach(const Rule& rule, Specs specs, const Samples& samples) {
  // Most looks are not in breach: find that out before anything is put together.
  for (const auto& condition : rule.all_of) {
    if (std::none_of(samples.begin(), samples.end(),
                     [&](const auto& sample) { return meets(condition, specs, sample); })) {
      return std::nullopt;
    }
  }
  std::string why;
  for (const auto& condition : rule.all_of) {
    const auto* sample = chosen(rule, condition, specs, samples);
    if (sample == nullptr) return std::nullopt;
    why += (why.empty() ? "" : " and ") + phrase(condition, specs, *sample);
  }
  if (why.empty()) return std::nullopt;
  return why;
}

bool all_clear(const Rule& rule, Specs specs, const Samples& samples) {
  return std::all_of(rule.all_of.begin(), rule.all_of.end(), [&](const Condition& condition) {
    bool any = false;
    for (const auto& sample : samples) {
      if (!concerns(condition, specs, sample)) continue;
      if (!compare(sample.value, condition.comparison, condition.threshold)) return false;
      any = true;
    }
    return any;
  });
}

std::string hold_text(const Hold& hold) {
  return std::visit(overloaded{
                        [](const HoldNone&) { return std::string{}; },
                        [](const HoldFor& held) { return " for " + to_config(held.duration); },
                        [](const HoldCount& count) {
                          return " for " + std::to_string(count.need) + " of " +
                                 std::to_string(count.of);
                        },
                    },
                    hold);
}

}  // namespace tocsin::policy
