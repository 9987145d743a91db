#include "checks/supervisord_evidence.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "checks/net_samples.hpp"
#include "checks/redaction.hpp"
#include "checks/top_processes.hpp"
#include "tocsin/base/limits.hpp"
#include "tocsin/base/text.hpp"

namespace tocsin::checks {
namespace {

constexpr std::size_t programs_told_of = 5;
constexpr std::size_t log_lines_told = 5;

/// " for 3m", when it is known since when.
std::string lasting(std::int64_t since, std::int64_t now) {
  if (since <= 0 || now < since) return {};
  return " for " + describe(std::chrono::seconds{now - since});
}

std::string because(const SupervisedProgram& program) {
  return program.spawn_error.empty() ? std::string{} : ": " + program.spawn_error;
}

std::string how_it_exited(const SupervisedProgram& program) {
  std::string text = "EXITED" + lasting(program.stop, program.now);
  text += program.exit_status < 0 ? ", ended by a signal"
                                  : ", with exit status " + std::to_string(program.exit_status);
  // supervisord notes an error only when the status is none of the program's `exitcodes`.
  text += program.spawn_error.empty() ? " (one that its configuration expects)"
                                      : " (not one that its configuration expects)";
  return text;
}

}  // namespace

std::string describe_program(const SupervisedProgram& program) {
  const auto label = label_of(program);
  switch (program.state) {
    case ProgramState::stopped:
      if (program.start == 0) return label + " is STOPPED: it was never started";
      return label + " is STOPPED" + lasting(program.stop, program.now) + ": somebody stopped it";
    case ProgramState::starting:
      return label + " is STARTING" + lasting(program.start, program.now) +
             " and not yet taken for running";
    case ProgramState::running:
      return label + " is RUNNING" + lasting(program.start, program.now) + " as pid " +
             std::to_string(program.pid);
    case ProgramState::backoff:
      return label + " is in BACKOFF, supervisord will try again" + because(program);
    case ProgramState::stopping:
      return label + " is STOPPING and not gone yet (pid " + std::to_string(program.pid) + ")";
    case ProgramState::exited:
      return label + " is " + how_it_exited(program);
    case ProgramState::fatal:
      return label + " is FATAL, supervisord has given up" + because(program);
    case ProgramState::unknown:
      return label + " is UNKNOWN: supervisord itself cannot tell its state" + because(program);
  }
  return label;
}

const SupervisedProgram* tell_of_programs(Evidence& evidence, const WatchedPrograms& programs) {
  std::size_t told = 0;
  const auto tell = [&](std::string line) {
    if (++told > programs_told_of) return;
    if (evidence.probable_cause.empty()) evidence.probable_cause = line;
    add_line(evidence, std::move(line));
  };
  for (const auto& pattern : programs.missing())
    tell("supervisord has no program " + quoted_answer(pattern) +
         ": it was removed or renamed, or `supervisorctl update` is due");
  const SupervisedProgram* first = nullptr;
  for (const auto& program : programs.list()) {
    const auto times = programs.restarts_of(program);
    if (!programs.is_down(program) && times == 0) continue;
    if (first == nullptr) first = &program;
    auto line = describe_program(program);
    if (times > 0)
      line += "; started again " + std::to_string(times) + "x in the last " +
              describe(limits::restart_window);
    tell(std::move(line));
  }
  if (told > programs_told_of)
    add_line(evidence, "and " + std::to_string(told - programs_told_of) + " more");
  return first;
}

bool tell_of_log(Evidence& evidence, const SupervisedProgram& program, ProgramLog log,
                 std::string_view text) {
  std::vector<std::string_view> lines;
  for (const auto line : split(text, '\n'))
    if (!trim(line).empty()) lines.push_back(line);
  // Where as much came as was asked for, the first line may be the end of one.
  if (text.size() >= program_log_bytes && lines.size() > 1) lines.erase(lines.begin());
  if (lines.empty()) return false;
  const auto from = lines.size() - std::min(lines.size(), log_lines_told);
  add_line(evidence, "the end of what " + label_of(program) + " wrote to its standard " +
                         (log == ProgramLog::standard_error ? "error:" : "output:"));
  for (auto i = from; i < lines.size(); ++i) add_line(evidence, quoted_answer(redacted(lines[i])));
  if (!evidence.probable_cause.empty())
    evidence.probable_cause += "; its last words: " + quoted_answer(redacted(lines.back()));
  return true;
}

}  // namespace tocsin::checks
