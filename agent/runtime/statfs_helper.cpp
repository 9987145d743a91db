#include "agent/runtime/statfs_helper.hpp"

#include <pthread.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "agent/runtime/file_finder.hpp"

namespace tocsin::runtime {
namespace {

constexpr std::size_t stack_bytes = 64u << 10;

/// Shared by the reader and its workers; a worker that hangs keeps it alive.
struct Office {
  Office(int descriptor, StatvfsFunction call) : fd{descriptor}, ask_kernel{std::move(call)} {}

  const int fd;
  const StatvfsFunction ask_kernel;
  std::mutex mutex;
  std::condition_variable arrived;
  std::deque<StatfsQuestion> questions;  ///< At most as many as there are idle workers.
  std::size_t workers{0};
  std::size_t idle{0};
  bool closing{false};
};

void send_answer(int fd, const StatfsAnswer& answer) {
  while (::send(fd, &answer, sizeof answer, MSG_NOSIGNAL) < 0 && errno == EINTR) {
  }
}

void find_and_send(int fd, const StatfsQuestion& question) {
  StatfsAnswer answer;
  answer.id = question.id;
  std::string packet{reinterpret_cast<const char*>(&answer), sizeof answer};
  packet += pack(find_files_here(question.path));
  while (::send(fd, packet.data(), packet.size(), MSG_NOSIGNAL) < 0) {
    if (errno == EINTR) continue;
    answer.failed_with = errno;
    send_answer(fd, answer);
    return;
  }
}

StatfsAnswer find_out(const Office& office, const StatfsQuestion& question) {
  StatfsAnswer answer;
  answer.id = question.id;
  struct statvfs found {};
  if (office.ask_kernel(question.path, &found) != 0) {
    answer.failed_with = errno;
    return answer;
  }
  answer.read_only = (found.f_flag & ST_RDONLY) != 0 ? 1 : 0;
  answer.block_bytes = found.f_frsize;
  answer.blocks = found.f_blocks;
  answer.blocks_free = found.f_bfree;
  answer.blocks_available = found.f_bavail;
  answer.inodes = found.f_files;
  answer.inodes_free = found.f_ffree;
  return answer;
}

void* work(void* raw) {
  const std::unique_ptr<std::shared_ptr<Office>> owned{static_cast<std::shared_ptr<Office>*>(raw)};
  Office& office = **owned;
  std::unique_lock hold{office.mutex};
  for (;;) {
    office.arrived.wait(hold, [&] { return office.closing || !office.questions.empty(); });
    if (office.closing) return nullptr;
    const auto question = office.questions.front();
    office.questions.pop_front();
    --office.idle;
    hold.unlock();
    switch (question.call) {
      case HelperCall::statvfs:
        send_answer(office.fd, find_out(office, question));
        break;
      case HelperCall::find_files:
        find_and_send(office.fd, question);
        break;
    }
    hold.lock();
    ++office.idle;
  }
}

bool hire(const std::shared_ptr<Office>& office) {
  pthread_attr_t attributes;
  ::pthread_attr_init(&attributes);
  ::pthread_attr_setstacksize(&attributes, stack_bytes);
  ::pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  auto given = std::make_unique<std::shared_ptr<Office>>(office);
  pthread_t thread{};
  const bool hired = ::pthread_create(&thread, &attributes, &work, given.get()) == 0;
  if (hired) given.release();  // The thread's now.
  ::pthread_attr_destroy(&attributes);
  return hired;
}

/// Hands the question to a worker; false when none is to be had.
bool hand_over(const std::shared_ptr<Office>& office, const StatfsQuestion& question) {
  const std::lock_guard hold{office->mutex};
  if (office->idle <= office->questions.size()) {
    if (office->workers == statfs_calls_at_once || !hire(office)) return false;
    ++office->workers;
    ++office->idle;
  }
  office->questions.push_back(question);
  office->arrived.notify_one();
  return true;
}

}  // namespace

int run_statfs_helper(int fd) {
  ::prctl(PR_SET_NAME, "tocsin-statfs");
  const int code = run_statfs_helper(
      fd, [](const char* path, struct statvfs* into) { return ::statvfs(path, into); });
  ::_exit(code);  // Without destructors: threads may hang in the kernel for good.
}

int run_statfs_helper(int fd, StatvfsFunction statvfs_function) {
  const auto office = std::make_shared<Office>(fd, std::move(statvfs_function));
  StatfsQuestion question;
  for (;;) {
    const auto got = ::recv(fd, &question, sizeof question, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    if (static_cast<std::size_t>(got) <= offsetof(StatfsQuestion, path)) continue;
    question.path[sizeof question.path - 1] = '\0';
    if (hand_over(office, question)) continue;
    StatfsAnswer refusal;
    refusal.id = question.id;
    refusal.failed_with = EBUSY;
    send_answer(fd, refusal);
  }
  const std::lock_guard hold{office->mutex};
  office->closing = true;
  office->arrived.notify_all();
  return 0;
}

}  // namespace tocsin::runtime
