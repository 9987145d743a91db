#include "checks/log_journal.hpp"

#include <memory>
#include <utility>

#include "checks/net_samples.hpp"
#include "checks/reply_by.hpp"
#include "tocsin/base/limits.hpp"
#include "tocsin/base/text.hpp"

namespace tocsin::checks {
namespace {

constexpr std::string_view cursor_mark = "-- cursor: ";

/// Output in pieces, as lines.
class Lines {
 public:
  explicit Lines(std::function<void(std::string_view)> take) : take_{std::move(take)} {}

  void add(std::string_view piece) {
    while (!piece.empty()) {
      const auto end = piece.find('\n');
      const auto part = piece.substr(0, end);
      const auto room = limits::log_line_bytes - std::min(limits::log_line_bytes, line_.size());
      line_.append(part.substr(0, room));
      if (end == std::string_view::npos) return;
      finish();
      piece.remove_prefix(end + 1);
    }
  }
  std::string cursor{};

 private:
  void finish() {
    if (starts_with(line_, cursor_mark))
      cursor = line_.substr(cursor_mark.size());
    else
      take_(line_);
    line_.clear();
  }
  std::function<void(std::string_view)> take_;
  std::string line_{};
};

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
  const auto lines = std::make_shared<Lines>(std::move(take));
  auto wanted = request(context);
  wanted.on_output = [lines](std::string_view piece) { lines->add(piece); };
  auto running = context.processes.run(std::move(wanted));
  const auto outcome = co_await std::move(running);
  if (!outcome)
    co_return Error{outcome.error().code, "reading the journal: " + outcome.error().detail};
  if (outcome->timed_out) co_return Error{Errc::timed_out, "journalctl did not end in time"};
  if (outcome->signal != 0 || outcome->exit_code != 0) {
    const auto said = quoted_answer(outcome->error_output);
    // A cursor that the journal no longer has would be refused for ever.
    cursor_.clear();
    since_ = context.clock.wall();
    co_return Error{Errc::unreadable,
                    "journalctl failed: " +
                        (said.empty() ? "exit code " + std::to_string(outcome->exit_code) : said)};
  }
  if (!lines->cursor.empty()) cursor_ = lines->cursor;
  co_return Result<void>{};
}

}  // namespace tocsin::checks
