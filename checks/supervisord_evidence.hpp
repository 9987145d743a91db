#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "checks/supervised_programs.hpp"
#include "tocsin/model/sample.hpp"

namespace tocsin::checks {

/// One sentence on how a program fares: what supervisord says of it and what that means.
std::string describe_program(const SupervisedProgram& program);

/// Lines on the programs that are down or missing, and on those that were started again; the first
/// of them is the probable cause. Returns the program whose log tells most, or null.
const SupervisedProgram* tell_of_programs(Evidence& evidence, const WatchedPrograms& programs);

/// How much of a log is asked for.
inline constexpr std::size_t program_log_bytes = 2048;

/// Adds the last lines of a program's log without what may be a secret in them; `text` is the last
/// program_log_bytes of it at most.
/// Says whether it had anything to say.
bool tell_of_log(Evidence& evidence, const SupervisedProgram& program, ProgramLog log,
                 std::string_view text);

}  // namespace tocsin::checks
