#include "agent/runtime/signals.hpp"

#include <csignal>
#include <utility>

#include <boost/asio/use_awaitable.hpp>

namespace tocsin::runtime {

Signals::Signals(asio::any_io_executor executor, std::initializer_list<int> numbers)
    : set_{std::move(executor)} {
  for (const int number : numbers) set_.add(number);
}

asio::awaitable<int> Signals::next() {
  const int number = co_await set_.async_wait(asio::use_awaitable);
  co_return number;
}

void ignore_broken_pipes() { std::signal(SIGPIPE, SIG_IGN); }

}  // namespace tocsin::runtime
