#pragma once

namespace tocsin {

/// `std::visit(overloaded{…}, variant)`: one lambda a case, no generic one, so a new case does not
/// compile until every reader has an opinion.
template <class... F>
struct overloaded : F... {
  using F::operator()...;
};
template <class... F>
overloaded(F...) -> overloaded<F...>;

}  // namespace tocsin
