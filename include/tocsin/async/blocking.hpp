#pragma once

#include <functional>

#include <boost/asio/awaitable.hpp>

#include "tocsin/async/task.hpp"

namespace tocsin {

/// The one thread for calls that block (SQLite and the like), so that the loop never does. Calls
/// run one at a time, in the order they were made. Never give it what can hang in the kernel: that
/// is what HelperProcess is for.
class BlockingThread {
 public:
  virtual ~BlockingThread() = default;
  /// Runs the work there and returns here once it is done. The work must not throw.
  virtual asio::awaitable<void> run(std::function<void()> work) = 0;
};

}  // namespace tocsin
