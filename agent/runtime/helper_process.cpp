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
#include <vector>

#include <boost/asio/posix/stream_descriptor.hpp>

#include "agent/runtime/exit_watch.hpp"
#include "agent/runtime/mount_table.hpp"
#include "agent/runtime/pidfd.hpp"
#include "agent/runtime/statfs_helper.hpp"
#include "tocsin/async/wakeup.hpp"

namespace tocsin::runtime {
namespace {

using namespace std::chrono_literals;

constexpr Duration between_starts = 1s;

Error statvfs_error(int number, const std::string& mount) {
  if (number == EBUSY) {
    return {Errc::stuck, "statvfs of " + mount + " was not tried: " +
                             std::to_string(statfs_calls_at_once) + " calls of other mounts hang"};
  }
  return error_from_errno(number, "statvfs of " + mount);
}

Result<FileSystemUsage> usage_of(const StatfsAnswer& answer, const std::string& mount) {
  if (answer.failed_with != 0) return statvfs_error(answer.failed_with, mount);
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

/// One path whose call is in the helper, and everybody who waits for its answer.
struct Pending {
  std::uint64_t id{};
  SteadyTime asked{};
  SteadyTime deadline{};  ///< The first of those who waited; past it the path is stuck until the
                          ///< call returns.
  std::optional<Result<FileSystemUsage>> answer{};
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
  Result<std::shared_ptr<Pending>> ask(const std::string& mount);
  void wait_for_answers();
  bool take_answer();
  void lose_helper();
  void watch_helper();
  void settle(Pending& pending, Result<FileSystemUsage> answer);

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
  std::map<std::string, std::shared_ptr<Pending>>
      pending;  ///< One a path: bounded by the mounts that are checked.
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

Result<std::shared_ptr<Pending>> RealHelperProcess::Impl::ask(const std::string& mount) {
  StatfsQuestion question;
  if (mount.size() >= sizeof question.path) {
    return Error{Errc::too_large, "the path is longer than " +
                                      std::to_string(sizeof question.path - 1) +
                                      " bytes: " + mount.substr(0, 80) + "…"};
  }
  auto ready = ensure_helper();
  if (!ready) return ready.error();
  question.id = ++last_id;
  std::memcpy(question.path, mount.c_str(), mount.size() + 1);
  const auto bytes = offsetof(StatfsQuestion, path) + mount.size() + 1;
  if (::send(socket.native_handle(), &question, bytes, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
    const int number = errno;
    if (number != EAGAIN) lose_helper();
    return error_from_errno(number, "asking the helper process about " + mount);
  }
  auto entry = std::make_shared<Pending>();
  entry->id = question.id;
  entry->asked = clock.steady();
  pending.insert_or_assign(mount, entry);
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
  StatfsAnswer answer;
  const auto got = ::recv(socket.native_handle(), &answer, sizeof answer, MSG_DONTWAIT);
  if (got < 0 && errno == EINTR) return true;
  if (got < 0 && errno == EAGAIN) return false;
  if (got != sizeof answer) {
    lose_helper();
    return false;
  }
  for (auto entry = pending.begin(); entry != pending.end(); ++entry) {
    if (entry->second->id != answer.id) continue;
    const auto found = entry->second;
    const auto mount = entry->first;
    pending.erase(entry);
    settle(*found, usage_of(answer, mount));
    break;
  }
  return true;
}

void RealHelperProcess::Impl::settle(Pending& entry, Result<FileSystemUsage> answer) {
  entry.answer.emplace(std::move(answer));
  for (auto* const waiting : entry.waiting) waiting->raise();
}

void RealHelperProcess::Impl::lose_helper() {
  boost::system::error_code ignored;
  socket.close(ignored);
  if (pid > 0) ::kill(std::exchange(pid, 0), SIGKILL);
  const auto lost = std::exchange(pending, {});
  for (const auto& [mount, entry] : lost) {
    settle(*entry,
           Error{Errc::disconnected, "the helper process died while it asked about " + mount});
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

Task<FileSystemUsage> RealHelperProcess::file_system_usage(std::string mount, SteadyTime deadline) {
  const auto impl = impl_;
  const auto known = impl->pending.find(mount);
  std::shared_ptr<Pending> pending;
  if (known != impl->pending.end()) {
    pending = known->second;
  } else {
    if (impl->answers_at_once(mount)) co_return ask_directly(mount);
    auto asked = impl->ask(mount);
    if (!asked) co_return std::move(asked).error();
    pending = *std::move(asked);
    pending->deadline = deadline;
  }
  pending->deadline = std::min(pending->deadline, deadline);
  {
    Wakeup bell{impl->executor};
    const AmongWaiting waiting{*pending, bell};
    while (!pending->answer && impl->clock.steady() < pending->deadline) {
      co_await bell.wait_until(impl->clock, pending->deadline);
    }
  }
  if (pending->answer) co_return *pending->answer;
  co_return Error{Errc::stuck, "statvfs of " + mount + " has not returned for " +
                                   describe(impl->clock.steady() - pending->asked) +
                                   ": the mount may be dead"};
}

Task<FoundFiles> RealHelperProcess::find_files(std::string pattern, SteadyTime /*deadline*/) {
  co_return Error{Errc::unsupported, "looking for " + pattern + " is not offered here"};
}

}  // namespace tocsin::runtime
