#pragma once

#include "tocsin/check/check.hpp"

namespace tocsin {

/// Whether a PostgreSQL server lets one in and answers, how full it is, how its replication goes,
/// and what queries of one's own say.
CheckType postgres_check();

}  // namespace tocsin
