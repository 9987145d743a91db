#include "tocsin/model/alert.hpp"

#include "vocabulary/model/words.hpp"

namespace tocsin {
namespace {

constexpr Words<AlertPhase, 4> words{{{
    {AlertPhase::inactive, "inactive"},
    {AlertPhase::pending, "pending"},
    {AlertPhase::firing, "firing"},
    {AlertPhase::recovering, "recovering"},
}}};

}  // namespace

std::string_view to_string(AlertPhase phase) { return words.name(phase); }
std::optional<AlertPhase> parse_alert_phase(std::string_view text) { return words.value(text); }

}  // namespace tocsin
