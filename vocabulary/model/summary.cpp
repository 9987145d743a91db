#include "tocsin/model/summary.hpp"

namespace tocsin {
namespace {

using F = SummaryField;
// In the order of the enumeration, which is the order people read them in.
constexpr std::array<SummaryFieldName, summary_fields> names{{
    {F::environment, "environment", "Environment"},
    {F::component, "component", "Component responsible"},
    {F::probable_cause, "probable_cause", "Probable cause"},
    {F::frequency, "frequency", "Frequency or duration"},
    {F::type, "type", "Type"},
    {F::recovery_estimate, "recovery_estimate", "Estimated time to recovery"},
    {F::working_on_it, "working_on_it", "Who is working on it"},
    {F::current_step, "current_step", "Current action step"},
    {F::next_step, "next_step", "Next action step"},
    {F::source, "source", "Which component is the source"},
    {F::how_often, "how_often", "How often or how long"},
    {F::also_affected, "also_affected", "What else is affected"},
    {F::impact, "impact", "How severe"},
}};

}  // namespace

const std::array<SummaryFieldName, summary_fields>& summary_field_names() { return names; }

std::optional<SummaryField> parse_summary_field(std::string_view key) {
  for (const auto& name : names) {
    if (name.key == key) return name.field;
  }
  return std::nullopt;
}

}  // namespace tocsin
