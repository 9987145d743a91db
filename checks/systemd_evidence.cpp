#include "checks/systemd_evidence.hpp"

#include <csignal>

#include <algorithm>
#include <utility>

#include "checks/net_samples.hpp"
#include "checks/redaction.hpp"
#include "checks/top_processes.hpp"
#include "tocsin/base/limits.hpp"
#include "tocsin/base/text.hpp"

namespace tocsin::checks {
namespace {

constexpr std::size_t units_told_of = 5;

/// " 3m ago", when it is known.
std::string ago(const std::optional<SteadyTime>& at, SteadyTime now) {
  if (!at || *at > now) return {};
  return " " + describe(now - *at) + " ago";
}
/// " for 3m", when it is known since when.
std::string lasting(const std::optional<SteadyTime>& since, SteadyTime now) {
  if (!since || *since > now) return {};
  return " for " + describe(now - *since);
}

/// What systemd means by an exit status of its own (systemd.exec(5), "Process Exit Codes").
std::string_view meaning_of_status(std::int64_t status) {
  static constexpr std::pair<std::int64_t, std::string_view> meanings[] = {
      {127, "a command was not found"},
      {200, "its working directory is not there"},
      {203, "its program could not be executed"},
      {209, "its standard output could not be set up"},
      {214, "its scheduling could not be set up"},
      {216, "its group does not exist"},
      {217, "its user does not exist"},
      {218, "its capabilities could not be set"},
      {226, "its namespace could not be set up"},
      {228, "its system call filter could not be set up"},
      {233, "its runtime directory could not be made"},
      {238, "its state directory could not be made"},
      {239, "its cache directory could not be made"},
      {240, "its logs directory could not be made"},
      {243, "its credentials could not be had"},
  };
  for (const auto& [number, words] : meanings)
    if (number == status) return words;
  return {};
}

std::string name_of_signal(std::int64_t number) {
  static constexpr std::pair<int, std::string_view> names[] = {
      {SIGHUP, "HUP"},   {SIGINT, "INT"},   {SIGQUIT, "QUIT"}, {SIGILL, "ILL"},
      {SIGTRAP, "TRAP"}, {SIGABRT, "ABRT"}, {SIGBUS, "BUS"},   {SIGFPE, "FPE"},
      {SIGKILL, "KILL"}, {SIGSEGV, "SEGV"}, {SIGPIPE, "PIPE"}, {SIGALRM, "ALRM"},
      {SIGTERM, "TERM"}, {SIGSYS, "SYS"},   {SIGXCPU, "XCPU"}, {SIGXFSZ, "XFSZ"}};
  for (const auto& [known, name] : names)
    if (known == number) return " (" + std::string{name} + ")";
  return {};
}

std::string main_process(const UnitStatus& unit) {
  return "its main process" +
         (unit.main_pid == 0 ? std::string{} : " (pid " + std::to_string(unit.main_pid) + ")");
}

/// "its main process (pid 812) was killed by signal 9 (KILL)"; empty when it has not ended.
std::string end_of_process(const UnitStatus& unit) {
  const auto number = std::to_string(unit.exit_status);
  if (unit.exit_code == CLD_EXITED) {
    const auto meaning = meaning_of_status(unit.exit_status);
    return main_process(unit) + " exited with status " + number +
           (meaning.empty() ? std::string{} : ": " + std::string{meaning});
  }
  if (unit.exit_code != CLD_KILLED && unit.exit_code != CLD_DUMPED) return {};
  return main_process(unit) + " was killed by signal " + number + name_of_signal(unit.exit_status) +
         (unit.exit_code == CLD_DUMPED ? " and dumped core" : "");
}

/// What systemd calls the way it ended, in words; empty where the end of the process says it all.
std::string_view meaning_of_result(std::string_view result) {
  static constexpr std::pair<std::string_view, std::string_view> meanings[] = {
      {"oom-kill", "the kernel killed a process of it for want of memory"},
      {"watchdog", "it no longer told systemd's watchdog that it is well"},
      {"timeout", "it took longer to start or to stop than it may"},
      {"protocol", "it did not do what systemd expects of its Type="},
      {"resources", "systemd could not set up what it needs to run"},
      {"start-limit-hit", "it was started too often"},
      {"exec-condition", "its ExecCondition= says that it must not run"},
      {"service-start-limit-hit", "its service was started too often"},
      {"trigger-limit-hit", "it was triggered too often"},
      {"mount-start-limit-hit", "its mount was started too often"},
      {"unit-start-limit-hit", "its unit was started too often"},
  };
  for (const auto& [word, meaning] : meanings)
    if (word == result) return meaning;
  return {};
}

/// Why it ended as it did; empty when that is not known.
std::string reason(const UnitStatus& unit) {
  const std::string meaning{meaning_of_result(unit.result)};
  const auto end = end_of_process(unit);
  if (!meaning.empty()) return end.empty() ? meaning : meaning + "; " + end;
  if (!end.empty()) return end;
  if (unit.result.empty() || unit.result == "success") return {};
  return "its result is " + quoted_answer(unit.result);
}

/// Whether systemd started it again as often as it may, and will not any more.
bool has_given_up(const UnitStatus& unit) {
  if (unit.state() != ActiveState::failed) return false;
  if (unit.result == "start-limit-hit") return true;
  return !unit.restart.empty() && unit.restart != "no" && unit.start_limit_burst > 0 &&
         unit.restarts.value_or(0) + 1 >= unit.start_limit_burst;
}

std::string given_up(const UnitStatus& unit) {
  std::string text = "; systemd has given up starting it";
  if (unit.start_limit_burst == 0 || !unit.start_limit_interval) return text;
  return text + " (" + std::to_string(unit.start_limit_burst) + " starts in " +
         describe(*unit.start_limit_interval) + " are its limit)";
}

std::string with_reason(std::string text, const UnitStatus& unit) {
  const auto why = reason(unit);
  if (!why.empty()) text += ": " + why;
  if (has_given_up(unit)) text += given_up(unit);
  return text;
}

std::string describe_inactive(const UnitStatus& unit, SteadyTime now) {
  if (unit.load == "not-found")
    return "systemd has no unit " + unit.name +
           ": it is not installed, was removed or has another name";
  if (unit.load == "masked")
    return unit.name + " is masked: it cannot be started before `systemctl unmask`";
  if (unit.load != "loaded")
    return unit.name + " cannot be loaded (" + unit.load + ")" +
           (unit.load_error.empty() ? std::string{} : ": " + quoted_answer(unit.load_error));
  const auto text = unit.name + " is stopped" + lasting(unit.changed_at, now);
  if (!unit.condition_met)
    return text + ": systemd skipped it, for a Condition…= of it does not hold";
  if (unit.exit_code == 0 && !unit.changed_at)
    return text + ": systemd knows of no start, or has forgotten one that ended without a fault";
  if (unit.exit_code == 0) return text + ": somebody stopped it, or it had nothing more to do";
  return text + ": somebody stopped it, or it ended by itself; " + end_of_process(unit);
}

std::string describe_activating(const UnitStatus& unit, SteadyTime now) {
  if (unit.sub.starts_with("auto-restart"))
    return with_reason(unit.name + " ended and waits to be started again", unit);
  return unit.name + " is starting" + lasting(unit.changed_at, now) + " (" + unit.sub +
         ") and not up yet";
}

}  // namespace

std::string describe_unit(const UnitStatus& unit, SteadyTime now) {
  std::string text;
  switch (unit.state()) {
    case ActiveState::active:
    case ActiveState::reloading:
      return unit.name + " is " + unit.active + lasting(unit.active_since, now);
    case ActiveState::inactive:
    case ActiveState::maintenance:
      text = describe_inactive(unit, now);
      break;
    case ActiveState::activating:
      text = describe_activating(unit, now);
      break;
    case ActiveState::deactivating:
      text = unit.name + " is stopping" + lasting(unit.changed_at, now) + " (" + unit.sub +
             ") and not gone yet";
      break;
    case ActiveState::failed:
      text = with_reason(unit.name + " failed" + ago(unit.changed_at, now), unit);
      break;
    case ActiveState::unknown:
      text = unit.name + " is in a state that tocsin does not know: " + quoted_answer(unit.active);
      break;
  }
  for (const auto& need : unit.failed_needs) text += "; it needs " + need;
  return text;
}

const UnitStatus* tell_of_units(Evidence& evidence, const UnitLook& look,
                                const UnitRestarts& restarts, SteadyTime now) {
  std::size_t told = 0;
  const auto tell = [&](std::string line) {
    if (++told > units_told_of) return;
    if (evidence.probable_cause.empty()) evidence.probable_cause = line;
    add_line(evidence, std::move(line));
  };
  const UnitStatus* first = nullptr;
  // Those that are down before those that only were.
  for (const bool up : {false, true}) {
    for (const auto& unit : look.units) {
      const auto times = restarts.of(unit.name);
      if (is_up(unit) != up || (up && times == 0)) continue;
      if (first == nullptr && unit.load != "not-found") first = &unit;
      auto line = describe_unit(unit, now);
      if (times > 0)
        line += "; started again by systemd " + std::to_string(times) + "x in the last " +
                describe(limits::restart_window);
      tell(std::move(line));
      if (!up && !unit.status_text.empty() && told <= units_told_of)
        add_line(evidence, "it says of itself: " + quoted_answer(redacted(unit.status_text)));
    }
    if (up) break;
    for (const auto& glob : look.unmatched)
      tell("systemd has loaded no unit that fits " + quoted_answer(glob));
  }
  if (told > units_told_of)
    add_line(evidence, "and " + std::to_string(told - units_told_of) + " more");
  return first;
}

void tell_of_journal(Evidence& evidence, const UnitStatus& unit, std::string_view lines) {
  std::vector<std::string_view> all;
  for (const auto line : split(lines, '\n'))
    // "-- No entries --", "-- Boot … --"
    if (!trim(line).empty() && !starts_with(line, "-- ")) all.push_back(line);
  if (all.empty()) return;
  add_line(evidence, "the journal's last lines on " + unit.name + ":");
  const auto from = all.size() - std::min(all.size(), std::size_t{journal_lines_told});
  for (auto i = from; i < all.size(); ++i) add_line(evidence, quoted_answer(redacted(all[i])));
}

}  // namespace tocsin::checks
