#pragma once

#include "tocsin/check/check.hpp"

namespace tocsin {

/// How much mail waits in the queue of Postfix or Exim, for how long, and why.
CheckType mail_queue_check();

}  // namespace tocsin
