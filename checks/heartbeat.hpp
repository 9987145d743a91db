#pragma once

#include "tocsin/check/check.hpp"

namespace tocsin {

/// Jobs that report: crons, backups, importers.
CheckType heartbeat_check();

}  // namespace tocsin
