#pragma once

#include <string>
#include <vector>

#include "checks/supervisord_reply.hpp"

namespace tocsin::checks_test {

using checks::ProgramState;
using checks::SupervisedProgram;

/// A program as a test wants it; what is left out is as of one that is well.
inline SupervisedProgram program_of(std::string name, ProgramState state = ProgramState::running,
                                    std::string group = {}) {
  SupervisedProgram program;
  program.group = group.empty() ? name : std::move(group);
  program.name = std::move(name);
  program.state = state;
  program.start = 1'000'000;
  program.now = 1'000'060;
  program.pid = state == ProgramState::running ? 4711 : 0;
  program.has_stdout_log = true;
  program.has_stderr_log = true;
  return program;
}

inline std::string member_of(const std::string& name, const std::string& value) {
  return "<member><name>" + name + "</name><value>" + value + "</value></member>";
}
inline std::string xml_text(const std::string& text) { return "<string>" + text + "</string>"; }
inline std::string xml_number(std::int64_t number) {
  return "<int>" + std::to_string(number) + "</int>";
}

/// The struct of a program, as supervisord writes it.
inline std::string struct_of(const SupervisedProgram& program) {
  return "<struct>" + member_of("name", xml_text(program.name)) +
         member_of("group", xml_text(program.group)) +
         member_of("start", xml_number(program.start)) +
         member_of("stop", xml_number(program.stop)) + member_of("now", xml_number(program.now)) +
         member_of("state", xml_number(static_cast<std::int64_t>(program.state))) +
         member_of("statename", xml_text(std::string{to_string(program.state)})) +
         member_of("spawnerr", xml_text(program.spawn_error)) +
         member_of("exitstatus", xml_number(program.exit_status)) +
         member_of("stdout_logfile", xml_text(program.has_stdout_log ? "/log/out" : "")) +
         member_of("stderr_logfile", xml_text(program.has_stderr_log ? "/log/err" : "")) +
         member_of("pid", xml_number(program.pid)) + "</struct>";
}

inline std::string answer_of(const std::string& value) {
  return "<?xml version='1.0'?>\n<methodResponse><params><param><value>" + value +
         "</value></param></params></methodResponse>";
}
inline std::string list_answer(const std::vector<SupervisedProgram>& programs) {
  std::string data;
  for (const auto& program : programs) data += "<value>" + struct_of(program) + "</value>";
  return answer_of("<array><data>" + data + "</data></array>");
}
inline std::string fault_answer(std::int64_t code, const std::string& text) {
  return "<?xml version='1.0'?>\n<methodResponse><fault><value><struct>" +
         member_of("faultCode", xml_number(code)) + member_of("faultString", xml_text(text)) +
         "</struct></value></fault></methodResponse>";
}

}  // namespace tocsin::checks_test
