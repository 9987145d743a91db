#include <algorithm>
#include <cmath>
#include <optional>

#include "tocsin/base/text.hpp"
#include "tocsin/model/rule.hpp"

namespace tocsin {
namespace {

/// Zero is zero in every unit, so it needs none.
bool is_bare_zero(std::string_view quantity) {
  return quantity.find_first_not_of("+-0.") == std::string_view::npos &&
         quantity.find('0') != std::string_view::npos;
}

/// A number whose unit only the source knows at run time (perfdata): whatever unit is written says
/// how to read it.
Result<double> parse_open_quantity(std::string_view quantity, Unit unit) {
  auto own = parse_quantity(quantity, unit);
  if (own || unit != Unit::none) return own;
  for (const auto other : {Unit::seconds, Unit::bytes, Unit::ratio}) {
    if (auto value = parse_quantity(quantity, other)) return value;
  }
  return own;
}

std::optional<RuleFault> bind_quantity(Condition& condition, Unit unit) {
  if (is_bare_zero(condition.quantity)) {
    condition.threshold = 0;
    return std::nullopt;
  }
  const auto value = condition.open_instance ? parse_open_quantity(condition.quantity, unit)
                                             : parse_quantity(condition.quantity, unit);
  if (!value) {
    return RuleFault{condition.quantity_at, condition.sample + ": " + value.error().detail};
  }
  if (!std::isfinite(*value)) {
    return RuleFault{condition.quantity_at, condition.sample + ": the number is out of range"};
  }
  condition.threshold = *value;
  return std::nullopt;
}

RuleFault unknown_sample(const Condition& condition, std::span<const SampleSpec> specs) {
  std::vector<std::string_view> names;
  for (const auto& spec : specs) names.push_back(spec.name);
  std::string message = "this check has no sample \"" + condition.sample + "\"";
  if (const auto near = nearest(condition.sample, names); !near.empty()) {
    message += "; did you mean \"" + std::string{near} + "\"?";
  } else if (!names.empty()) {
    message += "; it has ";
    for (std::size_t i = 0; i < names.size(); ++i) {
      message += (i == 0 ? "" : ", ") + std::string{names[i]};
    }
  }
  return {condition.sample_at, std::move(message)};
}

std::optional<RuleFault> bind_condition(Condition& condition, std::span<const SampleSpec> specs) {
  condition.spec = -1;
  condition.open_instance = false;
  const auto named = std::find_if(specs.begin(), specs.end(), [&](const SampleSpec& spec) {
    return spec.name == condition.sample;
  });
  if (named != specs.end()) {
    condition.spec = static_cast<int>(named - specs.begin());
    return bind_quantity(condition, named->unit);
  }
  const auto open =
      std::find_if(specs.begin(), specs.end(), [](const SampleSpec& spec) { return spec.open; });
  if (open == specs.end()) return unknown_sample(condition, specs);
  condition.open_instance = true;
  return bind_quantity(condition, open->unit);
}

}  // namespace

std::vector<RuleFault> bind(Rule& rule, std::span<const SampleSpec> specs) {
  std::vector<RuleFault> faults;
  for (auto& condition : rule.all_of) {
    if (auto fault = bind_condition(condition, specs)) faults.push_back(*std::move(fault));
  }
  return faults;
}

}  // namespace tocsin
