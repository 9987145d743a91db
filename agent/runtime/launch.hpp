#pragma once

#include <string>
#include <vector>

#include "agent/runtime/descriptor.hpp"
#include "tocsin/base/error.hpp"

namespace tocsin::runtime {

/// What to start, and with which descriptors.
struct Launch {
  std::vector<std::string> command;
  std::vector<std::string> environment;  ///< Complete: "NAME=value".
  std::string working_directory{"/"};
  Descriptor output;        ///< Becomes standard output; closed here once the program runs.
  Descriptor error_output;  ///< Becomes standard error.
};

/// What came of it: a process id, or an errno and which step it is of. Small enough to travel
/// through a pipe in one piece.
struct Launched {
  int pid{-1};
  int failed_with{0};
  bool in_folder{false};  ///< It was the working directory that failed.
};

/// The small fixed environment of commands with `added` on top; a name given there replaces ours.
std::vector<std::string> command_environment(const std::vector<std::string>& added);

/// Starts the program in its own session with /dev/null as input, default signals and no other
/// descriptors, on a thread of its own: exec of a file on a dead mount does not return, and must
/// not take the loop along. Returns the end of a pipe where a Launched arrives.
Result<Descriptor> launch(Launch what);

/// The sentence for a Launched that failed, for `program`.
Error launch_error(const Launched& launched, const std::string& program,
                   const std::string& working_directory);

}  // namespace tocsin::runtime
