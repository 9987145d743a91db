#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/any_io_executor.hpp>

#include "tocsin/check/check.hpp"

namespace tocsin::checks {

/// What verifying a file came to.
struct Verdict {
  std::string file{};  ///< Its identity: path, time and size.
  bool good{};
  bool final{true};     ///< False when the command could not be run: then it is tried again.
  std::string words{};  ///< "pg_restore ended with exit code 1 after 2s: input file is too short".
};

/// Runs a command once for each new file. It may take far longer than a run of a check, which goes
/// on without it and is nudged at its end.
class BackupVerification {
 public:
  BackupVerification(std::vector<std::string> command, Duration timeout);
  ~BackupVerification();
  BackupVerification(const BackupVerification&) = delete;
  BackupVerification& operator=(const BackupVerification&) = delete;

  bool wanted() const { return !command_.empty(); }
  /// Begins with this file unless that has been done or another is under way; waits for its end,
  /// but not beyond the run's.
  asio::awaitable<void> look_at(CheckContext& context, FoundFile file);
  /// What the last file came to that was verified.
  const std::optional<Verdict>& verdict() const { return verdict_; }
  bool under_way() const;

  std::string to_text() const;       ///< The verdict as two lines; "" without one.
  void read(std::string_view text);  ///< What to_text made, or an older version: one line.

 private:
  struct Ending;
  struct Work;
  std::shared_ptr<Work> start(CheckContext& context, const FoundFile& file,
                              asio::any_io_executor executor);
  void take();

  std::vector<std::string> command_;
  Duration timeout_;
  std::shared_ptr<Ending> ending_;  ///< Of the command that was begun last; read once.
  std::weak_ptr<Work> work_;        ///< Belongs to its coroutine, and so to the loop.
  std::optional<Verdict> verdict_;
};

/// `command` with the path in place of "{file}", or after it when that is nowhere.
std::vector<std::string> command_for(std::vector<std::string> command, const std::string& path);
/// The verdict that a command's end means.
Verdict judge_command(std::string_view program, const Result<CommandOutcome>& outcome);

}  // namespace tocsin::checks
