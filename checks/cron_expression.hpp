#pragma once

#include <string_view>

#include "checks/recurrence.hpp"
#include "tocsin/base/error.hpp"

namespace tocsin::checks {

/// Reads the five fields of a crontab line ("15 3 * * mon-fri"), or "@hourly", "@daily",
/// "@midnight", "@weekly", "@monthly", "@yearly" and "@annually". The complaint names the field.
Result<Recurrence> parse_cron(std::string_view text);

}  // namespace tocsin::checks
