#pragma once

#include <optional>
#include <span>
#include <string>

#include "tocsin/model/rule.hpp"
#include "tocsin/model/sample.hpp"

namespace tocsin::policy {

/// Why the samples breach the rule's conditions right now ("used_ratio 97% > 95% (/var)"), or
/// nothing when they do not. Conditions on samples with instances must hold on one and the same
/// instance; the most extreme one is named. NaN never matches.
std::optional<std::string> breach(const Rule& rule, std::span<const SampleSpec> specs,
                                  const Samples& samples);

/// Whether every instance meets every condition: what a clear rule asks for. False when a condition
/// has no sample.
bool all_clear(const Rule& rule, std::span<const SampleSpec> specs, const Samples& samples);

/// " for 2m", " for 2 of 3", or nothing.
std::string hold_text(const Hold& hold);

}  // namespace tocsin::policy
