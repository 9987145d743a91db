#include "checks/backup_verification.hpp"

#include <algorithm>
#include <utility>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>

#include "checks/reply_by.hpp"
#include "checks/words.hpp"
#include "tocsin/async/wakeup.hpp"
#include "tocsin/base/limits.hpp"
#include "tocsin/base/text.hpp"

namespace tocsin::checks {
namespace {

constexpr std::string_view place_of_file = "{file}";
/// Before what the command's end was told as, where it is kept.
constexpr std::string_view said_mark = "said ";
constexpr std::size_t words_characters = 2 * limits::evidence_line_characters;

std::string identity_of(const FoundFile& file) {
  return std::to_string(file.modified.time_since_epoch().count()) + " " +
         std::to_string(file.bytes) + " " + file.path;
}

std::string_view program_of(const std::vector<std::string>& command) {
  const std::string_view path = command.front();
  return path.substr(path.rfind('/') + 1);
}

/// What a command said last: where tools put their complaint.
std::string last_line(std::string_view text) {
  std::string_view last;
  for (const auto line : split(text, '\n'))
    if (!trim(line).empty()) last = trim(line);
  return cut_characters(clean_utf8(last), limits::evidence_line_characters / 2);
}

}  // namespace

/// What a command leaves behind.
struct BackupVerification::Ending {
  std::string file{};
  bool running{true};
  std::optional<Result<CommandOutcome>> outcome{};
};

/// A command in flight.
struct BackupVerification::Work {
  Work(asio::any_io_executor executor, std::shared_ptr<Ending> into)
      : ending{std::move(into)}, ended{std::move(executor)} {}

  std::shared_ptr<Ending> ending;
  std::function<void()> on_end{};
  Wakeup ended;
  asio::cancellation_signal cancel{};

  /// Marks the end however the coroutine ends, the loop's destruction included.
  struct EndMark {
    std::shared_ptr<Work> work;
    ~EndMark() { work->ending->running = false; }
  };
  static asio::awaitable<void> run(Processes& processes, CommandRequest request,
                                   std::shared_ptr<Work> work) {
    const EndMark mark{work};
    auto running = processes.run(std::move(request));
    auto outcome = co_await std::move(running);
    work->ending->outcome.emplace(std::move(outcome));
  }
};

std::vector<std::string> command_for(std::vector<std::string> command, const std::string& path) {
  bool placed = false;
  for (auto& word : command) {
    for (auto at = word.find(place_of_file); at != std::string::npos;
         at = word.find(place_of_file, at + path.size())) {
      word.replace(at, place_of_file.size(), path);
      placed = true;
    }
  }
  if (!placed) command.push_back(path);
  return command;
}

Verdict judge_command(std::string_view program, const Result<CommandOutcome>& outcome) {
  Verdict verdict;
  verdict.words = program;
  if (!outcome) {
    verdict.final = false;
    verdict.words += " could not be run: " + outcome.error().detail;
    return verdict;
  }
  auto said = last_line(outcome->error_output);
  if (said.empty()) said = last_line(outcome->output);
  verdict.good = !outcome->timed_out && outcome->signal == 0 && outcome->exit_code == 0;
  if (outcome->timed_out)
    verdict.words += " was ended after " + describe(outcome->took) + " without a result";
  else if (outcome->signal != 0)
    verdict.words += " was ended by signal " + std::to_string(outcome->signal);
  else
    verdict.words += " ended with exit code " + std::to_string(outcome->exit_code) + " after " +
                     describe(outcome->took);
  if (!said.empty()) verdict.words += ": " + said;
  return verdict;
}

BackupVerification::BackupVerification(std::vector<std::string> command, Duration timeout)
    : command_{std::move(command)}, timeout_{timeout} {}

BackupVerification::~BackupVerification() {
  const auto work = work_.lock();
  if (!work) return;
  work->on_end = nullptr;
  work->cancel.emit(asio::cancellation_type::terminal);
}

bool BackupVerification::under_way() const { return ending_ != nullptr && ending_->running; }

std::shared_ptr<BackupVerification::Work> BackupVerification::start(
    CheckContext& context, const FoundFile& file, asio::any_io_executor executor) {
  ending_ = std::make_shared<Ending>();
  ending_->file = identity_of(file);
  const auto work = std::make_shared<Work>(executor, ending_);
  work_ = work;
  CommandRequest request;
  request.command = command_for(command_, file.path);
  request.output_bytes_max = limits::plugin_output_bytes;
  request.deadline = context.clock.steady() + timeout_;
  auto at_end = [work](std::exception_ptr) {
    work->ended.raise();
    if (work->on_end) work->on_end();
  };
  asio::co_spawn(executor, Work::run(context.processes, std::move(request), work),
                 asio::bind_cancellation_slot(work->cancel.slot(), std::move(at_end)));
  return work;
}

void BackupVerification::take() {
  if (ending_ == nullptr || ending_->running) return;
  if (ending_->outcome) {
    verdict_ = judge_command(program_of(command_), *ending_->outcome);
    verdict_->file = ending_->file;
  }
  ending_.reset();
}

asio::awaitable<void> BackupVerification::look_at(CheckContext& context, FoundFile file) {
  if (!wanted()) co_return;
  take();
  const bool done = verdict_ && verdict_->final && verdict_->file == identity_of(file);
  if (done || under_way()) co_return;
  const auto executor = co_await asio::this_coro::executor;
  const auto work = start(context, file, executor);
  const auto until = reply_by(context);
  while (work->ending->running && context.clock.steady() < until)
    co_await work->ended.wait_until(context.clock, until);
  take();
  // What `nudge` refers to outlives the check; the context does not.
  if (under_way()) work->on_end = [nudge = &context.nudge] { (*nudge)(); };
}

std::string BackupVerification::to_text() const {
  if (!verdict_ || !verdict_->final) return "";
  // A path may hold anything but a line's end, so that it comes last.
  if (verdict_->file.find('\n') != std::string::npos) return "";
  return std::string{verdict_->good ? "good" : "bad"} + " " + verdict_->file + "\n" +
         std::string{said_mark} + verdict_->words;
}

void BackupVerification::read(std::string_view text) {
  const auto line = take_line(text);
  Words words{line};
  const auto result = words.next();
  if (result != "good" && result != "bad") return;
  Verdict verdict;
  verdict.good = result == "good";
  verdict.file = line.substr(result.size() + 1);
  const auto kept = take_line(text);
  verdict.words = starts_with(kept, said_mark)
                      ? cut_characters(clean_utf8(kept.substr(said_mark.size())), words_characters)
                      : std::string{"it was "} + (verdict.good ? "good" : "bad") +
                            " before the agent was started";
  verdict_ = std::move(verdict);
}

}  // namespace tocsin::checks
