#pragma once

#include "tocsin/check/check.hpp"

namespace tocsin {

/// How long mail takes from this host's relay to a mailbox, and whether it arrives.
CheckType email_delivery_check();

}  // namespace tocsin
