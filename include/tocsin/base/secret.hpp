#pragma once

#include <ostream>
#include <string>
#include <utility>

namespace tocsin {

/// A value that cannot be printed. reveal() is the only way out, so that it can be searched for.
/// The memory is wiped when the last owner lets go.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string value) : value_{std::move(value)} {}
  Secret(const Secret&) = default;
  Secret(Secret&& other) noexcept;
  Secret& operator=(const Secret& other);
  Secret& operator=(Secret&& other) noexcept;
  ~Secret() { wipe(); }

  const std::string& reveal() const noexcept { return value_; }
  bool empty() const noexcept { return value_.empty(); }
  friend bool operator==(const Secret&, const Secret&) = default;
  friend std::ostream& operator<<(std::ostream& out, const Secret&) { return out << "<secret>"; }

 private:
  void wipe() noexcept;
  std::string value_;
};

}  // namespace tocsin
