#pragma once

#include <boost/asio/awaitable.hpp>

#include "tocsin/net/websocket.hpp"

namespace tocsin::net {

struct NetworkCore;

/// Connects, asks for the upgrade, and hands out the socket. The core must outlive it.
asio::awaitable<WebSocketOutcome> open_web_socket(NetworkCore& core, WebSocketRequest request);

}  // namespace tocsin::net
