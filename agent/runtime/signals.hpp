#pragma once

#include <initializer_list>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/signal_set.hpp>

#include "tocsin/async/task.hpp"

namespace tocsin::runtime {

/// Signals to this process, one at a time. They are caught from construction on, so one that comes
/// before the first next() is kept: construct it before saying that we are ready.
class Signals {
 public:
  Signals(asio::any_io_executor executor, std::initializer_list<int> numbers);
  /// The next signal's number. Throws when cancelled.
  asio::awaitable<int> next();

 private:
  asio::signal_set set_;
};

/// Writing to a closed socket or pipe becomes an error of the call instead of the end of the
/// process.
void ignore_broken_pipes();

}  // namespace tocsin::runtime
