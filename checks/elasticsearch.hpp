#pragma once

#include "tocsin/check/check.hpp"

namespace tocsin {

/// How a cluster of Elasticsearch or OpenSearch is.
CheckType elasticsearch_check();

}  // namespace tocsin
