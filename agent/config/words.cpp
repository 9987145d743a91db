#include <array>

#include "agent/config/settings.hpp"

namespace tocsin {

using config::Region;
using config::Scope;
using config::Unknown;

std::span<const std::pair<Unknown, std::string_view>> EnumWords<Unknown>::names() {
  static constexpr std::array<std::pair<Unknown, std::string_view>, 3> words{
      {{Unknown::alert, "alert"}, {Unknown::hold, "hold"}, {Unknown::ok, "ok"}}};
  return words;
}

std::span<const std::pair<Scope, std::string_view>> EnumWords<Scope>::names() {
  static constexpr std::array<std::pair<Scope, std::string_view>, 2> words{
      {{Scope::host, "host"}, {Scope::fleet, "fleet"}}};
  return words;
}

std::span<const std::pair<Region, std::string_view>> EnumWords<Region>::names() {
  static constexpr std::array<std::pair<Region, std::string_view>, 2> words{
      {{Region::us, "us"}, {Region::eu, "eu"}}};
  return words;
}

}  // namespace tocsin
