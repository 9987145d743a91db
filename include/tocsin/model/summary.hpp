#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace tocsin {

/// The nine fields of the standard operating procedure, and the four context answers asked for
/// within two minutes.
enum class SummaryField {
  environment,
  component,
  probable_cause,
  frequency,          ///< Frequency or duration.
  type,               ///< Self (Engineering), Unknown, Scale, Vendor.
  recovery_estimate,  ///< Estimated time to recovery.
  working_on_it,
  current_step,
  next_step,
  source,         ///< Context: which component is the source.
  how_often,      ///< Context: how often or how long.
  also_affected,  ///< Context: what else is affected.
  impact,         ///< Context: how severe; is a customer down.
};
inline constexpr std::size_t summary_fields = 13;
inline constexpr std::size_t summary_procedure_fields = 9;

struct SummaryFieldName {
  SummaryField field;
  std::string_view key;    ///< As the command line and the API write it: "probable_cause".
  std::string_view title;  ///< As people read it: "Probable cause".
};
/// All of them, in the order people read them.
const std::array<SummaryFieldName, summary_fields>& summary_field_names();
std::optional<SummaryField> parse_summary_field(std::string_view key);

/// What is known. An empty value shows as UNKNOWN; `by` says who set it (a person) or is empty when
/// tocsin filled it.
struct SummaryValue {
  std::string value{};
  std::string by{};
  friend bool operator==(const SummaryValue&, const SummaryValue&) = default;
};
struct Summary {
  std::array<SummaryValue, summary_fields> values{};
  SummaryValue& operator[](SummaryField f) { return values[static_cast<std::size_t>(f)]; }
  const SummaryValue& operator[](SummaryField f) const {
    return values[static_cast<std::size_t>(f)];
  }
  friend bool operator==(const Summary&, const Summary&) = default;
};

}  // namespace tocsin
