#include "checks/process_finder.hpp"

#include <re2/re2.h>

#include <algorithm>
#include <array>

#include "checks/process_stat.hpp"
#include "checks/words.hpp"
#include "tocsin/base/limits.hpp"
#include "tocsin/base/text.hpp"

namespace tocsin::checks {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t comm_bytes = 15;  // TASK_COMM_LEN - 1 (linux/sched.h)
// A process is judged for good only after this long: a fresh one may still be its parent's copy,
// before exec.
constexpr Duration maturity = 2s;
// An old process may become another program by exec; these say how soon that is seen.
constexpr Duration thorough_every = 10min;
constexpr Duration thorough_every_while_missing = 10s;

std::string path_of(int pid, std::string_view file) {
  std::string path = "/proc/";
  path += std::to_string(pid);
  path += '/';
  path += file;
  return path;
}

std::optional<int> to_pid(std::string_view word) {
  const auto value = to_number(word);
  if (!value || *value == 0 || *value > 0x7fffffff) return std::nullopt;
  return static_cast<int>(*value);
}

bool contains(const std::vector<int>& sorted, int pid) {
  return std::binary_search(sorted.begin(), sorted.end(), pid);
}

}  // namespace

std::string_view last_part(std::string_view argv0) {
  const auto slash = argv0.rfind('/');
  return slash == std::string_view::npos ? argv0 : argv0.substr(slash + 1);
}

bool is_called(std::string_view name, std::string_view comm, std::string_view cmdline) {
  if (name.size() <= comm_bytes)
    return comm == name || last_part(cmdline.substr(0, cmdline.find('\0'))) == name;
  const auto cut = name.substr(0, comm_bytes);
  // The program, or the script that it interprets, tells the names apart that begin alike.
  for (int argument = 0; argument < 2 && !cmdline.empty(); ++argument) {
    const auto end = cmdline.find('\0');
    const auto last = last_part(cmdline.substr(0, end));
    if (last == name) return true;
    if (last.substr(0, comm_bytes) == cut) return false;
    cmdline.remove_prefix(end == std::string_view::npos ? cmdline.size() : end + 1);
  }
  return comm == cut;
}

std::string spoken(std::string_view cmdline) {
  while (!cmdline.empty() && cmdline.back() == '\0') cmdline.remove_suffix(1);
  std::string text{cmdline};
  std::replace(text.begin(), text.end(), '\0', ' ');
  return text;
}

struct ProcessFinder::Expression {
  explicit Expression(const std::string& text) : compiled{text, re2::RE2::Quiet} {}
  re2::RE2 compiled;
};

ProcessFinder::ProcessFinder(ProcessMatch match) : match_{std::move(match)} {
  if (!match_.cmdline.text.empty()) cmdline_ = std::make_unique<Expression>(match_.cmdline.text);
}

ProcessFinder::~ProcessFinder() = default;

Result<std::vector<int>> ProcessFinder::find(const HostFiles& files, SteadyTime now) {
  const auto known = learn_user(files);
  if (!known) return known.error();
  if (match_.pidfile.empty() && match_.cgroup.empty()) return scan(files, now);
  auto found = candidates(files);
  if (!found) return found.error();
  std::erase_if(*found, [&](int pid) { return !matches(files, pid); });
  return found;
}

Result<std::vector<int>> ProcessFinder::candidates(const HostFiles& files) {
  if (match_.pidfile.empty()) return in_cgroup(files);
  auto named = in_pidfile(files);
  if (!named || match_.cgroup.empty()) return named;
  const auto grouped = in_cgroup(files);
  if (!grouped) return grouped.error();
  std::erase_if(*named, [&](int pid) { return !contains(*grouped, pid); });
  return named;
}

Result<std::vector<int>> ProcessFinder::in_pidfile(const HostFiles& files) const {
  const auto text = files.read(match_.pidfile);
  if (!text) {
    if (text.error().code == Errc::missing)
      return std::vector<int>{};  // a stopped daemon removes it
    return text.error();
  }
  const auto word = Words{*text}.next();
  if (word.empty()) return std::vector<int>{};  // just being written
  const auto pid = to_pid(word);
  if (!pid) return malformed(match_.pidfile, "process id", *text);
  return std::vector<int>{*pid};
}

Result<std::vector<int>> ProcessFinder::in_cgroup(const HostFiles& files) const {
  // The unified hierarchy, or where systemd mounts its own beside version 1.
  constexpr std::array<std::string_view, 3> roots{"/sys/fs/cgroup", "/sys/fs/cgroup/systemd",
                                                  "/sys/fs/cgroup/unified"};
  std::vector<int> pids;
  for (const auto root : roots) {
    const auto text = files.read(std::string{root} + match_.cgroup + "/cgroup.procs");
    if (!text && text.error().code != Errc::missing) return text.error();
    if (!text) continue;
    Words words{*text};
    for (auto word = words.next(); !word.empty(); word = words.next())
      if (const auto pid = to_pid(word)) pids.push_back(*pid);
    break;
  }
  std::sort(pids.begin(), pids.end());
  return pids;
}

Result<void> ProcessFinder::learn_user(const HostFiles& files) {
  if (match_.user.empty() || user_id_) return {};
  user_id_ = to_number(match_.user);
  if (user_id_) return {};
  const auto passwd = files.read("/etc/passwd");
  if (!passwd) return passwd.error();
  const auto id = parse_user_id(*passwd, match_.user);
  if (!id) return id.error();
  user_id_ = *id;
  return {};
}

bool ProcessFinder::matches(const HostFiles& files, int pid) const {
  std::string cmdline;
  if (!match_.name.empty()) {
    const auto comm = files.read(path_of(pid, "comm"));
    if (!comm) return false;
    const std::string_view name{match_.name};
    const auto short_name = trim(*comm);
    if (name.size() > comm_bytes || short_name != name) {
      cmdline = files.read(path_of(pid, "cmdline")).value_or("");
      if (!is_called(name, short_name, cmdline)) return false;
    }
  }
  if (cmdline_ != nullptr) {
    if (cmdline.empty()) cmdline = files.read(path_of(pid, "cmdline")).value_or("");
    if (cmdline.empty()) return false;  // a kernel thread, or gone
    if (!re2::RE2::PartialMatch(spoken(cmdline), cmdline_->compiled)) return false;
  }
  if (user_id_) {
    const auto status = files.read(path_of(pid, "status"));
    if (!status) return false;
    const auto user = parse_effective_user(*status);
    if (!user || *user != *user_id_) return false;
  }
  return true;
}

Result<std::vector<int>> ProcessFinder::scan(const HostFiles& files, SteadyTime now) {
  const auto names = files.list("/proc");
  if (!names) return names.error();
  const auto wait = found_some_ ? thorough_every : thorough_every_while_missing;
  if (!thorough_at_ || now - *thorough_at_ >= wait) {
    settled_.clear();
    thorough_at_ = now;
  }
  // Ourselves we leave out: "tocsin check nginx" has the pattern in its own command line.
  const auto self = files.read_link("/proc/self");
  const auto own = self ? to_pid(*self).value_or(0) : 0;
  std::vector<int> pids;
  pids.reserve(std::min(names->size(), limits::processes_scanned));
  for (const auto& name : *names) {
    if (pids.size() >= limits::processes_scanned) break;
    const auto pid = to_pid(name);
    if (pid && *pid != own) pids.push_back(*pid);
  }
  std::sort(pids.begin(), pids.end());

  const bool mature = listed_at_ && now - *listed_at_ >= maturity;
  std::vector<int> found;
  std::vector<int> settled;
  for (const int pid : pids) {
    const bool known = contains(settled_, pid);
    if (!known && matches(files, pid)) {
      found.push_back(pid);
    } else if (known || (mature && contains(listed_, pid))) {
      settled.push_back(pid);
    }
  }
  settled_ = std::move(settled);
  if (mature || !listed_at_) {
    listed_ = std::move(pids);
    listed_at_ = now;
  }
  found_some_ = !found.empty();
  if (found.empty() && own != 1 && !files.read("/proc/1/comm"))
    return Error{
        Errc::refused,
        "/proc shows no processes of others (is it mounted with hidepid?), so none of them "
        "can be found: run as root, or as the group that its option gid= names"};
  return found;
}

}  // namespace tocsin::checks
