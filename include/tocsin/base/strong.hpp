#pragma once

#include <compare>
#include <cstddef>
#include <functional>
#include <utility>

namespace tocsin {

/// A T that is not just any T: constructed and read explicitly, compared only with its own kind.
template <class Tag, class T>
struct Strong {
  Strong() = default;
  constexpr explicit Strong(T raw) : value{std::move(raw)} {}
  friend constexpr auto operator<=>(const Strong&, const Strong&) = default;
  T value{};
};

}  // namespace tocsin

template <class Tag, class T>
struct std::hash<tocsin::Strong<Tag, T>> {
  std::size_t operator()(const tocsin::Strong<Tag, T>& s) const noexcept {
    return std::hash<T>{}(s.value);
  }
};
