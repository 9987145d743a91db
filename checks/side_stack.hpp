#pragma once

#include <ucontext.h>

#include <cstddef>

namespace tocsin::checks {

/// A stack of its own for a call into a C library that insists on waiting in the middle: the wait
/// leaves the stack, the loop goes on, and the call is resumed when what it waits for is there. One
/// call at a time; no exception may leave it. A call that has begun must be brought to its end
/// before the stack goes away: C code cannot be unwound.
class SideStack {
 public:
  /// Room for a TLS handshake and then some.
  static constexpr std::size_t bytes = 128u << 10;

  SideStack();  ///< Throws std::bad_alloc when there is no memory for it.
  ~SideStack();
  SideStack(const SideStack&) = delete;
  SideStack& operator=(const SideStack&) = delete;

  using Work = void (*)(void* argument);
  /// Runs the work on the side stack until it ends or leaves; says whether it has ended.
  bool begin(Work work, void* argument);
  /// Goes on where the work left; says whether it has ended.
  bool resume();
  /// Called by the work: returns to who began or resumed it, and comes back when resumed again.
  void leave();
  bool busy() const noexcept { return busy_; }

 private:
  static void enter();

  void* memory_{nullptr};  ///< With one page below it that may not be touched.
  ucontext_t inside_{}, outside_{};
  Work work_{nullptr};
  void* argument_{nullptr};
  bool busy_{false};
};

}  // namespace tocsin::checks
