#include "agent/runtime/helper_process.hpp"

#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include <boost/asio/posix/stream_descriptor.hpp>

#include "agent/runtime/exit_watch.hpp"
#include "agent/runtime/file_finder.hpp"
#include "agent/runtime/mount_table.hpp"
#include "agent/runtime/pidfd.hpp"
#include "agent/runtime/statfs_helper.hpp"
#include "tocsin/async/wakeup.hpp"
#include "tocsin/base/limits.hpp"

namespace tocsin::runtime {
namespace {

using namespace std::chrono_literals;

constexpr Duration between_starts = 1s;

/// What was asked: at most one call of it is in the helper.
struct Question {
  HelperCall call{};
  std::string path{};
  friend auto operator<=>(const Question&, const Question&) = default;
};
using Answer = std::variant<FileSystemUsage, FoundFiles>;

std::string describe(const Question& question) {
  switch (question.call) {
    case HelperCall::statvfs:
      return "statvfs of " + question.path;
    case HelperCall::find_files:
      return "looking for " + question.path;
  }
  return question.path;
}

Error error_of(int number, const Question& question) {
  if (number == EBUSY) {
    return {Errc::stuck, describe(question) + " was not tried: " +
                             std::to_string(statfs_calls_at_once) + " calls of other mounts hang"};
  }
  return error_from_errno(number, describe(question));
}
Error statvfs_error(int number, const std::string& mount) {
  return error_of(number, {HelperCall::statvfs, mount});
}

FileSystemUsage usage_of(const StatfsAnswer& answer) {
  FileSystemUsage usage;
  usage.block_bytes = answer.block_bytes;
  usage.blocks = answer.blocks;
  usage.blocks_free = answer.blocks_free;
  usage.blocks_available = answer.blocks_available;
  usage.inodes = answer.inodes;
  usage.inodes_free = answer.inodes_free;
  usage.read_only = answer.read_only != 0;
  return usage;
}

Result<FoundFiles> files_of(std::string_view packed, const Question& question) {
  auto finding = unpack(packed);
  if (!finding) return std::move(finding).error();
  if (finding->failed_with == E2BIG) {
    return Error{Errc::too_large, describe(question) + " was given up: there are more than " +
                                      std::to_string(limits::folder_entries) + " entries, up to " +
                                      finding->failed_at + ": move old ones elsewhere"};
  }
  if (finding->failed_with != 0) {
    return Error{Errc::unreadable,
                 finding->failed_at + " cannot be read: " + errno_words(finding->failed_with)};
  }
  return std::move(finding->files);
}

/// `rest` is what followed the header.
Result<Answer> read_answer(const Question& question, const StatfsAnswer& header,
                           std::string_view rest) {
  if (header.failed_with != 0) return error_of(header.failed_with, question);
  switch (question.call) {
    case HelperCall::statvfs:
      return Answer{usage_of(header)};
    case HelperCall::find_files: {
      auto files = files_of(rest, question);
      if (!files) return std::move(files).error();
      return Answer{*std::move(files)};
    }
  }
  return Error{Errc::internal, "nothing was asked"};
}

Result<FileSystemUsage> ask_directly(const std::string& mount) {
  struct statvfs found {};
  if (::statvfs(mount.c_str(), &found) != 0) return statvfs_error(errno, mount);
  return FileSystemUsage{found.f_frsize,
                         found.f_blocks,
                         found.f_bfree,
                         found.f_bavail,
                         found.f_files,
                         found.f_ffree,
                         (found.f_flag & ST_RDONLY) != 0};
}

}  // namespace

Result<int> start_helper_process(Descriptor helper_end) {
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, helper_end.raw(), statfs_helper_descriptor);
  ::posix_spawn_file_actions_addclosefrom_np(&actions, statfs_helper_descriptor + 1);
  ::posix_spawn_file_actions_addchdir_np(&actions, "/");
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  ::posix_spawnattr_setflags(
      &attributes,
      static_cast<short>(POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK));
  sigset_t signals;
  ::sigfillset(&signals);
  ::posix_spawnattr_setsigdefault(&attributes, &signals);
  ::sigemptyset(&signals);
  ::posix_spawnattr_setsigmask(&attributes, &signals);
  std::string name{"tocsin"}, argument{statfs_helper_argument};
  char* const arguments[] = {name.data(), argument.data(), nullptr};
  char* const environment[] = {nullptr};
  pid_t pid = 0;
  const int failed =
      ::posix_spawn(&pid, "/proc/self/exe", &actions, &attributes, arguments, environment);
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) return error_from_errno(failed, "starting the helper process");
  return static_cast<int>(pid);
}

/// A question whose call is in the helper, and everybody who waits for its answer.
struct Pending {
  std::uint64_t id{};
  SteadyTime asked{};
  SteadyTime deadline{};  ///< The first of those who waited; past it the question is stuck until
                          ///< the call returns.
  std::optional<Result<Answer>> answer{};
  std::vector<Wakeup*> waiting{};
};

struct RealHelperProcess::Impl : std::enable_shared_from_this<Impl> {
  Impl(asio::any_io_executor on, Clock& time, StartHelper begin,
       std::function<bool(const std::string&)> at_once)
      : executor{std::move(on)},
        clock{time},
        start{std::move(begin)},
        answers_at_once{std::move(at_once)},
        socket{executor} {}

  Result<void> ensure_helper();
  Result<std::shared_ptr<Pending>> ask(const Question& question);
  static Task<Answer> answer_to(std::shared_ptr<Impl> self, Question question, SteadyTime deadline);
  void wait_for_answers();
  bool take_answer();
  void lose_helper();
  void watch_helper();
  void settle(Pending& pending, Result<Answer> answer);

  asio::any_io_executor executor;
  Clock& clock;
  StartHelper start;
  std::function<bool(const std::string&)> answers_at_once;
  asio::posix::stream_descriptor socket;
  int pid{0};
  /// Helpers not yet reaped; a killed one stays here as long as its threads hang in the kernel.
  std::map<int, std::unique_ptr<Processes::Watch>> helpers;
  std::uint64_t last_id{0};
  std::optional<SteadyTime> started;
  /// Bounded by the mounts and patterns that are checked.
  std::map<Question, std::shared_ptr<Pending>> pending;
  std::vector<char> packet = std::vector<char>(sizeof(StatfsAnswer));  ///< As large as answers get.
};

RealHelperProcess::RealHelperProcess(asio::any_io_executor executor, Clock& clock)
    : RealHelperProcess{std::move(executor), clock, &start_helper_process,
                        [table = std::make_shared<MountTable>()](const std::string& mount) {
                          return table->answers(mount);
                        }} {}

RealHelperProcess::RealHelperProcess(asio::any_io_executor executor, Clock& clock,
                                     StartHelper start,
                                     std::function<bool(const std::string& mount)> answers_at_once)
    : impl_{std::make_shared<Impl>(std::move(executor), clock, std::move(start),
                                   std::move(answers_at_once))} {}

RealHelperProcess::~RealHelperProcess() {
  boost::system::error_code ignored;
  impl_->socket.close(ignored);  // The helper sees the end and goes; one that hangs is killed.
  if (impl_->pid > 0) {
    ::kill(impl_->pid, SIGKILL);
    ::waitpid(impl_->pid, nullptr, WNOHANG);
  }
}

int RealHelperProcess::pid() const noexcept { return impl_->pid; }

void RealHelperProcess::Impl::watch_helper() {
  auto pidfd = open_pidfd(pid);
  if (!pidfd) return;  // An old kernel: the zombie of a helper that dies stays until we end.
  auto reap = [weak = weak_from_this(), helper = pid] {
    ::waitpid(helper, nullptr, WNOHANG);
    if (const auto self = weak.lock()) self->helpers.erase(helper);
  };
  helpers.emplace(pid, make_exit_watch(executor, *std::move(pidfd), std::move(reap)));
}

Result<void> RealHelperProcess::Impl::ensure_helper() {
  if (socket.is_open()) return {};
  const auto now = clock.steady();
  if (started && now - *started < between_starts) {
    return Error{Errc::disconnected, "the helper process has just died and is started again soon"};
  }
  started = now;
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
    return error_from_errno(errno, "making a socket pair");
  }
  Descriptor ours{ends[0]}, theirs{ends[1]};
  auto begun = start(std::move(theirs));
  if (!begun) return std::move(begun).error();
  pid = *begun;
  if (pid > 0) watch_helper();
  socket.assign(ours.release());
  wait_for_answers();
  return {};
}

Result<std::shared_ptr<Pending>> RealHelperProcess::Impl::ask(const Question& question) {
  const auto& path = question.path;
  StatfsQuestion sent;
  if (path.size() >= sizeof sent.path) {
    return Error{Errc::too_large, "the path is longer than " +
                                      std::to_string(sizeof sent.path - 1) +
                                      " bytes: " + path.substr(0, 80) + "…"};
  }
  auto ready = ensure_helper();
  if (!ready) return ready.error();
  if (question.call == HelperCall::find_files)
    packet.resize(sizeof(StatfsAnswer) + packed_bytes_max);
  sent.id = ++last_id;
  sent.call = question.call;
  std::memcpy(sent.path, path.c_str(), path.size() + 1);
  const auto bytes = offsetof(StatfsQuestion, path) + path.size() + 1;
  if (::send(socket.native_handle(), &sent, bytes, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
    const int number = errno;
    if (number != EAGAIN) lose_helper();
    return error_from_errno(number, "asking the helper process about " + path);
  }
  auto entry = std::make_shared<Pending>();
  entry->id = sent.id;
  entry->asked = clock.steady();
  pending.insert_or_assign(question, entry);
  return entry;
}

void RealHelperProcess::Impl::wait_for_answers() {
  socket.async_wait(asio::posix::descriptor_base::wait_read,
                    [weak = weak_from_this()](const boost::system::error_code& fault) {
                      const auto self = weak.lock();
                      if (fault || !self) return;
                      while (self->take_answer()) {
                      }
                      if (self->socket.is_open()) self->wait_for_answers();
                    });
}

bool RealHelperProcess::Impl::take_answer() {
  const auto got = ::recv(socket.native_handle(), packet.data(), packet.size(), MSG_DONTWAIT);
  if (got < 0 && errno == EINTR) return true;
  if (got < 0 && errno == EAGAIN) return false;
  StatfsAnswer answer;
  if (got < static_cast<ssize_t>(sizeof answer)) {
    lose_helper();
    return false;
  }
  std::memcpy(&answer, packet.data(), sizeof answer);
  const std::string_view rest{packet.data() + sizeof answer,
                              static_cast<std::size_t>(got) - sizeof answer};
  for (auto entry = pending.begin(); entry != pending.end(); ++entry) {
    if (entry->second->id != answer.id) continue;
    const auto found = entry->second;
    const auto question = entry->first;
    pending.erase(entry);
    settle(*found, read_answer(question, answer, rest));
    break;
  }
  return true;
}

void RealHelperProcess::Impl::settle(Pending& entry, Result<Answer> answer) {
  entry.answer.emplace(std::move(answer));
  for (auto* const waiting : entry.waiting) waiting->raise();
}

void RealHelperProcess::Impl::lose_helper() {
  boost::system::error_code ignored;
  socket.close(ignored);
  if (pid > 0) ::kill(std::exchange(pid, 0), SIGKILL);
  const auto lost = std::exchange(pending, {});
  for (const auto& [question, entry] : lost) {
    settle(*entry, Error{Errc::disconnected,
                         "the helper process died while it asked about " + question.path});
  }
}

namespace {

class AmongWaiting {
 public:
  AmongWaiting(Pending& pending, Wakeup& bell) : pending_{pending}, bell_{bell} {
    pending_.waiting.push_back(&bell_);
  }
  ~AmongWaiting() { std::erase(pending_.waiting, &bell_); }
  AmongWaiting(const AmongWaiting&) = delete;
  AmongWaiting& operator=(const AmongWaiting&) = delete;

 private:
  Pending& pending_;
  Wakeup& bell_;
};

}  // namespace

Task<Answer> RealHelperProcess::Impl::answer_to(std::shared_ptr<Impl> self, Question question,
                                                SteadyTime deadline) {
  const auto known = self->pending.find(question);
  std::shared_ptr<Pending> pending;
  if (known != self->pending.end()) {
    pending = known->second;
  } else {
    auto asked = self->ask(question);
    if (!asked) co_return std::move(asked).error();
    pending = *std::move(asked);
    pending->deadline = deadline;
  }
  pending->deadline = std::min(pending->deadline, deadline);
  {
    Wakeup bell{self->executor};
    const AmongWaiting waiting{*pending, bell};
    while (!pending->answer && self->clock.steady() < pending->deadline) {
      co_await bell.wait_until(self->clock, pending->deadline);
    }
  }
  if (pending->answer) co_return *pending->answer;
  co_return Error{Errc::stuck, describe(question) + " has not returned for " +
                                   tocsin::describe(self->clock.steady() - pending->asked) +
                                   ": the mount may be dead"};
}

Task<FileSystemUsage> RealHelperProcess::file_system_usage(std::string mount, SteadyTime deadline) {
  const auto impl = impl_;
  Question question{HelperCall::statvfs, std::move(mount)};
  if (impl->pending.count(question) == 0 && impl->answers_at_once(question.path))
    co_return ask_directly(question.path);
  auto asking = Impl::answer_to(impl, std::move(question), deadline);
  auto answer = co_await std::move(asking);
  if (!answer) co_return std::move(answer).error();
  co_return std::get<FileSystemUsage>(*std::move(answer));
}

Task<FoundFiles> RealHelperProcess::find_files(std::string pattern, SteadyTime deadline) {
  if (pattern.empty() || pattern.front() != '/')
    co_return Error{Errc::malformed, "'" + pattern + "' is not an absolute path"};
  Question question{HelperCall::find_files, std::move(pattern)};
  auto asking = Impl::answer_to(impl_, std::move(question), deadline);
  auto answer = co_await std::move(asking);
  if (!answer) co_return std::move(answer).error();
  co_return std::get<FoundFiles>(*std::move(answer));
}

}  // namespace tocsin::runtime
