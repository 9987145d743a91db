#include "agent/runtime/turns.hpp"

#include <algorithm>
#include <utility>

namespace tocsin::runtime {

/// A place in the line, given up on every way out; a turn that came too late for its owner goes to
/// the next.
class Turns::InLine {
 public:
  InLine(Turns& turns, Waiter& who) : turns_{turns}, who_{who} { turns_.line_.push_back(&who_); }
  ~InLine() {
    if (who_.granted) {
      if (!kept_) turns_.give();
    } else {
      std::erase(turns_.line_, &who_);
    }
  }
  InLine(const InLine&) = delete;
  InLine& operator=(const InLine&) = delete;
  void keep() noexcept { kept_ = true; }

 private:
  Turns& turns_;
  Waiter& who_;
  bool kept_{false};
};

asio::awaitable<bool> Turns::take(asio::any_io_executor executor, Clock& clock,
                                  SteadyTime deadline) {
  if (free_ > 0) {
    --free_;
    co_return true;
  }
  Waiter me{std::move(executor)};
  InLine place{*this, me};
  while (!me.granted && clock.steady() < deadline) {
    co_await me.bell.wait_until(clock, deadline);
  }
  if (me.granted) place.keep();
  co_return me.granted;
}

void Turns::give() {
  if (line_.empty()) {
    ++free_;
    return;
  }
  Waiter& next = *line_.front();
  line_.pop_front();
  next.granted = true;
  next.bell.raise();
}

}  // namespace tocsin::runtime
