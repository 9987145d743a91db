#include "agent/runtime/mount_table.hpp"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <map>
#include <utility>
#include <vector>

#include "tocsin/base/limits.hpp"
#include "tocsin/base/text.hpp"

namespace tocsin::runtime {
namespace {

constexpr std::array<std::string_view, 17> types_that_answer{
    "ext2",    "ext3",     "ext4",  "xfs",     "btrfs", "f2fs",  "tmpfs", "ramfs", "devtmpfs",
    "overlay", "squashfs", "erofs", "iso9660", "vfat",  "exfat", "proc",  "sysfs"};

/// mountinfo writes space, tab, newline and backslash as three octal digits.
std::string unescape(std::string_view text) {
  std::string plain;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const auto digit = [&](std::size_t offset) {
      return at + offset < text.size() && text[at + offset] >= '0' && text[at + offset] <= '7';
    };
    if (text[at] == '\\' && digit(1) && digit(2) && digit(3)) {
      const int code = (text[at + 1] - '0') * 64 + (text[at + 2] - '0') * 8 + (text[at + 3] - '0');
      plain.push_back(static_cast<char>(code));
      at += 3;
    } else {
      plain.push_back(text[at]);
    }
  }
  return plain;
}

/// Whether the folder is the mount point or lies below it.
bool leads_through(std::string_view path, std::string_view mount) {
  if (mount == "/") return true;
  return starts_with(path, mount) && (path.size() == mount.size() || path[mount.size()] == '/');
}

}  // namespace

std::set<std::string> mounts_that_answer(std::string_view mountinfo) {
  std::map<std::string, bool> answering;
  for (const auto line : split(mountinfo, '\n')) {
    // "36 35 98:0 /root /mount/point options tags - type source options", proc_pid_mountinfo(5).
    const auto fields = split(line, ' ');
    const auto dash = std::find(fields.begin(), fields.end(), "-");
    if (fields.size() < 6 || dash == fields.end() || dash + 1 == fields.end()) continue;
    const bool answers =
        std::ranges::find(types_that_answer, *(dash + 1)) != types_that_answer.end();
    answering.insert_or_assign(unescape(fields[4]), answers);
  }
  std::set<std::string> safe;
  for (const auto& [mount, answers] : answering) {
    const bool reached = std::ranges::all_of(answering, [&path = mount](const auto& other) {
      return other.second || !leads_through(path, other.first);
    });
    if (answers && reached) safe.insert(mount);
  }
  return safe;
}

MountTable::MountTable(std::string mountinfo_path) : path_{std::move(mountinfo_path)} {
  mountinfo_ = Descriptor{::open(path_.c_str(), O_RDONLY | O_CLOEXEC)};
}

bool MountTable::answers(const std::string& mount) {
  if (!mountinfo_.open()) return false;
  pollfd changes{mountinfo_.raw(), POLLPRI, 0};
  const bool changed = ::poll(&changes, 1, 0) > 0 && (changes.revents & (POLLPRI | POLLERR)) != 0;
  if (changed || !known_) refresh();
  return answering_.count(mount) > 0;
}

void MountTable::refresh() {
  std::string text;
  std::array<char, 16u << 10> chunk;
  known_ = true;
  answering_.clear();
  for (;;) {
    const auto got =
        ::pread(mountinfo_.raw(), chunk.data(), chunk.size(), static_cast<off_t>(text.size()));
    if (got < 0) return;
    if (got == 0) break;
    text.append(chunk.data(), static_cast<std::size_t>(got));
    if (text.size() > limits::host_file_bytes) return;  // Then all of them go to the helper.
  }
  answering_ = mounts_that_answer(text);
}

}  // namespace tocsin::runtime
