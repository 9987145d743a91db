#pragma once

#include "tocsin/check/check.hpp"

namespace tocsin {

/// Whether a MariaDB or MySQL server takes connections and answers, how full it is, how old its
/// oldest transaction, and how its replication does.
CheckType mysql_check();

}  // namespace tocsin
