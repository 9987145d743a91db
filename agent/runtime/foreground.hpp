#pragma once

#include <functional>
#include <string>
#include <vector>

#include "tocsin/base/error.hpp"
#include "tocsin/base/time.hpp"

namespace tocsin::runtime {

/// How a command ended that ran in our place.
struct ForegroundExit {
  int exit_code{};  ///< As a shell has it: 128 and the signal's number when a signal ended it.
  int signal{};     ///< That signal, else 0.
  Duration took{};
};

/// Runs a program (absolute, or looked up in PATH) with our own standard streams, environment and
/// folder until it ends. Signals that somebody sends us go to it; those of the terminal reach it
/// anyway. `once_running` is called when the program has been started, before it is waited for; it
/// may start threads, which must have ended when this returns. Blocks the calling thread, which
/// must be the only one. Errc::missing when there is no such program (127 in a shell),
/// Errc::refused when it may not be run (126).
Result<ForegroundExit> run_in_foreground(std::vector<std::string> command,
                                         const std::function<void()>& once_running);

/// "killed by signal 9 (Killed)".
std::string describe_signal(int signal);

}  // namespace tocsin::runtime
