#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tocsin/base/error.hpp"
#include "tocsin/base/time.hpp"
#include "tocsin/base/unit.hpp"

namespace tocsin {

/// A check's promise to yield a number of this name. Rules, metrics, docs and schema all read it.
struct SampleSpec {
  std::string name;  ///< As rules write it: snake_case, e.g. "available_ratio".
  Unit unit{Unit::none};
  std::string help;              ///< One sentence, for docs and HELP lines.
  std::string instance_label{};  ///< Label that tells instances apart ("mount", "device", "label");
                                 ///< empty: one value a run.
  /// Names its own instances as samples: a rule may name an instance that is known only at run time
  /// (perfdata labels).
  bool open{false};
};

/// One number of one run. `spec` indexes the check's specs; `instance` is the value of its instance
/// label, if any.
struct Sample {
  std::uint16_t spec{};
  double value{};  ///< In the spec's unit; may be NaN only if the source said so, and then rules
                   ///< never match it.
  std::string instance{};
  friend bool operator==(const Sample&, const Sample&) = default;
};
using Samples = std::vector<Sample>;

/// One run of one check, as the runner saw it.
struct Observation {
  std::string check;
  Now at{};  ///< When the run ended; the one time of every decision that follows from it.
  Duration took{};
  Duration lag{};  ///< How much later than scheduled it started.
  bool gap{
      false};  ///< The host was suspended since the previous run: rates spanning it were dropped.
  Result<Samples> outcome{Samples{}};
};

/// What the host looked like at the breach: lines for the channel and the page, capped by
/// limits::evidence_*.
struct Evidence {
  std::vector<std::string> lines{};
  std::string
      probable_cause{};  ///< Fills the summary's field when the evidence is that clear; else empty.
  std::string recovery_estimate{};  ///< Fills "Estimated time to recovery" when it can be computed;
                                    ///< else empty.
  friend bool operator==(const Evidence&, const Evidence&) = default;
};

}  // namespace tocsin
