#include "checks/log_journal.hpp"

#include <memory>
#include <utility>

#include "checks/journal_lines.hpp"
#include "checks/net_samples.hpp"
#include "checks/reply_by.hpp"
#include "tocsin/base/limits.hpp"
#include "tocsin/base/text.hpp"

namespace tocsin::checks {
namespace {

/// journalctl has no cursor to show when it has no entry to show, takes that for a failure, and
/// says nothing (recorded with systemd 252). Whatever else ails it, it says.
bool found_nothing(const CommandOutcome& outcome, bool printed) {
  return outcome.signal == 0 && outcome.exit_code == 1 && !printed &&
         trim(outcome.error_output).empty();
}

/// It says nothing either where no journal is kept at all.
Result<void> there_is_a_journal(const HostFiles& files) {
  for (const auto* folder : {"/var/log/journal", "/run/log/journal"})
    if (files.list(folder)) return {};
  return Error{Errc::missing,
               "no journal is kept on this host: there is neither /var/log/journal nor "
               "/run/log/journal"};
}

}  // namespace

CommandRequest JournalReader::request(CheckContext& context) const {
  CommandRequest request;
  request.command = {"journalctl",    "--no-pager",
                     "--quiet",       "--output=short-iso",
                     "--show-cursor", "--lines=" + std::to_string(lines_most)};
  if (!params_.unit.empty()) request.command.push_back("--unit=" + params_.unit);
  if (!params_.identifier.empty()) request.command.push_back("--identifier=" + params_.identifier);
  if (!cursor_.empty()) {
    request.command.push_back("--after-cursor=" + cursor_);
  } else {
    const auto seconds =
        std::chrono::duration_cast<std::chrono::seconds>(since_->time_since_epoch()).count();
    request.command.push_back("--since=@" + std::to_string(seconds));
  }
  request.deadline = reply_by(context);
  return request;
}

Task<void> JournalReader::read(CheckContext& context,
                               std::function<void(std::string_view line)> take) {
  if (cursor_.empty() && !since_) since_ = context.clock.wall();
  const auto lines = std::make_shared<JournalLines>(std::move(take));
  auto wanted = request(context);
  const auto printed = std::make_shared<bool>(false);
  wanted.on_output = [lines, printed](std::string_view piece) {
    *printed = *printed || !piece.empty();
    lines->add(piece);
  };
  auto running = context.processes.run(std::move(wanted));
  const auto outcome = co_await std::move(running);
  if (!outcome)
    co_return Error{outcome.error().code, "reading the journal: " + outcome.error().detail};
  if (outcome->timed_out) co_return Error{Errc::timed_out, "journalctl did not end in time"};
  if (found_nothing(*outcome, *printed)) co_return there_is_a_journal(context.files);
  if (outcome->signal != 0 || outcome->exit_code != 0) {
    const auto ended = outcome->signal != 0 ? "signal " + std::to_string(outcome->signal)
                                            : "exit code " + std::to_string(outcome->exit_code);
    const auto& said = outcome->error_output;
    // A cursor that the journal no longer has would be refused for ever.
    cursor_.clear();
    since_ = context.clock.wall();
    const bool denied = said.find("insufficient permissions") != std::string::npos;
    co_return Error{Errc::unreadable,
                    "journalctl failed: " + (trim(said).empty() ? ended : quoted_answer(said)) +
                        (denied ? "; give the agent's user the group systemd-journal" : "")};
  }
  if (!lines->cursor().empty()) cursor_ = lines->cursor();
  co_return Result<void>{};
}

}  // namespace tocsin::checks
