#include "tocsin/base/secret.hpp"

#include <cstddef>

namespace tocsin {

void Secret::wipe() noexcept {
  // Written through a volatile pointer, or the compiler would drop stores to memory that is about
  // to be freed.
  volatile char* bytes = value_.data();
  for (std::size_t i = 0; i < value_.size(); ++i) bytes[i] = '\0';
  value_.clear();
}

Secret::Secret(Secret&& other) noexcept : value_{std::move(other.value_)} {
  // Short strings live inside the object: moving copies them, and the source must not keep its
  // copy.
  other.value_.resize(other.value_.capacity() < 15 ? other.value_.capacity() : 15);
  other.wipe();
}

Secret& Secret::operator=(const Secret& other) {
  if (this == &other) return *this;
  wipe();
  value_ = other.value_;
  return *this;
}

Secret& Secret::operator=(Secret&& other) noexcept {
  if (this == &other) return *this;
  wipe();
  value_ = std::move(other.value_);
  other.value_.resize(other.value_.capacity() < 15 ? other.value_.capacity() : 15);
  other.wipe();
  return *this;
}

}  // namespace tocsin
