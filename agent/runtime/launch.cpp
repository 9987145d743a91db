#include "agent/runtime/launch.hpp"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <string_view>
#include <utility>

namespace tocsin::runtime {
namespace {

constexpr std::size_t stack_bytes = 128u << 10;
constexpr std::string_view default_path =
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

std::string_view name_of(std::string_view setting) { return setting.substr(0, setting.find('=')); }

/// The file to run: as given when it holds a slash, else the first executable one in the command's
/// own PATH.
std::string find_program(const std::string& name, const std::vector<std::string>& environment) {
  if (name.find('/') != std::string::npos) return name;
  std::string_view path = default_path;
  for (const auto& setting : environment) {
    if (name_of(setting) == "PATH") path = std::string_view{setting}.substr(5);
  }
  while (!path.empty()) {
    const auto folder = path.substr(0, path.find(':'));
    path.remove_prefix(std::min(path.size(), folder.size() + 1));
    auto file = std::string{folder} + "/" + name;
    if (!folder.empty() && ::access(file.c_str(), X_OK) == 0) return file;
  }
  return {};
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (auto& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

/// The settings of posix_spawn, released however we leave.
struct SpawnSettings {
  explicit SpawnSettings(const Launch& what) {
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_adddup2(&actions, what.output.raw(), 1);
    ::posix_spawn_file_actions_adddup2(&actions, what.error_output.raw(), 2);
    ::posix_spawn_file_actions_addclosefrom_np(&actions, 3);
    ::posix_spawn_file_actions_addchdir_np(&actions, what.working_directory.c_str());
    ::posix_spawnattr_init(&attributes);
    ::posix_spawnattr_setflags(
        &attributes,
        static_cast<short>(POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK));
    sigset_t signals;
    ::sigfillset(&signals);
    ::posix_spawnattr_setsigdefault(&attributes, &signals);
    ::sigemptyset(&signals);
    ::posix_spawnattr_setsigmask(&attributes, &signals);
  }
  ~SpawnSettings() {
    ::posix_spawn_file_actions_destroy(&actions);
    ::posix_spawnattr_destroy(&attributes);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;

  posix_spawn_file_actions_t actions{};
  posix_spawnattr_t attributes{};
};

Launched start(Launch& what) {
  Launched launched;
  const auto program = find_program(what.command.front(), what.environment);
  if (program.empty()) {
    launched.failed_with = ENOENT;
    return launched;
  }
  const SpawnSettings settings{what};
  const auto arguments = pointers_to(what.command);
  const auto environment = pointers_to(what.environment);
  launched.failed_with = ::posix_spawn(&launched.pid, program.c_str(), &settings.actions,
                                       &settings.attributes, arguments.data(), environment.data());
  if (launched.failed_with != 0) {
    launched.pid = -1;
    struct stat folder {};
    launched.in_folder = ::stat(what.working_directory.c_str(), &folder) != 0;
  }
  return launched;
}

struct Order {
  Launch what;
  Descriptor answer;
};

void* serve(void* raw) {
  const std::unique_ptr<Order> order{static_cast<Order*>(raw)};
  const Launched launched = start(order->what);
  // The program holds its own copies now; ours would keep the pipes open after its end.
  order->what.output.close();
  order->what.error_output.close();
  if (::write(order->answer.raw(), &launched, sizeof launched) < 0 && launched.pid > 0) {
    ::kill(-launched.pid, SIGKILL);  // Nobody waits any more.
  }
  return nullptr;
}

}  // namespace

std::vector<std::string> command_environment(const std::vector<std::string>& added) {
  std::vector<std::string> environment{"PATH=" + std::string{default_path}, "HOME=/", "LC_ALL=C"};
  for (const auto& setting : added) {
    std::erase_if(environment,
                  [&](const std::string& ours) { return name_of(ours) == name_of(setting); });
    environment.push_back(setting);
  }
  return environment;
}

Result<Descriptor> launch(Launch what) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return error_from_errno(errno, "making a pipe");
  Descriptor answer{ends[0]};
  auto order = std::make_unique<Order>(Order{std::move(what), Descriptor{ends[1]}});
  pthread_attr_t attributes;
  ::pthread_attr_init(&attributes);
  ::pthread_attr_setstacksize(&attributes, stack_bytes);
  ::pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  sigset_t all, before;
  ::sigfillset(&all);  // SIGPIPE included: the answer may find nobody.
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  pthread_t thread{};
  const int failed = ::pthread_create(&thread, &attributes, &serve, order.get());
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  ::pthread_attr_destroy(&attributes);
  if (failed != 0) return error_from_errno(failed, "starting a thread");
  order.release();  // The thread's now.
  return answer;
}

Error launch_error(const Launched& launched, const std::string& program,
                   const std::string& working_directory) {
  const auto words = errno_words(launched.failed_with);
  if (launched.in_folder) {
    return {Errc::missing, "the working directory " + working_directory + " cannot be entered"};
  }
  if (launched.failed_with == ENOENT || launched.failed_with == ENOTDIR) {
    return {Errc::missing, "there is no program " + program};
  }
  if (launched.failed_with == ENOEXEC) {
    return {Errc::refused, program + " is not a program: it may lack its #! line"};
  }
  return {Errc::refused, "starting " + program + " failed: " + words};
}

}  // namespace tocsin::runtime
