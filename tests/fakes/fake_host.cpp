#include "tests/fakes/fake_host.hpp"

#include <fnmatch.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <utility>

namespace tocsin::fakes {

FixtureRoot::FixtureRoot() {
  auto pattern = (std::filesystem::temp_directory_path() / "tocsin-root-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error{"mkdtemp failed"};
  folder_ = pattern;
}

FixtureRoot::~FixtureRoot() {
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

std::string FixtureRoot::inside(const std::string& path) const {
  if (path.empty() || path.front() != '/') throw std::invalid_argument{"not absolute: " + path};
  return folder_ + path;
}

void FixtureRoot::write(const std::string& path, std::string_view text) {
  const std::filesystem::path place{inside(path)};
  std::filesystem::create_directories(place.parent_path());
  std::ofstream file{place, std::ios::binary | std::ios::trunc};
  file << text;
  if (!file.flush()) throw std::runtime_error{"cannot write " + place.string()};
}

void FixtureRoot::link(const std::string& path, const std::string& target) {
  const std::filesystem::path place{inside(path)};
  std::filesystem::create_directories(place.parent_path());
  std::filesystem::remove(place);
  std::filesystem::create_symlink(target, place);
}

void FixtureRoot::make_folder(const std::string& path) {
  std::filesystem::create_directories(inside(path));
}

void FixtureRoot::remove(const std::string& path) { std::filesystem::remove_all(inside(path)); }

void FixtureRoot::copy_from(const std::string& fixture_folder) {
  using Options = std::filesystem::copy_options;
  std::filesystem::copy(fixture_folder, folder_,
                        Options::recursive | Options::overwrite_existing | Options::copy_symlinks);
}

class FakeFiles::Kept final : public HostFile {
 public:
  Kept(const FakeFiles& files, std::string path, std::unique_ptr<HostFile> real)
      : files_{files}, path_{std::move(path)}, real_{std::move(real)} {}
  Result<std::string_view> read() override {
    ++files_.reads_;
    if (const auto* fault = files_.fault_of(path_)) return *fault;
    return real_->read();
  }

 private:
  const FakeFiles& files_;
  std::string path_;
  std::unique_ptr<HostFile> real_;
};

const Error* FakeFiles::fault_of(const std::string& path) const {
  for (const auto& [prefix, error] : faults_) {
    if (path.compare(0, prefix.size(), prefix) == 0) return &error;
  }
  return nullptr;
}

Result<std::unique_ptr<HostFile>> FakeFiles::open(const std::string& path) const {
  ++opens_;
  if (const auto* fault = fault_of(path)) return *fault;
  auto opened = real_.open(path);
  if (!opened) return opened;
  return std::unique_ptr<HostFile>{std::make_unique<Kept>(*this, path, *std::move(opened))};
}

Result<std::string> FakeFiles::read(const std::string& path) const {
  ++opens_;
  if (const auto* fault = fault_of(path)) return *fault;
  return real_.read(path);
}

Result<std::unique_ptr<GrowingFile>> FakeFiles::follow(const std::string& path) const {
  ++opens_;
  if (const auto* fault = fault_of(path)) return *fault;
  return real_.follow(path);
}

Result<std::vector<std::string>> FakeFiles::list(const std::string& path) const {
  ++opens_;
  if (const auto* fault = fault_of(path)) return *fault;
  return real_.list(path);
}

Result<std::string> FakeFiles::read_link(const std::string& path) const {
  ++opens_;
  if (const auto* fault = fault_of(path)) return *fault;
  return real_.read_link(path);
}

struct FakeProcesses::FakeWatch final : Processes::Watch {
  FakeWatch(FakeProcesses& owner, int process, std::function<void()> call)
      : processes{owner}, pid{process}, on_exit{std::move(call)} {
    processes.watches_.emplace(pid, this);
  }
  ~FakeWatch() override { leave(); }
  FakeWatch(const FakeWatch&) = delete;
  FakeWatch& operator=(const FakeWatch&) = delete;

  void leave() {
    auto [from, to] = processes.watches_.equal_range(pid);
    for (; from != to; ++from) {
      if (from->second != this) continue;
      processes.watches_.erase(from);
      return;
    }
  }

  FakeProcesses& processes;
  int pid;
  std::function<void()> on_exit;
};

void FakeProcesses::answer(const std::string& program, Result<CommandOutcome> outcome) {
  hanging_.erase(program);
  answers_.insert_or_assign(program, std::move(outcome));
}

void FakeProcesses::answer(const std::string& program, int exit_code, std::string output) {
  CommandOutcome outcome;
  outcome.exit_code = exit_code;
  outcome.output = std::move(output);
  answer(program, std::move(outcome));
}

void FakeProcesses::exit(int pid) {
  existing.erase(pid);
  while (true) {
    const auto watch = watches_.find(pid);
    if (watch == watches_.end()) return;
    const auto tell = std::move(watch->second->on_exit);
    watches_.erase(watch);
    tell();  // May drop its watch or start another: nothing of ours is touched after it.
  }
}

Task<CommandOutcome> FakeProcesses::run(CommandRequest request) {
  requests.push_back(request);
  const auto program = request.command.empty() ? std::string{} : request.command.front();
  if (hanging_.count(program) > 0) {
    co_await clock_.sleep_until(request.deadline);
    CommandOutcome outcome;
    outcome.timed_out = true;
    outcome.signal = SIGTERM;
    co_return outcome;
  }
  const auto found = answers_.find(program);
  if (found == answers_.end()) {
    co_return Error{Errc::missing, "there is no program " + program};
  }
  auto outcome = found->second;
  if (outcome && request.on_output) {
    // In pieces that do not end where lines do, as a pipe's do not either.
    constexpr std::size_t piece_bytes = 100;
    const auto text = std::exchange(outcome->output, {});
    for (std::size_t at = 0; at < text.size(); at += piece_bytes)
      request.on_output(std::string_view{text}.substr(at, piece_bytes));
  }
  co_return outcome;
}

Result<std::unique_ptr<Processes::Watch>> FakeProcesses::watch_exit(int pid,
                                                                    std::function<void()> on_exit) {
  if (refusal_) return *refusal_;
  if (!existing.empty() && existing.count(pid) == 0) {
    return Error{Errc::missing, "there is no process " + std::to_string(pid)};
  }
  return std::unique_ptr<Watch>{std::make_unique<FakeWatch>(*this, pid, std::move(on_exit))};
}

void FakeHelperProcess::set(const std::string& mount, FileSystemUsage usage) {
  answers_.insert_or_assign(mount, usage);
}

void FakeHelperProcess::fail(const std::string& mount, Error error) {
  answers_.insert_or_assign(mount, std::move(error));
}

void FakeHelperProcess::stick(const std::string& mount) {
  fail(mount, {Errc::stuck, "statvfs of " + mount + " has not returned"});
}

int FakeHelperProcess::calls(const std::string& mount) const {
  const auto found = calls_.find(mount);
  return found == calls_.end() ? 0 : found->second;
}

Task<FileSystemUsage> FakeHelperProcess::file_system_usage(std::string mount, SteadyTime) {
  ++calls_[mount];
  const auto found = answers_.find(mount);
  if (found == answers_.end()) co_return Error{Errc::missing, "there is no mount " + mount};
  co_return found->second;
}

void FakeHelperProcess::put_file(FoundFile file) {
  remove_file(file.path);
  files_.push_back(std::move(file));
}

void FakeHelperProcess::remove_file(const std::string& path) {
  std::erase_if(files_, [&](const FoundFile& file) { return file.path == path; });
}

Task<FoundFiles> FakeHelperProcess::find_files(std::string pattern, SteadyTime) {
  ++calls_[pattern];
  const auto found = answers_.find(pattern);
  if (found != answers_.end() && !found->second) co_return found->second.error();
  FoundFiles files;
  for (const auto& file : files_)
    if (::fnmatch(pattern.c_str(), file.path.c_str(), FNM_PATHNAME | FNM_PERIOD) == 0)
      files.newest.push_back(file);
  files.matched = files.newest.size();
  std::stable_sort(files.newest.begin(), files.newest.end(),
                   [](const auto& a, const auto& b) { return a.modified > b.modified; });
  if (files.newest.size() > limits::files_found) files.newest.resize(limits::files_found);
  if (files.newest.empty()) files.missing = missing_folder;
  co_return files;
}

struct FakePressureTriggers::FakeTrigger final : PressureTriggers::Trigger {
  FakeTrigger(FakePressureTriggers& owner, std::string where, std::string what,
              std::function<void()> call)
      : triggers{owner},
        path{std::move(where)},
        spec{std::move(what)},
        on_pressure{std::move(call)} {
    triggers.triggers_.push_back(this);
  }
  ~FakeTrigger() override { std::erase(triggers.triggers_, this); }
  FakeTrigger(const FakeTrigger&) = delete;
  FakeTrigger& operator=(const FakeTrigger&) = delete;

  FakePressureTriggers& triggers;
  std::string path;
  std::string spec;
  std::function<void()> on_pressure;
};

int FakePressureTriggers::fire(const std::string& path) {
  std::vector<std::function<void()>> calls;
  for (const auto* trigger : triggers_) {
    if (trigger->path == path) calls.push_back(trigger->on_pressure);
  }
  for (const auto& call : calls) call();
  return static_cast<int>(calls.size());
}

std::multimap<std::string, std::string> FakePressureTriggers::armed() const {
  std::multimap<std::string, std::string> specs;
  for (const auto* trigger : triggers_) specs.emplace(trigger->path, trigger->spec);
  return specs;
}

Result<std::unique_ptr<PressureTriggers::Trigger>> FakePressureTriggers::arm(
    const std::string& path, const std::string& spec, std::function<void()> on_pressure) {
  if (refusal_) return *refusal_;
  return std::unique_ptr<Trigger>{
      std::make_unique<FakeTrigger>(*this, path, spec, std::move(on_pressure))};
}

asio::awaitable<HttpOutcome> NoNetwork::http(HttpRequest request) {
  HttpOutcome outcome;
  outcome.failure.emplace();
  outcome.failure->phase = NetPhase::connect;
  outcome.failure->error = {Errc::unreachable, "connect to " + request.url.host +
                                                   " failed: there is no network in this test"};
  co_return outcome;
}

asio::awaitable<ConnectOutcome> NoNetwork::connect(ConnectRequest request) {
  ConnectOutcome outcome;
  outcome.failure.emplace();
  outcome.failure->phase = NetPhase::connect;
  outcome.failure->error = {Errc::unreachable, "connect to " + request.address.host +
                                                   " failed: there is no network in this test"};
  co_return outcome;
}

FakeHost::FakeHost(Network* other_network)
    : files{root.folder()},
      processes{clock},
      network{other_network != nullptr ? other_network : &no_network} {}

Result<void> FakeMemory::keep(std::string wanted) {
  if (wanted.size() > limits::check_memory_bytes)
    return Error{Errc::too_large, "more than a check may keep"};
  if (wanted != text) ++writes;
  text = std::move(wanted);
  return {};
}

CheckContext FakeHost::context(Duration timeout, bool gap) {
  return {files,    clock,        *network, processes, helper,
          pressure, kernel_clock, memory,   nudge,     clock.steady() + timeout,
          gap};
}

Result<Samples> FakeHost::run(Check& check, bool gap) {
  auto handed = context(std::chrono::seconds{5}, gap);
  std::optional<Result<Samples>> result;
  std::exception_ptr fault;
  bool ended = false;
  asio::co_spawn(loop, keep(check.run(handed), result), [&](std::exception_ptr thrown) {
    ended = true;
    fault = thrown;
  });
  settle(loop);
  if (!ended) run_for(loop, clock, std::chrono::seconds{6});
  if (fault) std::rethrow_exception(fault);
  if (!result) throw std::logic_error{"the run did not end by its deadline"};
  return *std::move(result);
}

Evidence FakeHost::evidence(Check& check) {
  auto handed = context(limits::evidence_wait);
  std::optional<Evidence> result;
  std::exception_ptr fault;
  bool ended = false;
  asio::co_spawn(loop, keep(check.evidence(handed), result), [&](std::exception_ptr thrown) {
    ended = true;
    fault = thrown;
  });
  settle(loop);
  // Evidence may look twice, some time apart.
  if (!ended) run_for(loop, clock, limits::evidence_wait);
  while (!ended && loop.run_one() > 0) {
  }
  if (fault) std::rethrow_exception(fault);
  if (!result) throw std::logic_error{"collecting evidence did not end"};
  return *std::move(result);
}

std::optional<double> value_of(const Check& check, const Samples& samples, std::string_view name,
                               std::string_view instance) {
  const auto specs = check.specs();
  for (const auto& sample : samples) {
    if (sample.spec < specs.size() && specs[sample.spec].name == name &&
        sample.instance == instance) {
      return sample.value;
    }
  }
  return std::nullopt;
}

}  // namespace tocsin::fakes
