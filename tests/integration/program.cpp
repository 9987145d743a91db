#include "tests/integration/program.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <system_error>

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;

namespace tocsin::integration {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const std::string& what) {
  throw std::system_error{errno, std::generic_category(), what};
}

struct Pipe {
  int read{-1};
  int write{-1};
  Pipe() {
    int ends[2]{};
    if (pipe2(ends, O_CLOEXEC) != 0) fail("pipe2");
    read = ends[0];
    write = ends[1];
  }
};

struct Socket {
  int descriptor{socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  Socket() {
    if (descriptor < 0) fail("socket");
  }
  ~Socket() { close(descriptor); }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
};

sockaddr_in loopback(int port) {
  sockaddr_in out{};
  out.sin_family = AF_INET;
  out.sin_port = htons(static_cast<std::uint16_t>(port));
  out.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return out;
}

/// As proc(5) has it: 'R', 'S', 'T', 'Z'; nothing when there is no such process.
std::optional<char> state_of(pid_t pid) {
  const auto stat = read_file("/proc/" + std::to_string(pid) + "/stat");
  const auto after_name = stat.rfind(") ");
  if (after_name == std::string::npos || after_name + 2 >= stat.size()) return std::nullopt;
  return stat[after_name + 2];
}

std::vector<std::string> environment_with(const std::map<std::string, std::string>& changes) {
  std::vector<std::string> out;
  for (char** at = environ; *at != nullptr; ++at) {
    const std::string_view line{*at};
    if (!changes.contains(std::string{line.substr(0, line.find('='))})) out.emplace_back(line);
  }
  for (const auto& [name, value] : changes) {
    if (!value.empty()) out.push_back(name + "=" + value);
  }
  return out;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (auto& text : texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

int milliseconds_until(SteadyTime deadline) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - steady_now());
  return static_cast<int>(std::max<std::int64_t>(0, left.count()));
}

}  // namespace

SteadyTime steady_now() { return std::chrono::steady_clock::now(); }

Folder::Folder() {
  std::string pattern = fs::temp_directory_path() / "tocsin-integration-XXXXXX";
  if (mkdtemp(pattern.data()) == nullptr) fail("mkdtemp " + pattern);
  path_ = pattern;
}

Folder::~Folder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

std::string Folder::write(std::string_view name, std::string_view text) const {
  const auto path = *this / name;
  fs::create_directories(fs::path{path}.parent_path());
  std::ofstream{path + ".new"} << text;
  fs::rename(path + ".new", path);
  return path;
}

std::string read_file(const std::string& path) {
  std::ifstream file{path, std::ios::binary};
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

Program::Program(std::vector<std::string> command, std::map<std::string, std::string> environment) {
  const Pipe out;
  const Pipe err;
  auto names = environment_with(environment);
  const auto arguments = pointers(command);
  const auto variables = pointers(names);
  const auto parent = getpid();
  pid_ = fork();
  if (pid_ < 0) fail("fork");
  if (pid_ == 0) {
    // Only what is safe after fork() in a program with threads.
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(126);
    const int nothing = open("/dev/null", O_RDONLY);
    dup2(nothing, 0);
    dup2(out.write, 1);
    dup2(err.write, 2);
    execve(arguments[0], arguments.data(), variables.data());
    _exit(127);
  }
  close(out.write);
  close(err.write);
  pidfd_ = static_cast<int>(syscall(SYS_pidfd_open, pid_, 0));
  reader_ = std::thread{[this, out, err] { read_all(out.read, err.read); }};
}

Program::~Program() {
  kill();
  reader_.join();
  close(pidfd_);
}

void Program::read_all(int out, int err) {
  std::array<pollfd, 2> ends{pollfd{out, POLLIN, 0}, pollfd{err, POLLIN, 0}};
  std::array<char, 16384> bytes{};
  while (ends[0].fd >= 0 || ends[1].fd >= 0) {
    // A grandchild may hold the pipes open: the end of the child is enough.
    poll(ends.data(), ends.size(), 200);
    bool idle = true;
    for (auto& end : ends) {
      if (end.fd < 0 || end.revents == 0) continue;
      idle = false;
      const auto count = ::read(end.fd, bytes.data(), bytes.size());
      const bool is_out = &end == ends.data();
      if (count <= 0) {
        close(end.fd);
        end.fd = -1;
        continue;
      }
      const std::string_view part{bytes.data(), static_cast<std::size_t>(count)};
      const std::lock_guard lock{mutex_};
      text_ += part;
      (is_out ? output_ : errors_) += part;
      changed_.notify_all();
    }
    pollfd child{pidfd_, POLLIN, 0};
    if (idle && poll(&child, 1, 0) == 1) break;
  }
  for (auto& end : ends) {
    if (end.fd >= 0) close(end.fd);
  }
  const std::lock_guard lock{mutex_};
  ended_ = true;
  changed_.notify_all();
}

void Program::signal(int number) const {
  // By pidfd, so that a number that was given away meanwhile is not hit.
  syscall(SYS_pidfd_send_signal, pidfd_, number, nullptr, 0);
}

std::optional<Exit> Program::wait_for_exit(Duration timeout) {
  if (exit_) return exit_;
  const auto deadline = steady_now() + timeout;
  pollfd child{pidfd_, POLLIN, 0};
  if (poll(&child, 1, milliseconds_until(deadline)) != 1) return std::nullopt;
  int status{0};
  if (waitpid(pid_, &status, 0) != pid_) return std::nullopt;
  exit_ = WIFEXITED(status) ? Exit{WEXITSTATUS(status), 0} : Exit{-1, WTERMSIG(status)};
  std::unique_lock lock{mutex_};
  changed_.wait_for(lock, patience, [&] { return ended_; });
  return exit_;
}

bool Program::running() { return !wait_for_exit(0ms); }

void Program::kill() {
  if (exit_) return;
  signal(SIGKILL);
  wait_for_exit(patience);
}

std::size_t Program::mark() const {
  const std::lock_guard lock{mutex_};
  return text_.size();
}

std::optional<std::string> Program::wait_for_line(std::string_view words, Duration timeout,
                                                  std::size_t from) const {
  const auto deadline = steady_now() + timeout;
  std::unique_lock lock{mutex_};
  for (;;) {
    const auto at = text_.find(words, from);
    const auto end = at == std::string::npos ? at : text_.find('\n', at);
    if (end != std::string::npos) {
      const auto before = text_.rfind('\n', at);
      const auto begin = before == std::string::npos ? 0 : before + 1;
      return text_.substr(begin, end - begin);
    }
    if (ended_ || changed_.wait_until(lock, deadline) == std::cv_status::timeout) {
      if (ended_ || steady_now() >= deadline) return std::nullopt;
    }
  }
}

void Program::wait_for_more(std::size_t from, Duration timeout) const {
  std::unique_lock lock{mutex_};
  changed_.wait_for(lock, timeout, [&] { return ended_ || text_.size() > from; });
}

std::string Program::text() const {
  const std::lock_guard lock{mutex_};
  return text_;
}
std::string Program::output() const {
  const std::lock_guard lock{mutex_};
  return output_;
}
std::string Program::errors() const {
  const std::lock_guard lock{mutex_};
  return errors_;
}

Answer run(std::vector<std::string> command, std::map<std::string, std::string> environment,
           Duration timeout) {
  Program program{std::move(command), std::move(environment)};
  const auto exit = program.wait_for_exit(timeout);
  if (!exit) program.kill();
  return {exit ? exit->code : -1, program.output(), program.errors()};
}

int free_port() {
  const Socket socket;
  auto address = loopback(0);
  socklen_t size = sizeof address;
  auto* raw = reinterpret_cast<sockaddr*>(&address);
  if (bind(socket.descriptor, raw, size) != 0 || getsockname(socket.descriptor, raw, &size) != 0)
    fail("bind");
  return ntohs(address.sin_port);
}

bool takes_connections(int port) {
  const Socket socket;
  const auto address = loopback(port);
  const auto* raw = reinterpret_cast<const sockaddr*>(&address);
  return connect(socket.descriptor, raw, sizeof address) == 0;
}

std::vector<pid_t> children_of(pid_t pid) {
  const auto number = std::to_string(pid);
  std::istringstream numbers{read_file("/proc/" + number + "/task/" + number + "/children")};
  std::vector<pid_t> out;
  for (pid_t child{}; numbers >> child;) out.push_back(child);
  return out;
}

double kilobytes(pid_t pid, std::string_view name) {
  const auto status = read_file("/proc/" + std::to_string(pid) + "/status");
  const auto at = status.find(name);
  return at == std::string::npos ? 0 : std::strtod(status.c_str() + at + name.size(), nullptr);
}

bool lives(pid_t pid) {
  const auto state = state_of(pid);
  return state && *state != 'Z';
}

void kill_with_children(Program& server) {
  server.signal(SIGSTOP);
  eventually([&] { return state_of(server.pid()).value_or('T') == 'T' || !server.running(); });
  const auto children = children_of(server.pid());
  server.kill();
  end_all(children);
}

void end_all(const std::vector<pid_t>& processes) {
  for (const auto pid : processes)
    if (lives(pid)) ::kill(pid, SIGKILL);
  eventually([&] { return std::none_of(processes.begin(), processes.end(), lives); });
}

}  // namespace tocsin::integration
