#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>
#include <utility>

namespace tocsin {

/// The names of an enumeration's values: one table, read in both directions. The store and the API
/// keep these words, so they do not change once released.
template <class E, std::size_t N>
struct Words {
  std::array<std::pair<E, std::string_view>, N> all;

  constexpr std::string_view name(E value) const {
    for (const auto& [known, word] : all) {
      if (known == value) return word;
    }
    return "";
  }
  constexpr std::optional<E> value(std::string_view text) const {
    for (const auto& [known, word] : all) {
      if (word == text) return known;
    }
    return std::nullopt;
  }
};

}  // namespace tocsin
