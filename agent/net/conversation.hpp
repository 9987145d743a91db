#pragma once

#include <boost/asio/awaitable.hpp>

#include "tocsin/net/conversation.hpp"

namespace tocsin::net {

struct NetworkCore;

/// A connection that is spoken over by turns. The core must outlive it.
asio::awaitable<OpenOutcome> open_conversation(NetworkCore& core, OpenRequest request);

}  // namespace tocsin::net
