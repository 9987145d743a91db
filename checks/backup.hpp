#pragma once

#include "tocsin/check/check.hpp"

namespace tocsin {

/// Whether backups are written in time, whole and verified, judged by the files they leave.
CheckType backup_check();

}  // namespace tocsin
