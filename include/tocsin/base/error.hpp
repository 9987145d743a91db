#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace tocsin {

/// What went wrong, to branch on. The sentence for people is Error::detail.
enum class Errc {
  malformed,     ///< Input does not have the form it should.
  missing,       ///< Something named does not exist.
  unreadable,    ///< It exists, but reading or writing it failed (permissions, I/O).
  timed_out,     ///< No answer within the deadline.
  unresolved,    ///< A host name could not be resolved.
  unreachable,   ///< Connecting failed (refused, no route).
  tls,           ///< The TLS handshake or a certificate check failed.
  disconnected,  ///< The other side closed or reset in the middle.
  protocol,      ///< The other side answered something that is not its protocol.
  too_large,     ///< A bound was reached; the bound is named in the detail.
  refused,       ///< The other side understood and said no.
  cancelled,     ///< We are stopping.
  stuck,         ///< A call into the kernel has not returned.
  unsupported,   ///< This kernel or build does not offer it.
  internal,      ///< A third-party library threw; its words are in the detail.
};

/// A fault, as a value. `detail` is one sentence without a secret, for the person on call.
struct [[nodiscard]] Error {
  Errc code{Errc::internal};
  std::string detail;
  friend bool operator==(const Error&, const Error&) = default;
};

/// Either a T or the Error that says why there is none. Reading the wrong side is a bug and ends
/// the process.
template <class T>
class [[nodiscard]] Result {
 public:
  // Implicit on purpose: `return value;` and `return Error{…};` both read as meant.
  Result(T value) : state_{std::in_place_index<0>, std::move(value)} {}
  Result(Error error) : state_{std::in_place_index<1>, std::move(error)} {}

  explicit operator bool() const noexcept { return state_.index() == 0; }
  T& operator*() & { return std::get<0>(state_); }
  const T& operator*() const& { return std::get<0>(state_); }
  T&& operator*() && { return std::get<0>(std::move(state_)); }
  T* operator->() { return &std::get<0>(state_); }
  const T* operator->() const { return &std::get<0>(state_); }
  const Error& error() const& { return std::get<1>(state_); }
  Error&& error() && { return std::get<1>(std::move(state_)); }
  T value_or(T fallback) const& { return *this ? **this : std::move(fallback); }

 private:
  std::variant<T, Error> state_;
};

/// Success without a value, or an Error.
template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_{std::move(error)} {}
  explicit operator bool() const noexcept { return !error_.has_value(); }
  const Error& error() const& { return *error_; }

 private:
  std::optional<Error> error_;
};

/// A broken invariant: prints `what` and aborts, in release builds too.
void check_that(bool holds, const char* what) noexcept;

}  // namespace tocsin
