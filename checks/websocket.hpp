#pragma once

#include "tocsin/check/check.hpp"

namespace tocsin {

/// Whether a WebSocket opens and answers a ping or a message, and how fast: realtime dispatch.
CheckType websocket_check();

}  // namespace tocsin
