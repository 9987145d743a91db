#pragma once

#include <cstddef>
#include <deque>

#include <boost/asio/any_io_executor.hpp>

#include "tocsin/async/clock.hpp"
#include "tocsin/async/wakeup.hpp"

namespace tocsin::runtime {

/// So many at once; the others wait in line until their deadline. Not thread-safe: one loop.
class Turns {
 public:
  explicit Turns(std::size_t at_once) : free_{at_once} {}

  /// True when the turn has come: the caller then owes a give(). Throws when cancelled, owing
  /// nothing.
  asio::awaitable<bool> take(asio::any_io_executor executor, Clock& clock, SteadyTime deadline);
  void give();

 private:
  struct Waiter {
    explicit Waiter(asio::any_io_executor executor) : bell{std::move(executor)} {}
    Wakeup bell;
    bool granted{false};
  };
  class InLine;

  std::size_t free_;
  std::deque<Waiter*> line_;
};

}  // namespace tocsin::runtime
