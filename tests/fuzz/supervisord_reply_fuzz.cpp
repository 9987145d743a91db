// What a supervisord, or whatever else listens there, answers: any bytes must give programs, a
// text, a fault or an error, all within their bounds and fit to be shown.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "checks/supervised_programs.hpp"
#include "checks/supervisord_evidence.hpp"
#include "checks/supervisord_reply.hpp"
#include "tocsin/base/error.hpp"
#include "tocsin/base/limits.hpp"
#include "tocsin/base/text.hpp"

namespace {

using namespace tocsin;
using namespace tocsin::checks;

void judge_text(const std::string& text) {
  check_that(clean_utf8(text) == text, "a text of a program is clean");
  check_that(text.size() <= 4 * 301, "a text of a program is bounded");
}

void judge_programs(std::vector<SupervisedProgram> all) {
  check_that(all.size() <= supervised_programs_max, "programs are bounded");
  for (const auto& program : all) {
    check_that(!program.name.empty() && !program.group.empty(), "a program has a name");
    judge_text(program.name);
    judge_text(program.group);
    judge_text(program.spawn_error);
    check_that(!describe_program(program).empty(), "a program is described");
  }
  const auto count = all.size();
  WatchedPrograms programs{{{ProgramPattern{"*:*"}, ProgramPattern{"a*b"}}, {}, {}}};
  programs.take(all, SteadyTime{});
  check_that(programs.list().size() == count, "*:* is all of them");
  programs.take(std::move(all), SteadyTime{} + limits::restart_window);
  Evidence evidence;
  const auto* const notable = tell_of_programs(evidence, programs);
  if (notable != nullptr)
    tell_of_log(evidence, *notable, ProgramLog::standard_error, notable->spawn_error);
  check_that(evidence.lines.size() <= limits::evidence_lines, "evidence is bounded");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  if (auto reply = parse_program_list(text)) {
    if (auto* const programs = std::get_if<std::vector<SupervisedProgram>>(&*reply))
      judge_programs(std::move(*programs));
    else
      judge_text(std::get<RpcFault>(*reply).text);
  }
  if (const auto reply = parse_text_reply(text)) {
    if (const auto* const words = std::get_if<std::string>(&*reply)) {
      check_that(words->size() <= text.size(), "a text is not longer than its XML");
      Evidence evidence;
      tell_of_log(evidence, SupervisedProgram{}, ProgramLog::standard_output, *words);
      check_that(evidence.lines.size() <= limits::evidence_lines, "evidence is bounded");
    }
  }
  return 0;
}
