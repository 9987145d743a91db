#include "tests/fakes/faults.hpp"

#include <array>
#include <utility>

namespace tocsin::fakes {
namespace {

using Kind = Fault::Kind;
constexpr std::array<std::pair<Kind, std::string_view>, 9> names{{
    {Kind::status, "status"},
    {Kind::error, "error"},
    {Kind::hang, "hang"},
    {Kind::cut_before, "cut_before"},
    {Kind::cut_after, "cut_after"},
    {Kind::late_error, "late_error"},
    {Kind::slow_body, "slow_body"},
    {Kind::huge_body, "huge_body"},
    {Kind::not_json, "not_json"},
}};

// The standard's distributions differ between libraries; this one is the same everywhere.
double unit(std::mt19937_64& random) { return static_cast<double>(random() >> 11) * 0x1.0p-53; }

}  // namespace

std::string_view to_string(Fault::Kind kind) {
  for (const auto& [known, name] : names) {
    if (known == kind) return name;
  }
  return "";
}

Result<Fault::Kind> fault_kind(std::string_view name) {
  for (const auto& [kind, known] : names) {
    if (known == name) return kind;
  }
  return Error{Errc::malformed, "no fault is called \"" + std::string{name} + "\""};
}

void Faults::add(Fault fault) { faults_.push_back(std::move(fault)); }

void Faults::clear() {
  faults_.clear();
  down_ = false;
}

std::optional<Fault> Faults::draw(std::string_view operation) {
  for (auto at = faults_.begin(); at != faults_.end(); ++at) {
    if (at->operation != "*" && at->operation != operation) continue;
    if (at->chance < 1.0 && unit(random_) >= at->chance) continue;
    ++hits_;
    Fault hit = *at;
    if (at->times > 0 && --at->times == 0) faults_.erase(at);
    return hit;
  }
  return std::nullopt;
}

}  // namespace tocsin::fakes
