#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "agent/runtime/host_files.hpp"
#include "tests/fakes/manual_clock.hpp"
#include "tocsin/check/check.hpp"
#include "tocsin/check/host.hpp"
#include "tocsin/net/network.hpp"

namespace tocsin::fakes {

/// A temporary folder that stands for a host's root, removed with the object.
class FixtureRoot {
 public:
  FixtureRoot();
  ~FixtureRoot();
  FixtureRoot(const FixtureRoot&) = delete;
  FixtureRoot& operator=(const FixtureRoot&) = delete;

  const std::string& folder() const noexcept { return folder_; }
  /// Puts `text` at an absolute path, making folders as needed. A file that exists is rewritten in
  /// place, so whoever keeps it open sees the new text, as with /proc.
  void write(const std::string& path, std::string_view text);
  void link(const std::string& path, const std::string& target);
  void make_folder(const std::string& path);
  void remove(const std::string& path);
  /// Copies a fixture's tree over what is there.
  void copy_from(const std::string& fixture_folder);

 private:
  std::string inside(const std::string& path) const;
  std::string folder_;
};

/// The real host files over a fixture, with faults on demand and counts of what was done.
class FakeFiles final : public HostFiles {
 public:
  explicit FakeFiles(std::string root) : real_{std::move(root)} {}

  /// From now on every path that starts with `prefix` answers with `error`, open files included:
  /// Errc::missing is a process that ended, Errc::unreadable a permission that was taken away.
  void fail(const std::string& prefix, Error error) {
    faults_.insert_or_assign(prefix, std::move(error));
  }
  void mend(const std::string& prefix) { faults_.erase(prefix); }

  int opens() const noexcept { return opens_; }  ///< open, read, list and read_link together.
  int reads() const noexcept { return reads_; }  ///< Reads of files that are kept open.
  std::uint64_t pages{4096};
  std::uint64_t ticks{100};

  Result<std::unique_ptr<HostFile>> open(const std::string& path) const override;
  Result<std::string> read(const std::string& path) const override;
  Result<std::unique_ptr<GrowingFile>> follow(const std::string& path) const override;
  Result<std::vector<std::string>> list(const std::string& path) const override;
  Result<std::string> read_link(const std::string& path) const override;
  int cpu_count() const override { return real_.cpu_count(); }
  std::uint64_t page_bytes() const override { return pages; }
  std::uint64_t clock_ticks() const override { return ticks; }

 private:
  class Kept;
  const Error* fault_of(const std::string& path) const;

  runtime::RootedFiles real_;
  std::map<std::string, Error> faults_;
  mutable int opens_{0};
  mutable int reads_{0};
};

/// Commands with scripted outcomes, and exits that a test declares.
class FakeProcesses final : public Processes {
 public:
  /// What `program` (the first word of the command) does from now on. Unknown programs are
  /// Errc::missing.
  void answer(const std::string& program, Result<CommandOutcome> outcome);
  /// Sugar: exits with `exit_code` after printing `output`.
  void answer(const std::string& program, int exit_code, std::string output);
  /// `program` never ends; the call returns at its deadline as the real one does, with timed_out.
  void hang(const std::string& program) { hanging_.insert(program); }

  /// The process ends: everyone who watches it is told, on the caller's stack.
  void exit(int pid);
  /// watch_exit answers with this from now on.
  void refuse_watches(Error error) { refusal_ = std::move(error); }
  void allow_watches() { refusal_.reset(); }
  /// When not empty, only these exist for watch_exit; the others are Errc::missing.
  std::set<int> existing{};
  bool watched(int pid) const { return watches_.count(pid) > 0; }
  std::size_t watches() const noexcept { return watches_.size(); }

  /// Every request so far, in order.
  std::vector<CommandRequest> requests{};

  explicit FakeProcesses(Clock& clock) : clock_{clock} {}
  Task<CommandOutcome> run(CommandRequest request) override;
  Result<std::unique_ptr<Watch>> watch_exit(int pid, std::function<void()> on_exit) override;

 private:
  struct FakeWatch;
  Clock& clock_;
  std::map<std::string, Result<CommandOutcome>> answers_;
  std::set<std::string> hanging_;
  std::multimap<int, FakeWatch*> watches_;
  std::optional<Error> refusal_;
};

/// File systems of any size, and mounts that never answer. A mount that was not set is
/// Errc::missing.
class FakeHelperProcess final : public HelperProcess {
 public:
  void set(const std::string& mount, FileSystemUsage usage);
  void fail(const std::string& mount, Error error);
  /// The mount is stuck: Errc::stuck until set or failed again.
  void stick(const std::string& mount);
  int calls(const std::string& mount) const;

  /// A file that find_files comes upon; one of the same path is replaced.
  void put_file(FoundFile file);
  void remove_file(const std::string& path);
  std::string missing_folder{};  ///< What find_files blames when nothing matches.

  Task<FileSystemUsage> file_system_usage(std::string mount, SteadyTime deadline) override;
  /// The files that were put and match; fails and sticks as the pattern was told to.
  Task<FoundFiles> find_files(std::string pattern, SteadyTime deadline) override;

 private:
  std::map<std::string, Result<FileSystemUsage>> answers_;
  std::map<std::string, int> calls_;
  std::vector<FoundFile> files_;
};

/// A wall clock that is kept as well as a test says.
class FakeKernelClock final : public KernelClock {
 public:
  Result<ClockDiscipline> answer{ClockDiscipline{.synchronised = true}};
  Result<ClockDiscipline> discipline() const override { return answer; }
};

/// PSI triggers that fire when a test says so.
class FakePressureTriggers final : public PressureTriggers {
 public:
  /// The pressure passes the threshold of every trigger armed on `path`. Returns how many there
  /// were.
  int fire(const std::string& path);
  void refuse(Error error) { refusal_ = std::move(error); }
  void allow() { refusal_.reset(); }
  /// The specs armed now, by path.
  std::multimap<std::string, std::string> armed() const;

  Result<std::unique_ptr<Trigger>> arm(const std::string& path, const std::string& spec,
                                       std::function<void()> on_pressure) override;

 private:
  struct FakeTrigger;
  std::vector<FakeTrigger*> triggers_;
  std::optional<Error> refusal_;
};

/// A network where nothing answers: every request fails to connect.
class NoNetwork final : public Network {
 public:
  asio::awaitable<HttpOutcome> http(HttpRequest request) override;
  asio::awaitable<ConnectOutcome> connect(ConnectRequest request) override;
};

/// What a check keeps, in the test's hands.
class FakeMemory final : public Memory {
 public:
  std::string text{};
  int writes{0};
  const std::string& recall() const override { return text; }
  Result<void> keep(std::string wanted) override;
};

/// Memories that end with the test.
class FakeMemories final : public Memories {
 public:
  Memory& of(const std::string& check) override { return memories_[check]; }

 private:
  std::map<std::string, FakeMemory> memories_;
};

/// A whole host for one check under test: a fixture root, a manual clock and fakes of everything
/// else, and the loop that they run on.
///
///   FakeHost host;
///   host.root.write("/proc/meminfo", "MemTotal: …");
///   auto samples = host.run(*check);
struct FakeHost {
  explicit FakeHost(Network* other_network = nullptr);

  /// What a check is handed at a run that starts now.
  CheckContext context(Duration timeout = std::chrono::seconds{5}, bool gap = false);
  /// One run to its end, as the scheduler would do it.
  Result<Samples> run(Check& check, bool gap = false);
  Evidence evidence(Check& check);

  FixtureRoot root;
  ManualClock clock;
  FakeFiles files;
  FakeProcesses processes;
  FakeHelperProcess helper;
  FakePressureTriggers pressure;
  FakeKernelClock kernel_clock;
  FakeMemory memory;
  NoNetwork no_network;
  Network* network;
  int nudges{0};  ///< How often a check asked to be run now.
  std::function<void()> nudge{[this] { ++nudges; }};
  /// Last, so that it goes first: what still sleeps on it lets go of a clock that is there.
  asio::io_context loop{1};
};

/// The value of the sample named so (and of that instance); nothing when the run did not yield it.
std::optional<double> value_of(const Check& check, const Samples& samples, std::string_view name,
                               std::string_view instance = {});

}  // namespace tocsin::fakes
