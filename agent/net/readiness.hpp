#pragma once

#include <boost/asio/any_io_executor.hpp>

#include "agent/net/deadlines.hpp"
#include "tocsin/async/task.hpp"
#include "tocsin/net/network.hpp"

namespace tocsin::net {

/// Waits on the loop until somebody else's descriptor may be read or written; leaves it open and as
/// it was.
Task<void> wait_ready(asio::any_io_executor executor, DeadlineWatch& watch, int descriptor,
                      Readiness what, SteadyTime deadline);

}  // namespace tocsin::net
