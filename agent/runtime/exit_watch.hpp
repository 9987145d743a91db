#pragma once

#include <functional>
#include <memory>

#include <boost/asio/any_io_executor.hpp>

#include "agent/runtime/descriptor.hpp"
#include "tocsin/check/host.hpp"

namespace tocsin::runtime {

/// Calls once, on the loop, when the process of the pidfd has ended; never after it was dropped.
std::unique_ptr<Processes::Watch> make_exit_watch(const asio::any_io_executor& executor,
                                                  Descriptor pidfd, std::function<void()> on_exit);

}  // namespace tocsin::runtime
