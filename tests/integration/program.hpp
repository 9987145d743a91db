#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <sys/types.h>

// Real programs for the tests, each a child of the test: what it prints is at hand, and it never
// outlives the test.
namespace tocsin::integration {

using namespace std::chrono_literals;
using Duration = std::chrono::nanoseconds;
using SteadyTime = std::chrono::steady_clock::time_point;

/// How long anything may take that should come at once. Generous, for a machine that builds
/// meanwhile; nothing waits this long unless it fails.
inline constexpr Duration patience = 60s;

SteadyTime steady_now();

/// A folder of its own, gone with the object.
class Folder {
 public:
  Folder();
  ~Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  const std::string& path() const { return path_; }
  std::string operator/(std::string_view name) const { return path_ + "/" + std::string{name}; }
  /// Writes a file whole, by rename, and returns its path.
  std::string write(std::string_view name, std::string_view text) const;

 private:
  std::string path_;
};

/// A file's bytes; "" when it cannot be read.
std::string read_file(const std::string& path);

/// How a program ended: its exit code, or the signal that ended it.
struct Exit {
  int code{-1};
  int signal{0};
  friend bool operator==(const Exit&, const Exit&) = default;
};

/// A running child. Killed with SIGKILL when the object goes away, or when the test itself is
/// killed.
class Program {
 public:
  /// `command` is the path and its arguments; `environment` is added to the test's own (an empty
  /// value takes a name away). Throws when it cannot be started.
  explicit Program(std::vector<std::string> command,
                   std::map<std::string, std::string> environment = {});
  ~Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  pid_t pid() const { return pid_; }
  void signal(int number) const;
  /// Waits for its end, and for all that it printed; nothing when it still runs by then.
  std::optional<Exit> wait_for_exit(Duration timeout = patience);
  bool running();
  /// SIGKILL, and waits until it is gone.
  void kill();

  /// Where its output stands now, standard output and standard error in the order of arrival.
  std::size_t mark() const;
  /// The first whole line after `from` that holds `words`; nothing when it does not come in time or
  /// the program ends without it.
  std::optional<std::string> wait_for_line(std::string_view words, Duration timeout = patience,
                                           std::size_t from = 0) const;
  /// Returns once there is output after `from`, the program ended, or the time is over.
  void wait_for_more(std::size_t from, Duration timeout) const;
  std::string text() const;    ///< Both, in the order of arrival.
  std::string output() const;  ///< Standard output.
  std::string errors() const;  ///< Standard error.

 private:
  void read_all(int out, int err);

  pid_t pid_{-1};
  int pidfd_{-1};
  std::optional<Exit> exit_{};
  mutable std::mutex mutex_{};
  mutable std::condition_variable changed_{};
  std::string text_{}, output_{}, errors_{};
  bool ended_{false};  ///< Both pipes are closed.
  std::thread reader_{};
};

/// What a command that ends by itself said.
struct Answer {
  int code{-1};
  std::string output{}, errors{};
};
/// Runs a command to its end; code -1 when it was killed for not ending in time.
Answer run(std::vector<std::string> command, std::map<std::string, std::string> environment = {},
           Duration timeout = patience);

/// A TCP port of 127.0.0.1 that was free a moment ago, for servers that cannot choose one.
int free_port();
/// Whether somebody listens on a TCP port of 127.0.0.1.
bool takes_connections(int port);
/// The direct children of a process.
std::vector<pid_t> children_of(pid_t pid);
/// A line of a process's /proc/PID/status that counts kilobytes ("VmRSS:"); 0 when it is not there.
double kilobytes(pid_t pid, std::string_view name);
/// Whether a process exists and is not a zombie.
bool lives(pid_t pid);
/// SIGKILL for a server and for all of its children, of which it makes none meanwhile.
void kill_with_children(Program& server);
/// SIGKILL for those that still live, and waits until they are gone. For the children of a server
/// that died without them.
void end_all(const std::vector<pid_t>& processes);

/// Looks until `holds` does, every few milliseconds, and says whether it did in time.
template <class Holds>
bool eventually(Holds holds, Duration timeout = patience) {
  const auto deadline = steady_now() + timeout;
  for (;;) {
    if (holds()) return true;
    if (steady_now() >= deadline) return false;
    std::this_thread::sleep_for(10ms);
  }
}

}  // namespace tocsin::integration
