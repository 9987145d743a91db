#include "agent/runtime/host_files.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <utility>

#include "agent/runtime/descriptor.hpp"
#include "agent/runtime/growing_file.hpp"
#include "tocsin/base/limits.hpp"
#include "tocsin/base/text.hpp"

namespace tocsin::runtime {
namespace {

constexpr std::size_t first_buffer_bytes = 4096;  // Most of /proc fits into a page.

/// Reads with pread from the start into a buffer that only ever grows.
class KeptFile final : public HostFile {
 public:
  KeptFile(Descriptor file, std::string path) : file_{std::move(file)}, path_{std::move(path)} {}

  Result<std::string_view> read() override {
    std::size_t length = 0;
    for (;;) {
      if (length == capacity_ && !grow(length)) {
        return Error{Errc::too_large, path_ + " is larger than " +
                                          std::to_string(limits::host_file_bytes) +
                                          " bytes, the bound for files of the host"};
      }
      const auto got = ::pread(file_.raw(), buffer_.get() + length, capacity_ - length,
                               static_cast<off_t>(length));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return error_from_errno(errno, "reading " + path_);
      if (got == 0) return std::string_view{buffer_.get(), length};
      length += static_cast<std::size_t>(got);
    }
  }

 private:
  bool grow(std::size_t length) {
    // One byte more than the bound, so that a file of exactly that size still shows its end.
    const auto most = limits::host_file_bytes + 1;
    if (capacity_ == most) return false;
    const auto wanted = std::min(std::max(first_buffer_bytes, capacity_ * 2), most);
    auto larger = std::make_unique_for_overwrite<char[]>(wanted);
    if (length > 0) std::memcpy(larger.get(), buffer_.get(), length);
    buffer_ = std::move(larger);
    capacity_ = wanted;
    return true;
  }

  Descriptor file_;
  std::string path_;
  std::unique_ptr<char[]> buffer_;
  std::size_t capacity_{0};
};

struct CloseFolder {
  void operator()(DIR* folder) const noexcept { ::closedir(folder); }
};

}  // namespace

RootedFiles::RootedFiles(std::string root) : root_{std::move(root)} {
  if (root_ != "/") root_descriptor_ = ::open(root_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
}

RootedFiles::~RootedFiles() {
  if (root_descriptor_ >= 0) ::close(root_descriptor_);
}

Result<int> RootedFiles::open_descriptor(const std::string& path, int flags) const {
  if (path.empty() || path.front() != '/') {
    return Error{Errc::malformed, "'" + path + "' is not an absolute path"};
  }
  // Without O_NONBLOCK, opening a named pipe would wait for a writer. openat2 refuses either beside
  // O_PATH.
  flags |= O_CLOEXEC | ((flags & O_PATH) != 0 ? 0 : O_NOCTTY | O_NONBLOCK);
  long opened = -1;
  do {
    if (root_ == "/") {
      opened = ::open(path.c_str(), flags);
    } else {
      open_how how{};
      how.flags = static_cast<unsigned>(flags);
      how.resolve = RESOLVE_IN_ROOT;
      opened = ::syscall(SYS_openat2, root_descriptor_, path.c_str(), &how, sizeof how);
    }
  } while (opened < 0 && (errno == EINTR || (errno == EAGAIN && root_ != "/")));
  if (opened >= 0) return static_cast<int>(opened);
  if (errno == EBADF) return Error{Errc::missing, "the folder " + root_ + " could not be opened"};
  if (errno == ENOSYS) {
    return Error{Errc::unsupported, "a root other than / needs openat2 (Linux 5.6)"};
  }
  return error_from_errno(errno, "opening " + path);
}

Result<std::unique_ptr<HostFile>> RootedFiles::open(const std::string& path) const {
  auto opened = open_descriptor(path, O_RDONLY);
  if (!opened) return std::move(opened).error();
  return std::unique_ptr<HostFile>{std::make_unique<KeptFile>(Descriptor{*opened}, path)};
}

Result<std::string> RootedFiles::read(const std::string& path) const {
  auto opened = open_descriptor(path, O_RDONLY);
  if (!opened) return std::move(opened).error();
  KeptFile file{Descriptor{*opened}, path};
  const auto content = file.read();
  if (!content) return content.error();
  return std::string{*content};
}

Result<std::unique_ptr<GrowingFile>> RootedFiles::follow(const std::string& path) const {
  auto opened = open_descriptor(path, O_RDONLY);
  if (!opened) return std::move(opened).error();
  return make_growing_file(Descriptor{*opened}, path);
}

Result<std::vector<std::string>> RootedFiles::list(const std::string& path) const {
  auto opened = open_descriptor(path, O_RDONLY | O_DIRECTORY);
  if (!opened) return std::move(opened).error();
  const std::unique_ptr<DIR, CloseFolder> folder{::fdopendir(*opened)};
  if (!folder) {
    ::close(*opened);
    return error_from_errno(errno, "listing " + path);
  }
  std::vector<std::string> names;
  errno = 0;
  while (const dirent* entry = ::readdir(folder.get())) {
    const std::string_view name{entry->d_name};
    if (name != "." && name != "..") names.emplace_back(name);
  }
  if (errno != 0) return error_from_errno(errno, "listing " + path);
  return names;
}

Result<std::string> RootedFiles::read_link(const std::string& path) const {
  auto opened = open_descriptor(path, O_PATH | O_NOFOLLOW);
  if (!opened) return std::move(opened).error();
  const Descriptor link{*opened};
  char target[PATH_MAX];
  const auto length = ::readlinkat(link.raw(), "", target, sizeof target);
  if (length < 0) return error_from_errno(errno, "reading the link " + path);
  return std::string{target, static_cast<std::size_t>(length)};
}

int RootedFiles::cpu_count() const {
  if (root_ == "/") return static_cast<int>(std::max(1L, ::sysconf(_SC_NPROCESSORS_ONLN)));
  const auto stat = read("/proc/stat");
  if (!stat) return 1;
  int count = 0;
  for (const auto line : split(*stat, '\n')) {
    if (starts_with(line, "cpu") && line.size() > 3 && line[3] >= '0' && line[3] <= '9') ++count;
  }
  return std::max(1, count);
}

std::uint64_t RootedFiles::page_bytes() const {
  return static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

std::uint64_t RootedFiles::clock_ticks() const {
  return static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
}

}  // namespace tocsin::runtime
