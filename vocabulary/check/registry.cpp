#include "tocsin/check/registry.hpp"

#include <algorithm>
#include <utility>

namespace tocsin {

void CheckRegistry::add(CheckType type) {
  const auto place = std::ranges::lower_bound(types_, type.name, {}, &CheckType::name);
  check_that(place == types_.end() || place->name != type.name, "two check types of one name");
  types_.insert(place, std::move(type));
}

const CheckType* CheckRegistry::find(std::string_view name) const {
  const auto place = std::ranges::lower_bound(types_, name, {}, &CheckType::name);
  return place == types_.end() || place->name != name ? nullptr : &*place;
}

}  // namespace tocsin
