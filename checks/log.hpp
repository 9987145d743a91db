#pragma once

#include "tocsin/check/check.hpp"

namespace tocsin {

/// How often lines that match patterns come in a log file or in the journal.
CheckType log_check();

}  // namespace tocsin
