#pragma once

#include <memory>

#include <spdlog/logger.h>

namespace tocsin::app {

/// The agent's log: standard error, one line a fact. Under a service manager lines carry the
/// priority prefix of sd-daemon(3) and no time of their own. Secrets cannot reach it: nothing that
/// holds one can be formatted.
std::shared_ptr<spdlog::logger> make_log();

}  // namespace tocsin::app
