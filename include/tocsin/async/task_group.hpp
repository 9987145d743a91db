#pragma once

#include <memory>
#include <string>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "tocsin/async/clock.hpp"

namespace tocsin {

/// Owns long-running coroutines. What is spawned here is cancelled and awaited by stop(); nothing
/// is ever detached. Not thread-safe: one loop. An exception that leaves a task (other than by
/// cancellation) ends the process with its name, for it is a bug.
class TaskGroup {
 public:
  explicit TaskGroup(asio::any_io_executor executor);
  ~TaskGroup();
  TaskGroup(const TaskGroup&) = delete;
  TaskGroup& operator=(const TaskGroup&) = delete;

  void spawn(std::string name, asio::awaitable<void> work);
  std::size_t size() const;
  /// Cancels all and waits for them until the deadline; returns the names of those that have not
  /// ended.
  asio::awaitable<std::vector<std::string>> stop(Clock& clock, SteadyTime deadline);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace tocsin
