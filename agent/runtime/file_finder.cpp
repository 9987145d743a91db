#include "agent/runtime/file_finder.hpp"

#include <dirent.h>
#include <fnmatch.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <vector>

#include "tocsin/base/limits.hpp"
#include "tocsin/base/text.hpp"

namespace tocsin::runtime {
namespace {

struct CloseFolder {
  void operator()(DIR* folder) const noexcept { ::closedir(folder); }
};

WallTime to_wall(const timespec& time) {
  return WallTime{std::chrono::duration_cast<std::chrono::microseconds>(
      std::chrono::seconds{time.tv_sec} + std::chrono::nanoseconds{time.tv_nsec})};
}

/// What is no longer there, or never led anywhere: not worth a word.
bool is_gone(int number) { return number == ENOENT || number == ENOTDIR || number == ELOOP; }

class Finder {
 public:
  explicit Finder(std::string_view pattern) {
    for (const auto part : split(pattern, '/'))
      if (!part.empty()) parts_.emplace_back(part);
  }

  Finding find() && {
    if (!parts_.empty()) descend("", 0, false);
    for (auto& entry : kept_) finding_.files.newest.push_back(std::move(entry.file));
    if (finding_.files.matched > 0) finding_.files.missing.clear();
    return std::move(finding_);
  }

 private:
  struct Entry {
    FoundFile file{};
    dev_t device{};
    ino_t inode{};
    bool link{};
  };

  static bool has_wildcard(const std::string& part) {
    return part.find_first_of("*?[\\") != std::string::npos;
  }

  /// `chosen`: a wildcard chose this folder, so that nobody named it. False ends the search.
  bool descend(const std::string& folder, std::size_t index, bool chosen) {
    const auto& part = parts_[index];
    if (!has_wildcard(part)) return enter(folder + "/" + part, index, chosen);
    const std::unique_ptr<DIR, CloseFolder> open{::opendir(folder.empty() ? "/" : folder.c_str())};
    if (!open) return could_not_open(errno, folder, chosen);
    for (;;) {
      errno = 0;
      const dirent* entry = ::readdir(open.get());
      if (entry == nullptr) return errno == 0 || fail(errno, folder);
      if (++looked_at_ > limits::folder_entries) return fail(E2BIG, folder);
      const char* const name = entry->d_name;
      if (std::strcmp(name, ".") == 0 || std::strcmp(name, "..") == 0) continue;
      if (::fnmatch(part.c_str(), name, FNM_PERIOD) != 0) continue;
      if (!enter(folder + "/" + name, index, true)) return false;
    }
  }

  bool enter(const std::string& path, std::size_t index, bool chosen) {
    return index + 1 == parts_.size() ? take(path) : descend(path, index + 1, chosen);
  }

  bool could_not_open(int number, const std::string& folder, bool chosen) {
    if (!is_gone(number)) return fail(number, folder);
    if (!chosen) finding_.files.missing = folder;
    return true;
  }

  bool take(const std::string& path) {
    struct stat found {};
    if (::lstat(path.c_str(), &found) != 0) return is_gone(errno) || fail(errno, path);
    const bool link = S_ISLNK(found.st_mode);
    if (link && ::stat(path.c_str(), &found) != 0) return is_gone(errno) || fail(errno, path);
    if (S_ISREG(found.st_mode)) {
      keep({{path, static_cast<std::uint64_t>(found.st_size), to_wall(found.st_mtim),
             to_wall(found.st_ctim)},
            found.st_dev,
            found.st_ino,
            link});
    }
    return true;
  }

  void keep(Entry entry) {
    const auto same = std::find_if(kept_.begin(), kept_.end(), [&](const Entry& other) {
      return other.device == entry.device && other.inode == entry.inode;
    });
    if (same != kept_.end()) {
      if (same->link && !entry.link) *same = std::move(entry);
      return;
    }
    ++finding_.files.matched;
    const auto place = std::lower_bound(kept_.begin(), kept_.end(), entry,
                                        [](const Entry& a, const Entry& b) { return newer(a, b); });
    kept_.insert(place, std::move(entry));
    if (kept_.size() > limits::files_found) kept_.pop_back();
  }

  static bool newer(const Entry& a, const Entry& b) {
    return a.file.modified != b.file.modified ? a.file.modified > b.file.modified
                                              : a.file.path > b.file.path;
  }

  bool fail(int number, const std::string& path) {
    finding_.failed_with = number;
    finding_.failed_at = path.empty() ? "/" : path;
    return false;
  }

  std::vector<std::string> parts_;
  std::vector<Entry> kept_;  ///< Newest first.
  std::size_t looked_at_{0};
  Finding finding_;
};

void put(std::string& bytes, std::uint64_t value) {
  bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
}
void put(std::string& bytes, std::string_view text) {
  put(bytes, static_cast<std::uint64_t>(text.size()));
  bytes += text;
}
std::uint64_t as_number(WallTime time) {
  return static_cast<std::uint64_t>(time.time_since_epoch().count());
}

/// Takes from the front what put() put there; once it cannot, `good` is false.
struct Taking {
  std::string_view rest;
  bool good{true};

  std::uint64_t number() {
    std::uint64_t value = 0;
    if (rest.size() < sizeof value) good = false;
    if (!good) return 0;
    std::memcpy(&value, rest.data(), sizeof value);
    rest.remove_prefix(sizeof value);
    return value;
  }
  std::string text() {
    const auto length = number();
    if (length > rest.size()) good = false;
    if (!good) return {};
    std::string out{rest.substr(0, length)};
    rest.remove_prefix(length);
    return out;
  }
  WallTime time() {
    return WallTime{std::chrono::microseconds{static_cast<std::int64_t>(number())}};
  }
};

}  // namespace

Finding find_files_here(std::string_view pattern) { return Finder{pattern}.find(); }

std::string pack(const Finding& finding) {
  std::string bytes;
  put(bytes, static_cast<std::uint64_t>(finding.failed_with));
  put(bytes, finding.failed_at);
  put(bytes, finding.files.missing);
  put(bytes, finding.files.matched);
  for (const auto& file : finding.files.newest) {
    if (bytes.size() + 4 * sizeof(std::uint64_t) + file.path.size() > packed_bytes_max) break;
    put(bytes, file.path);
    put(bytes, file.bytes);
    put(bytes, as_number(file.modified));
    put(bytes, as_number(file.changed));
  }
  return bytes;
}

Result<Finding> unpack(std::string_view bytes) {
  Taking taking{bytes};
  Finding finding;
  finding.failed_with = static_cast<int>(taking.number());
  finding.failed_at = taking.text();
  finding.files.missing = taking.text();
  finding.files.matched = taking.number();
  while (taking.good && !taking.rest.empty()) {
    FoundFile file;
    file.path = taking.text();
    file.bytes = taking.number();
    file.modified = taking.time();
    file.changed = taking.time();
    if (taking.good) finding.files.newest.push_back(std::move(file));
  }
  if (!taking.good) return Error{Errc::protocol, "the helper process answered half a sentence"};
  return finding;
}

}  // namespace tocsin::runtime
