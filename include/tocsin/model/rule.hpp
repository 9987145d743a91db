#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "tocsin/base/time.hpp"
#include "tocsin/model/sample.hpp"

namespace tocsin {

enum class Comparison { greater, greater_equal, less, less_equal, equal, not_equal };
std::string_view to_string(Comparison comparison);

/// `SAMPLE OP NUMBER[UNIT]`. The text of the quantity is kept until the sample's unit is known
/// (bind).
struct Condition {
  std::string sample;
  Comparison comparison{Comparison::greater};
  double threshold{};       ///< In the sample's unit, once bound.
  std::string quantity{};   ///< As written: "40%".
  std::size_t sample_at{};  ///< Offset in the rule's text, for complaints.
  std::size_t quantity_at{};
  int spec{-1};  ///< Index into the check's specs once bound; -1 with `open_instance` for run-time
                 ///< names.
  bool open_instance{false};  ///< `sample` names an instance of an open spec.
};

/// The breach counts once it was seen.
struct HoldNone {
  friend bool operator==(const HoldNone&, const HoldNone&) = default;
};
/// The breach counts once every look for this long saw it.
struct HoldFor {
  Duration duration{};
  friend bool operator==(const HoldFor&, const HoldFor&) = default;
};
/// The breach counts while `need` of the last `of` looks saw it (1 ≤ need ≤ of ≤ 64).
struct HoldCount {
  int need{};
  int of{};
  friend bool operator==(const HoldCount&, const HoldCount&) = default;
};
using Hold = std::variant<HoldNone, HoldFor, HoldCount>;

/// `CONDITION [and CONDITION…] [for DURATION | for N of M]`.
struct Rule {
  std::vector<Condition> all_of;
  Hold hold{HoldNone{}};
  std::string text;  ///< As written.
};

/// What is wrong with a rule's text, and at which byte of it.
struct RuleFault {
  std::size_t offset{};
  std::string message;
  friend bool operator==(const RuleFault&, const RuleFault&) = default;
};

/// Reads the text; units are checked later, by bind. On a fault nothing else of the text is judged.
std::variant<Rule, RuleFault> parse_rule(std::string_view text);
/// Ties each condition to a spec and turns quantities into the spec's unit. Returns every fault;
/// empty means bound. (Write tocsin::bind: with standard types as arguments, a bare `bind` may find
/// std::bind.)
std::vector<RuleFault> bind(Rule& rule, std::span<const SampleSpec> specs);

}  // namespace tocsin
