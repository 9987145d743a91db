#include "agent/runtime/helper_process.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <boost/asio/bind_cancellation_slot.hpp>

#include "agent/runtime/statfs_helper.hpp"
#include "tests/fakes/fake_host.hpp"
#include "tests/fakes/manual_clock.hpp"
#include "tests/unit/runtime/descriptors.hpp"

namespace tocsin::runtime {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

/// A kernel where "/hang…" returns only when a byte can be read from a pipe, and "/missing" does
/// not exist.
struct FakeKernel {
  FakeKernel() {
    if (::pipe2(gate, O_CLOEXEC) != 0) std::abort();
    if (::pipe2(entered, O_CLOEXEC) != 0) std::abort();
  }
  ~FakeKernel() {
    for (const int end : {gate[0], gate[1], entered[0], entered[1]}) ::close(end);
  }
  int statvfs(const char* path, struct statvfs* into) const {
    std::memset(into, 0, sizeof *into);
    if (std::strncmp(path, "/hang", 5) == 0) {
      char byte = 'x';
      if (::write(entered[1], &byte, 1) != 1) std::abort();
      while (::read(gate[0], &byte, 1) < 0 && errno == EINTR) {
      }
    }
    if (std::strcmp(path, "/missing") == 0) {
      errno = ENOENT;
      return -1;
    }
    into->f_frsize = 4096;
    into->f_blocks = 1000;
    into->f_bfree = 500;
    into->f_bavail = 400;
    into->f_files = 100;
    into->f_ffree = 60;
    into->f_flag = std::strcmp(path, "/read-only") == 0 ? ST_RDONLY : 0;
    return 0;
  }
  /// Waits until `calls` more calls hang.
  void wait_for_hanging(int calls) const {
    for (char byte = 0; calls > 0; --calls) {
      if (::read(entered[0], &byte, 1) != 1) std::abort();
    }
  }
  void let_go(int calls) const {
    const std::string bytes(static_cast<std::size_t>(calls), 'g');
    if (::write(gate[1], bytes.data(), bytes.size()) < 0) std::abort();
  }
  int gate[2];
  int entered[2];
};

/// The helper's loop runs on a thread of the test, with a kernel that hangs on demand.
class HelperProcessTest : public testing::Test {
 protected:
  HelperProcessTest() {
    helper = std::make_unique<RealHelperProcess>(
        loop.get_executor(), clock,
        [this](Descriptor end) -> Result<int> {
          ++starts;
          threads.emplace_back([this, fd = end.release()] {
            run_statfs_helper(fd, [this](const char* path, struct statvfs* into) {
              return kernel.statvfs(path, into);
            });
            ::close(fd);
          });
          return 0;
        },
        [](const std::string&) { return false; });
  }
  ~HelperProcessTest() override {
    helper.reset();
    for (auto& thread : threads) thread.join();
  }
  struct Asked {
    std::optional<Result<FileSystemUsage>> answer;
    bool ended{false};
  };
  std::shared_ptr<Asked> ask(const std::string& mount, Duration within = 5s) {
    auto asked = std::make_shared<Asked>();
    auto work =
        fakes::keep(helper->file_system_usage(mount, clock.steady() + within), asked->answer);
    asio::co_spawn(loop, std::move(work), [asked](std::exception_ptr) { asked->ended = true; });
    fakes::settle(loop);
    return asked;
  }
  void wait_for(const Asked& asked) {
    loop.restart();
    while (!asked.ended && loop.run_one() > 0) {
    }
    ASSERT_TRUE(asked.answer);
  }

  FakeKernel kernel;
  fakes::ManualClock clock;
  asio::io_context loop{1};
  std::vector<std::thread> threads;
  int starts{0};
  std::unique_ptr<RealHelperProcess> helper;
};

TEST_F(HelperProcessTest, IsStartedWhenFirstNeededAndAnswers) {
  EXPECT_EQ(starts, 0);
  const auto asked = ask("/data");
  wait_for(*asked);
  ASSERT_TRUE(*asked->answer);
  const auto& usage = **asked->answer;
  EXPECT_EQ(usage.block_bytes, 4096u);
  EXPECT_EQ(usage.blocks, 1000u);
  EXPECT_EQ(usage.blocks_free, 500u);
  EXPECT_EQ(usage.blocks_available, 400u);
  EXPECT_EQ(usage.inodes, 100u);
  EXPECT_EQ(usage.inodes_free, 60u);
  EXPECT_FALSE(usage.read_only);
  const auto other = ask("/read-only");
  wait_for(*other);
  EXPECT_TRUE((**other->answer).read_only);
  EXPECT_EQ(starts, 1);
}

TEST_F(HelperProcessTest, TellsWhatDoesNotExist) {
  const auto asked = ask("/missing");
  wait_for(*asked);
  EXPECT_EQ(asked->answer->error().code, Errc::missing);
  EXPECT_THAT(asked->answer->error().detail, HasSubstr("/missing"));
}

TEST_F(HelperProcessTest, AHungPathIsStuckAtOnceAndOthersGoOn) {
  const auto first = ask("/hang/a");
  kernel.wait_for_hanging(1);
  const auto other = ask("/data");
  wait_for(*other);
  EXPECT_TRUE(*other->answer);
  EXPECT_FALSE(first->ended);
  clock.advance(5s);
  wait_for(*first);
  EXPECT_EQ(first->answer->error().code, Errc::stuck);
  EXPECT_THAT(first->answer->error().detail, HasSubstr("/hang/a has not returned for 5s"));

  const auto again = ask("/hang/a");
  fakes::settle(loop);
  ASSERT_TRUE(again->ended) << "at once, without waiting";
  EXPECT_EQ(again->answer->error().code, Errc::stuck);

  kernel.let_go(1);
  // The late answer is taken when another one is.
  const auto after = ask("/data");
  wait_for(*after);
  for (;;) {
    const auto fresh = ask("/hang/a");
    if (fresh->ended) continue;  // Still stuck: its answer is under way.
    kernel.wait_for_hanging(1);
    kernel.let_go(1);
    wait_for(*fresh);
    EXPECT_TRUE(*fresh->answer);
    break;
  }
}

TEST_F(HelperProcessTest, IsStuckAtOnceEvenIfTheFirstAskerWasCutOff) {
  asio::cancellation_signal cancel;
  std::optional<Result<FileSystemUsage>> none;
  auto work = fakes::keep(helper->file_system_usage("/hang/a", clock.steady() + 5s), none);
  asio::co_spawn(loop, std::move(work),
                 asio::bind_cancellation_slot(cancel.slot(), [](std::exception_ptr) {}));
  fakes::settle(loop);
  kernel.wait_for_hanging(1);
  cancel.emit(asio::cancellation_type::all);
  fakes::settle(loop);
  clock.advance(5s);
  const auto again = ask("/hang/a");
  fakes::settle(loop);
  ASSERT_TRUE(again->ended);
  EXPECT_EQ(again->answer->error().code, Errc::stuck);
  kernel.let_go(1);
}

TEST_F(HelperProcessTest, TwoAskersShareOneCall) {
  const auto first = ask("/hang/a");
  const auto second = ask("/hang/a");
  kernel.wait_for_hanging(1);
  kernel.let_go(1);
  wait_for(*first);
  wait_for(*second);
  EXPECT_TRUE(*first->answer);
  EXPECT_TRUE(*second->answer);
}

TEST_F(HelperProcessTest, BoundsTheCallsThatHang) {
  std::vector<std::shared_ptr<Asked>> hanging;
  for (std::size_t i = 0; i < statfs_calls_at_once; ++i) {
    hanging.push_back(ask("/hang/" + std::to_string(i)));
  }
  kernel.wait_for_hanging(static_cast<int>(statfs_calls_at_once));
  const auto refused = ask("/data");
  wait_for(*refused);
  EXPECT_EQ(refused->answer->error().code, Errc::stuck);
  kernel.let_go(static_cast<int>(statfs_calls_at_once));
  for (const auto& asked : hanging) wait_for(*asked);
  const auto after = ask("/data");
  wait_for(*after);
  EXPECT_TRUE(*after->answer);
}

TEST_F(HelperProcessTest, RefusesAPathThatCannotBe) {
  const auto asked = ask("/" + std::string(5000, 'x'));
  fakes::settle(loop);
  ASSERT_TRUE(asked->ended);
  EXPECT_EQ(asked->answer->error().code, Errc::too_large);
}

TEST_F(HelperProcessTest, LooksForFiles) {
  fakes::FixtureRoot root;
  root.write("/b/one.dump", "12345");
  const auto pattern = root.folder() + "/b/*.dump";
  std::optional<Result<FoundFiles>> files;
  auto work = fakes::keep(helper->find_files(pattern, clock.steady() + 5s), files);
  asio::co_spawn(loop, std::move(work), [](std::exception_ptr) {});
  while (!files && loop.run_one() > 0) {
  }
  ASSERT_TRUE(*files) << files->error().detail;
  ASSERT_EQ((*files)->newest.size(), 1u);
  EXPECT_EQ((*files)->newest.front().path, root.folder() + "/b/one.dump");
  EXPECT_EQ((*files)->newest.front().bytes, 5u);

  // A mount of that name is another question, and answers of any size find their way.
  const auto usage = ask(root.folder());
  wait_for(*usage);
  EXPECT_TRUE(*usage->answer);
}

TEST_F(HelperProcessTest, LooksBelowTheRootOnly) {
  const auto outcome = fakes::run_to_end(loop, helper->find_files("b/*.dump", clock.steady() + 5s));
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, Errc::malformed);
  EXPECT_EQ(starts, 0);
}

TEST_F(HelperProcessTest, SaysWhereLookingFailed) {
  const auto pattern = "/" + std::string(300, 'x') + "/*";
  std::optional<Result<FoundFiles>> files;
  auto work = fakes::keep(helper->find_files(pattern, clock.steady() + 5s), files);
  asio::co_spawn(loop, std::move(work), [](std::exception_ptr) {});
  while (!files && loop.run_one() > 0) {
  }
  ASSERT_FALSE(*files);
  EXPECT_EQ(files->error().code, Errc::unreadable);
  EXPECT_THAT(files->error().detail, HasSubstr("xxx cannot be read: File name too long"));
}

/// The same with a real process, which a test may kill.
class ForkedHelperTest : public testing::Test {
 protected:
  void wait_for(const bool& ended) {
    loop.restart();
    while (!ended && loop.run_one() > 0) {
    }
    ASSERT_TRUE(ended);
  }
  Result<FileSystemUsage> ask(RealHelperProcess& helper, const std::string& mount) {
    return fakes::run_to_end(loop, helper.file_system_usage(mount, clock.steady() + 5s));
  }
  static Result<int> fork_helper(Descriptor end) {
    const auto child = ::fork();
    if (child == 0) run_statfs_helper(end.raw());
    return static_cast<int>(child);
  }
  fakes::ManualClock clock;
  asio::io_context loop{1};
};

TEST_F(ForkedHelperTest, IsStartedAgainWhenItDied) {
#ifdef __SANITIZE_THREAD__
  GTEST_SKIP() << "the thread sanitizer allows no threads in a forked process";
#endif
  {
    const RealHelperProcess unused{loop.get_executor(), clock};  // The loop's own descriptors.
  }
  const auto before = open_descriptors();
  {
    RealHelperProcess helper{loop.get_executor(), clock, &fork_helper,
                             [](const std::string&) { return false; }};
    ASSERT_TRUE(ask(helper, "/"));
    const int first = helper.pid();
    ASSERT_GT(first, 0);
    ::kill(first, SIGKILL);
    loop.restart();
    while (helper.pid() == first) loop.run_one();  // The end of the socket is noticed.
    EXPECT_EQ(ask(helper, "/").error().code, Errc::disconnected) << "not more than once a second";
    clock.advance(1s);
    ASSERT_TRUE(ask(helper, "/"));
    EXPECT_NE(helper.pid(), first);
    siginfo_t child{};
    while (::waitid(P_PID, static_cast<id_t>(first), &child, WEXITED | WNOHANG | WNOWAIT) == 0) {
      loop.run_one();  // Until it is reaped.
    }
  }
  while (::waitpid(-1, nullptr, 0) >
         0) {  // The second one was killed, and is a zombie for a moment.
  }
  fakes::settle(loop);
  EXPECT_LE(open_descriptors(), before);
}

TEST_F(ForkedHelperTest, AnswersDirectlyWhereNothingCanHang) {
  RealHelperProcess helper{loop.get_executor(), clock,
                           [](Descriptor) -> Result<int> {
                             ADD_FAILURE() << "no helper is needed";
                             return 0;
                           },
                           [](const std::string& mount) { return mount == "/"; }};
  struct statvfs expected {};
  ASSERT_EQ(::statvfs("/", &expected), 0);
  const auto usage = ask(helper, "/");
  ASSERT_TRUE(usage);
  EXPECT_EQ(usage->blocks, expected.f_blocks);
  EXPECT_EQ(usage->block_bytes, expected.f_frsize);
}

}  // namespace
}  // namespace tocsin::runtime
