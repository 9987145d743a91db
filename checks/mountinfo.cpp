#include "checks/mountinfo.hpp"

#include <algorithm>
#include <array>

#include "checks/words.hpp"
#include "tocsin/base/text.hpp"

namespace tocsin::checks {
namespace {

// Kernel interfaces, memory, images and desktop plumbing: nothing of these fills up in a way that
// somebody can mend.
constexpr std::array<std::string_view, 41> unreal_types{
    "autofs",          "bdev",       "binder",      "binfmt_misc",   "bpf",
    "cgroup",          "cgroup2",    "configfs",    "cpuset",        "debugfs",
    "devfs",           "devpts",     "devtmpfs",    "efivarfs",      "erofs",
    "fuse.gvfsd-fuse", "fuse.lxcfs", "fuse.portal", "fuse.snapfuse", "fusectl",
    "hugetlbfs",       "iso9660",    "mqueue",      "nfsd",          "nsfs",
    "overlay",         "proc",       "pstore",      "ramfs",         "resctrl",
    "rootfs",          "rpc_pipefs", "securityfs",  "selinuxfs",     "smackfs",
    "squashfs",        "sysfs",      "tmpfs",       "tracefs",       "aufs",
    "sockfs"};

// Files that container runtimes bind into every container from a file system of the host.
constexpr std::array<std::string_view, 4> bound_files{"/etc/hostname", "/etc/hosts",
                                                      "/etc/resolv.conf", "/dev/termination-log"};

bool has_option(std::string_view options, std::string_view wanted) {
  while (!options.empty()) {
    const auto end = options.find(',');
    if (options.substr(0, end) == wanted) return true;
    options.remove_prefix(end == std::string_view::npos ? options.size() : end + 1);
  }
  return false;
}

bool is_octal(char c) { return c >= '0' && c <= '7'; }

/// The kernel writes blank, tab, line end and backslash as "\040" and so on (mangle_path).
std::string unescaped(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size() && is_octal(text[i + 1]) && is_octal(text[i + 2]) &&
        is_octal(text[i + 3])) {
      out += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 +
                               (text[i + 3] - '0'));
      i += 3;
    } else {
      out += text[i];
    }
  }
  return out;
}

Result<Mount> parse_mount(std::string_view line) {
  Words words{line};
  words.skip(2);  // mount and parent id
  Mount mount;
  mount.device = std::string{words.next()};
  mount.root = unescaped(words.next());
  mount.point = unescaped(words.next());
  words.next();  // options of this view
  auto word = words.next();
  while (!word.empty() && word != "-") word = words.next();  // optional fields end with "-"
  mount.type = std::string{words.next()};
  mount.source = unescaped(words.next());
  const auto options = words.next();
  if (word != "-" || options.empty() || mount.point.empty() || mount.point.front() != '/')
    return malformed("/proc/self/mountinfo", "ten columns and ' - '", line);
  // Newer ext4 stops writing without becoming "ro" and says so in an option of its own.
  mount.read_only = has_option(options, "ro") || has_option(options, "emergency_ro");
  return mount;
}

bool holds_data(const Mount& mount) {
  if (mount.source.substr(0, 9) == "/dev/loop") return false;
  if (std::find(bound_files.begin(), bound_files.end(), mount.point) != bound_files.end())
    return false;
  if (mount.type == "overlay") return mount.point == "/";
  return std::find(unreal_types.begin(), unreal_types.end(), mount.type) == unreal_types.end();
}

/// Whether `a` stands for the file system better than `b`.
bool speaks_better(const Mount& a, const Mount& b) {
  if ((a.root == "/") != (b.root == "/")) return a.root == "/";
  return a.point.size() < b.point.size();
}

}  // namespace

Result<std::vector<Mount>> parse_mounts(std::string_view mountinfo) {
  std::vector<Mount> mounts;
  for (auto rest = mountinfo; !rest.empty();) {
    const auto line = take_line(rest);
    if (line.empty()) continue;
    auto mount = parse_mount(line);
    if (!mount) return mount.error();
    mounts.push_back(*std::move(mount));
  }
  if (mounts.empty()) return malformed("/proc/self/mountinfo", "mount", mountinfo);
  // Last one wins; from the back, so that order is kept among those that stay.
  std::vector<Mount> visible;
  std::vector<std::string_view> seen;
  for (auto mount = mounts.rbegin(); mount != mounts.rend(); ++mount) {
    const auto place = std::lower_bound(seen.begin(), seen.end(), mount->point);
    if (place != seen.end() && *place == mount->point) continue;
    seen.insert(place, mount->point);
    visible.push_back(*mount);
  }
  std::reverse(visible.begin(), visible.end());
  return visible;
}

std::vector<Mount> real_file_systems(const std::vector<Mount>& mounts) {
  std::vector<Mount> chosen;
  for (const auto& mount : mounts) {
    if (!holds_data(mount)) continue;
    const auto same = std::find_if(chosen.begin(), chosen.end(), [&](const Mount& other) {
      return other.device == mount.device;
    });
    if (same == chosen.end())
      chosen.push_back(mount);
    else if (speaks_better(mount, *same))
      *same = mount;
  }
  return chosen;
}

std::vector<std::string> writable_in_fstab(std::string_view fstab) {
  std::vector<std::string> points;
  while (!fstab.empty()) {
    Words words{take_line(fstab)};
    const auto source = words.next();
    if (source.empty() || source.front() == '#') continue;
    const auto point = words.next();
    words.next();  // type
    const auto options = words.next();
    if (point.empty() || point.front() != '/' || has_option(options, "ro")) continue;
    points.push_back(unescaped(point));
  }
  return points;
}

}  // namespace tocsin::checks
