#include "tests/integration/user_systemd.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <sstream>
#include <stdexcept>

namespace tocsin::integration {
namespace {

namespace fs = std::filesystem;

constexpr const char* binary = "/lib/systemd/systemd";
constexpr const char* journal = "/lib/systemd/systemd-journald";
constexpr const char* controller = "/usr/bin/systemctl";

/// The folder of the control group (of the second version) that this test is in; empty when there
/// is none.
std::string own_group() {
  std::istringstream mounts{read_file("/proc/self/mounts")};
  std::string device, place, type, rest;
  while (mounts >> device >> place >> type && std::getline(mounts, rest)) {
    if (type != "cgroup2") continue;
    std::istringstream groups{read_file("/proc/self/cgroup")};
    for (std::string line; std::getline(groups, line);)
      if (line.starts_with("0::")) return place + (line == "0::/" ? "" : line.substr(3));
  }
  return {};
}

}  // namespace

std::string UserSystemd::hindrance() {
  if (access(binary, X_OK) != 0 || access(controller, X_OK) != 0)
    return std::string{"systemd is not installed: apt-get install "} + packages;
  if (geteuid() != 0) return "only root can give systemd a control group and a namespace";
  const auto group = own_group();
  if (group.empty()) return "no cgroup2 is mounted";
  const auto tried = group + "/tocsin-try-" + std::to_string(getpid());
  if (mkdir(tried.c_str(), 0755) != 0) return "no control group can be made below " + group;
  rmdir(tried.c_str());
  const auto space = run({"/usr/bin/unshare", "--mount", "--cgroup", "/bin/true"});
  if (space.code != 0) return "no namespace can be made: " + space.errors;
  return {};
}

UserSystemd::UserSystemd()
    : group_{own_group() + "/" + fs::path{folder_.path()}.filename().string()} {
  for (const auto* name : {"units", "run"}) fs::create_directory(folder_ / name);
  write("nothing.target", "[Unit]\nDefaultDependencies=no\n");
}

UserSystemd::~UserSystemd() {
  if (alive_ < 0) return;
  close(alive_);
  eventually([&] { return !fs::exists(group_); });
}

/// What ends the group waits in the background until the other end of the pipe is closed, be it by
/// a test's death. systemd wants to see that the host was started by a systemd.
std::string UserSystemd::script() const {
  return "G=" + group_ + " T=" + folder_.path() +
         "\n"
         "( read -r over < $T/alive\n"
         "  echo 1 > $G/cgroup.kill\n"
         "  while grep -q 'populated 1' $G/cgroup.events; do sleep 0.02; done\n"
         "  find $G -depth -type d -exec rmdir '{}' ';'\n"
         ") >/dev/null 2>&1 &\n"
         "echo $$ > $G/cgroup.procs\n"
         "exec unshare --mount --cgroup /bin/sh -c '\n"
         "mount -t cgroup2 none /sys/fs/cgroup && mount -t tmpfs none /run &&\n"
         "mkdir -p /run/systemd/system /run/systemd/journal /run/log/journal || exit 1\n" +
         journal +
         " >/dev/null 2>&1 &\n"
         "while ! [ -S /run/systemd/journal/stdout ]; do sleep 0.02; done\n"
         "exec env -i PATH=/usr/bin:/bin HOME=\"$1\" XDG_RUNTIME_DIR=\"$1/run\" \\\n"
         "  SYSTEMD_UNIT_PATH=\"$1/units\" SYSTEMD_LOG_TARGET=console \\\n"
         "  " +
         binary + " --user --unit=nothing.target' sh $T\n";
}

void UserSystemd::start() {
  if (mkfifo((folder_ / "alive").c_str(), 0600) != 0 || mkdir(group_.c_str(), 0755) != 0)
    throw std::runtime_error{"cannot make " + group_};
  alive_ = open((folder_ / "alive").c_str(), O_RDWR | O_CLOEXEC);
  program_ = std::make_unique<Program>(std::vector<std::string>{"/bin/sh", "-c", script()});
  const auto up = eventually([&] {
    return !program_->running() || control({"show", "--property=Version"}).code == 0;
  });
  if (!up || !program_->running())
    throw std::runtime_error{"systemd did not start: " + program_->text()};
}

void UserSystemd::write(const std::string& unit, std::string_view text) const {
  folder_.write("units/" + unit, text);
}

Answer UserSystemd::control(std::vector<std::string> words) const {
  std::vector<std::string> command{controller, "--user", "--no-pager"};
  command.insert(command.end(), words.begin(), words.end());
  return run(std::move(command),
             {{"XDG_RUNTIME_DIR", folder_ / "run"}, {"DBUS_SESSION_BUS_ADDRESS", ""}});
}

std::string UserSystemd::show(const std::string& unit, const std::string& property) const {
  auto text = control({"show", "--value", "--property=" + property, unit}).output;
  if (!text.empty()) text.pop_back();
  return text;
}

std::vector<std::string> UserSystemd::inside() const {
  return {"/usr/bin/nsenter", "--mount", "--target", std::to_string(program_->pid())};
}

pid_t UserSystemd::main_pid(const std::string& unit) const {
  return static_cast<pid_t>(std::stoi(show(unit, "MainPID")));
}

void UserSystemd::start_bus() {
  write("dbus.socket", "[Unit]\nDefaultDependencies=no\n[Socket]\nListenStream=%t/bus\n");
  write("dbus.service",
        "[Unit]\nDefaultDependencies=no\nRequires=dbus.socket\n[Service]\nType=notify\n"
        "ExecStart=/usr/bin/dbus-daemon --session --address=systemd: --nofork --nopidfile "
        "--systemd-activation --syslog-only\n");
  reload();
  const auto started = control({"start", "dbus.service"});
  if (started.code != 0) throw std::runtime_error{"dbus-daemon did not start: " + started.errors};
  const std::vector<std::string> list{"/usr/bin/busctl", "--address=unix:path=" + bus_socket(),
                                      "--acquired", "--no-pager", "list"};
  if (!eventually(
          [&] { return run(list).output.find("org.freedesktop.systemd1") != std::string::npos; }))
    throw std::runtime_error{"systemd did not come to the bus"};
}

}  // namespace tocsin::integration
