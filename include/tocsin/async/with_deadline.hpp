#pragma once

#include <exception>
#include <string>
#include <utility>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/this_coro.hpp>

#include "tocsin/async/clock.hpp"
#include "tocsin/async/task.hpp"

namespace tocsin {

/// Turns what work throws into an Error: `a || b` waits for the first success, so work that throws
/// would hang until the timer (chriskohlhoff/asio#900).
template <class T>
Task<T> total(Task<T> work) {
  // A value cannot be returned from inside a handler that suspends, so the fault is carried out of
  // it.
  std::string fault;
  try {
    auto result = co_await std::move(work);
    co_return result;
  } catch (const std::exception& e) {
    fault = e.what();
  }
  co_return Error{Errc::internal, std::move(fault)};
}

/// Runs the work, or ends it at the deadline with Errc::timed_out and the sentence given. The loser
/// is cancelled and awaited: nothing outlives the call.
template <class T>
Task<T> with_deadline(Clock& clock, SteadyTime deadline, Task<T> work,
                      std::string sentence = "no answer in time") {
  using namespace asio::experimental::awaitable_operators;
  auto race = total(std::move(work)) || clock.sleep_until(deadline);
  auto winner = co_await std::move(race);
  if (winner.index() == 0) co_return std::get<0>(std::move(winner));
  co_return Error{Errc::timed_out, std::move(sentence)};
}

}  // namespace tocsin
